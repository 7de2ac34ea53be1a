/** How stages connect: which output each input reads, in which order they can run, and where tasks fan out. */
import type { Axis, InputPort, OutputKind } from '../contract/stage.ts';
import { isBroken } from './issues.ts';
import { didYouMean } from './nearest.ts';
import type { Problems, Spot } from './problems.ts';
import type { CheckedStage } from './stages.ts';
import { closestSpot, keySpotAt, nodeAt, type Tree } from './tree.ts';
import type { Source } from './types.ts';

export interface Wiring {
  /** Sources by stage and port, ports in the order of the definition. */
  readonly from: ReadonlyMap<string, Readonly<Record<string, readonly Source[]>>>;
  /** Producers before consumers, otherwise in file order. */
  readonly order: readonly string[];
}

interface Context {
  readonly tree: Tree;
  readonly stages: ReadonlyMap<string, CheckedStage>;
  /** All names, those with an unknown method too. */
  readonly names: ReadonlySet<string>;
  readonly problems: Problems;
}

export function wire(
  tree: Tree,
  list: readonly CheckedStage[],
  names: ReadonlySet<string>,
  problems: Problems,
): Wiring {
  const context: Context = { tree, stages: new Map(list.map((stage) => [stage.name, stage])), names, problems };
  const from = new Map(list.map((stage) => [stage.name, connect(stage, context)]));
  const order = sortTopologically(from, context);
  checkFanOut(from, context);
  return { from, order };
}

function connect(stage: CheckedStage, context: Context): Record<string, readonly Source[]> {
  const { tree, problems } = context;
  const { inputs, name: use } = stage.definition;
  const base = ['stages', stage.name, 'from'];
  if (stage.from === undefined) return {};
  for (const port of Object.keys(stage.from)) {
    if (Object.hasOwn(inputs, port)) continue;
    const ports = Object.keys(inputs);
    const spot = keySpotAt(tree, [...base, port]) ?? closestSpot(tree, base);
    const hint = ports.length === 0 ? 'it reads nothing' : didYouMean(port, ports, 'inputs');
    problems.add(spot, `${stage.name}: ${use} has no input ${port}`, hint);
  }
  const connected: Record<string, readonly Source[]> = {};
  for (const [port, definition] of Object.entries(inputs)) {
    const path = [...base, port];
    const written = Object.hasOwn(stage.from, port) ? stage.from[port] : undefined;
    const references = written === undefined ? [] : typeof written === 'string' ? [written] : written;
    if (references.length === 0 && !definition.optional && !isBroken(tree, path)) {
      const message = `${stage.name}: the input ${port} is not connected (${definition.description})`;
      problems.add(closestSpot(tree, path), message, suggestSources(definition, stage.name, port, context));
    }
    if (references.length > 1 && !definition.many) {
      problems.add(
        nodeAt(tree, path)?.spot ?? closestSpot(tree, path),
        `${stage.name}.from.${port}: takes one output, not a list`,
      );
    }
    const sources = references.flatMap((reference, i) => {
      const own = typeof written === 'string' ? path : [...path, String(i)];
      if (isBroken(tree, own)) return [];
      const found = sourceOf(reference, definition, port, stage, closestSpotOf(tree, own), context);
      return found === undefined ? [] : [found];
    });
    if (sources.length > 0) connected[port] = sources;
  }
  return connected;
}

function closestSpotOf(tree: Tree, path: readonly string[]): Spot {
  return nodeAt(tree, path)?.spot ?? closestSpot(tree, path);
}

const inWords: Record<OutputKind, string> = {
  table: 'a table',
  frame: 'a frame',
  model: 'a model',
  metrics: 'metrics',
  figures: 'figures',
  json: 'JSON',
  folder: 'a folder',
};

/** The output that `stage` or `stage.output` means for a port. */
function sourceOf(
  reference: string,
  input: InputPort,
  port: string,
  consumer: CheckedStage,
  spot: Spot,
  { stages, names, problems }: Context,
): Source | undefined {
  const dot = reference.indexOf('.');
  const name = dot === -1 ? reference : reference.slice(0, dot);
  const label = `${consumer.name}.from.${port}`;
  const producer = stages.get(name);
  if (producer === undefined) {
    // A stage that is there but wrong has its own error.
    if (!names.has(name)) problems.add(spot, `${label}: there is no stage ${name}`, didYouMean(name, names, 'stages'));
    return undefined;
  }
  const { outputs } = producer.definition;
  const fitting = Object.keys(outputs).filter((output) => outputs[output]?.kind === input.kind);
  const offers = Object.entries(outputs).map(([output, { kind }]) => `${name}.${output} (${kind})`);
  if (dot === -1) {
    if (fitting.includes(port)) return { stage: name, output: port };
    if (fitting.length === 1) return { stage: name, output: fitting[0] as string };
    const message =
      fitting.length === 0
        ? `${label}: wants ${inWords[input.kind]}, and ${name} makes none`
        : `${label}: which output of ${name}? More than one is ${inWords[input.kind]}`;
    const listed = fitting.length === 0 ? offers : fitting.map((output) => `${name}.${output}`);
    problems.add(spot, message, listed.length === 0 ? undefined : `outputs: ${listed.join(', ')}`);
    return undefined;
  }
  const output = reference.slice(dot + 1);
  const declared = Object.hasOwn(outputs, output) ? outputs[output] : undefined;
  if (declared === undefined) {
    const hint = didYouMean(output, Object.keys(outputs), 'outputs');
    problems.add(spot, `${label}: ${name} (${producer.definition.name}) has no output ${output}`, hint);
    return undefined;
  }
  if (declared.kind !== input.kind) {
    const hint =
      fitting.length === 0
        ? `outputs: ${offers.join(', ')}`
        : `${inWords[input.kind]}: ${fitting.map((o) => `${name}.${o}`).join(', ')}`;
    problems.add(spot, `${label}: wants ${inWords[input.kind]}, and ${reference} is ${inWords[declared.kind]}`, hint);
    return undefined;
  }
  return { stage: name, output };
}

/** Stages with an output of the port's own name, for an input that is not connected. */
function suggestSources(input: InputPort, consumer: string, port: string, { stages }: Context): string | undefined {
  const found = [...stages.values()].filter(
    (stage) => stage.name !== consumer && stage.definition.outputs[port]?.kind === input.kind,
  );
  return found.length === 0
    ? undefined
    : `could be: from: { ${port}: ${found.map((stage) => stage.name).join(' or ')} }`;
}

/** Depth-first in file order; a stage met again on its own way is a circle. */
function sortTopologically(from: Wiring['from'], { tree, problems }: Context): string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const way: string[] = [];
  const visit = (name: string): void => {
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      const round = [...way.slice(way.indexOf(name)), name];
      const message = `stages go round in a circle: ${round.join(' -> ')}`;
      problems.add(closestSpot(tree, ['stages', name]), message, 'an arrow reads: takes its input from');
      return;
    }
    state.set(name, 'open');
    way.push(name);
    for (const sources of Object.values(from.get(name) ?? {})) for (const source of sources) visit(source.stage);
    way.pop();
    state.set(name, 'done');
    order.push(name);
  };
  for (const name of from.keys()) visit(name);
  return order;
}

/** `each:` needs a producer that makes such elements; a producer that fanned out needs a consumer that knows it. */
function checkFanOut(from: Wiring['from'], { tree, stages, problems }: Context): void {
  for (const stage of stages.values()) {
    const ports = Object.entries(from.get(stage.name) ?? {});
    if (stage.each !== undefined) {
      const axis = stage.each;
      const reads = ports.flatMap(([, sources]) => sources.map((source) => source.stage));
      const makers = [...new Set(reads.flatMap((name) => [...makersOf(name, axis, from, stages, new Set())]))];
      const spot = closestSpotOf(tree, ['stages', stage.name, 'each']);
      // What is wrong with the inputs or their parameters comes first.
      const unsure = stage.from === undefined || reads.some((name) => stages.get(name)?.params === undefined);
      if (makers.length === 0 && !unsure) {
        const others = [...stages.values()]
          .filter((other) => makes(other, axis) !== undefined)
          .map((other) => other.name);
        const hint =
          others.length === 0
            ? `no stage of this experiment makes ${axis}s`
            : `${axis}s are made by ${others.join(', ')}: connect it to an input, or leave out each`;
        problems.add(spot, `${stage.name}: each: ${axis} needs an input that comes in ${axis}s`, hint);
      }
      const lengths = new Set(makers.map((name) => makes(stages.get(name) as CheckedStage, axis)));
      if (lengths.size > 1) {
        problems.add(spot, `${stage.name}: its inputs come in different numbers of ${axis}s (${makers.join(', ')})`);
      }
    }
    for (const [port, sources] of ports) {
      const input = stage.definition.inputs[port] as InputPort;
      if (input.take === 'all' || input.many) continue;
      for (const source of sources) {
        const each = stages.get(source.stage)?.each;
        if (each === undefined || each === stage.each) continue;
        problems.add(
          closestSpot(tree, ['stages', stage.name, 'from', port]),
          `${stage.name}.from.${port}: ${source.stage} is one task for each ${each}, and this input takes one`,
          `add each: ${each} to ${stage.name}, or read ${source.stage} with a stage that takes all of them`,
        );
      }
    }
  }
}

/** How many elements of an axis a stage makes for its consumers; undefined if none. */
function makes(stage: CheckedStage, axis: Axis): number | undefined {
  return stage.params === undefined ? undefined : stage.definition.elements?.(stage.params)[axis];
}

/** The stages at which an axis begins for what reads `name`. */
function makersOf(
  name: string,
  axis: Axis,
  from: Wiring['from'],
  stages: ReadonlyMap<string, CheckedStage>,
  seen: Set<string>,
): ReadonlySet<string> {
  const stage = stages.get(name);
  if (stage === undefined || seen.has(name)) return new Set();
  seen.add(name);
  if (makes(stage, axis) !== undefined) return new Set([name]);
  if (stage.each !== axis) return new Set();
  const reads = Object.values(from.get(name) ?? {}).flat();
  return new Set(reads.flatMap((source) => [...makersOf(source.stage, axis, from, stages, seen)]));
}
