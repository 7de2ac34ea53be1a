/** `fathom explain`: what a value is, what it means and where it comes from. */
import { EXIT, FathomError } from '../errors.ts';
import { didYouMean } from '../experiment/nearest.ts';
import { defaultAt, type JsonSchema, jsonSchemaOf, propertyAt, typeInWords } from '../experiment/parameters.ts';
import { originsAt, resolvedConfig, shortOrigins } from '../experiment/render.ts';
import { rootSchema, stageSchema } from '../experiment/schema.ts';
import type { Registry } from '../experiment/stages.ts';
import type { Distribution, Experiment } from '../experiment/types.ts';
import type { CliEffects } from './effects.ts';
import { type ExperimentFileArgs, loadForCli } from './load.ts';

export async function explain(
  args: ExperimentFileArgs & { readonly key: string },
  effects: CliEffects,
  stages: Registry,
): Promise<number> {
  const experiment = await loadForCli(args, effects, stages);
  for (const line of explainKey(experiment, args.key, stages)) effects.out(line);
  return EXIT.ok;
}

/** The answer as lines: for one value all that is known of it, for a map its values, one a line. */
export function explainKey(experiment: Experiment, key: string, stages: Registry): readonly string[] {
  const config = resolvedConfig(experiment);
  const words = key.split('.');
  const isStage = experiment.stages.some((stage) => stage.name === words[0]) && !((words[0] as string) in config);
  const path = isStage ? ['stages', ...words] : words;
  const known = knownPaths(experiment, config, stages);
  const value = valueAt(config, path);
  const facts = factsOf(experiment, path, stages);
  if (value === undefined && facts.property === undefined) {
    throw new FathomError('usage', `the experiment has no ${key}`, { hint: didYouMean(key, known) });
  }
  if (isMap(value) && Object.keys(value).length > 0 && facts.sweepable !== true) return listed(experiment, value, path);

  const origin = value === undefined ? '' : shortOrigins(originsAt(experiment, path.join('.')));
  const rows: [string, string][] = [
    ['value', value === undefined ? 'not set' : JSON.stringify(value)],
    ['from', origin],
    ['meaning', facts.property?.description ?? ''],
    ['type', facts.property === undefined ? '' : typeInWords(facts.property, facts.root)],
    ['default', facts.fallback === undefined ? '' : JSON.stringify(facts.fallback)],
    ['swept', sweptAs(experiment, path)],
  ];
  return [key, ...rows.filter(([, text]) => text !== '').map(([label, text]) => `  ${label.padEnd(8)} ${text}`)];
}

function listed(experiment: Experiment, value: Record<string, unknown>, path: readonly string[]): readonly string[] {
  const rows: [string, string, string][] = [];
  const walk = (member: unknown, at: readonly string[]): void => {
    if (isMap(member) && Object.keys(member).length > 0) {
      for (const [name, inner] of Object.entries(member)) walk(inner, [...at, name]);
      return;
    }
    const label = (at[0] === 'stages' ? at.slice(1) : at).join('.');
    rows.push([label, JSON.stringify(member), shortOrigins(originsAt(experiment, at.join('.')))]);
  };
  walk(value, path);
  const widths = [0, 1].map((column) => Math.min(50, Math.max(...rows.map((row) => (row[column] as string).length))));
  return rows.map(([a, b, c]) => `${a.padEnd(widths[0] as number)}  ${b.padEnd(widths[1] as number)}  ${c}`);
}

interface Facts {
  readonly root: JsonSchema;
  readonly property: JsonSchema | undefined;
  readonly fallback: unknown;
  /** True for a parameter that is itself a map: shown as one value. */
  readonly sweepable?: boolean;
}

/** What the schemas say of a key. */
function factsOf(experiment: Experiment, path: readonly string[], stages: Registry): Facts {
  const [first, name, ...below] = path;
  const stage = first === 'stages' ? experiment.stages.find((other) => other.name === name) : undefined;
  const definition = stage === undefined ? undefined : stages.get(stage.use);
  if (definition !== undefined && below.length > 0) {
    const root = jsonSchemaOf(definition.params);
    const property = propertyAt(root, below);
    if (property !== undefined) return { root, property, fallback: defaultAt(definition, below), sweepable: true };
    const common = jsonSchemaOf(stageSchema);
    const shared = propertyAt(common, below);
    if (below[0] !== 'from' || below.length < 2) return { root: common, property: shared, fallback: shared?.default };
    const input = definition.inputs[below[1] as string];
    if (input === undefined) return { root: common, property: undefined, fallback: undefined };
    return {
      root: common,
      property: { ...shared, description: `${input.description} (${input.kind})` },
      fallback: undefined,
    };
  }
  const root = jsonSchemaOf(rootSchema);
  const property = first === 'stages' && path.length > 1 ? undefined : propertyAt(root, path);
  return { root, property, fallback: property?.default };
}

function sweptAs(experiment: Experiment, path: readonly string[]): string {
  const { sweep } = experiment;
  if (sweep === undefined || path[0] !== 'stages' || path[1] !== sweep.stage) return '';
  const axis = sweep.space.find((other) => other.path === path.slice(2).join('.'));
  return axis === undefined ? '' : `${inWords(axis.distribution)}; the sweep takes the place of the value`;
}

function inWords(distribution: Distribution): string {
  if (distribution.kind === 'choice')
    return `choice of ${distribution.values.map((v) => JSON.stringify(v)).join(', ')}`;
  const { kind, low, high, step } = distribution;
  return `${kind} from ${low} to ${high}${step === undefined ? '' : ` in steps of ${step}`}`;
}

/** Every key that can be asked for, short where it is one of a stage. */
function knownPaths(experiment: Experiment, config: Record<string, unknown>, stages: Registry): readonly string[] {
  const found = new Set<string>(Object.keys(config));
  for (const path of experiment.origins.keys()) found.add(path.replace(/^stages\./, ''));
  for (const stage of experiment.stages) {
    found.add(stage.name);
    const definition = stages.get(stage.use);
    const names = definition === undefined ? {} : jsonSchemaOf(definition.params).properties;
    for (const name of Object.keys(names ?? {})) found.add(`${stage.name}.${name}`);
  }
  return [...found];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  // Axes of a search space have dots in their names.
  for (let n = 1; n <= path.length; n++) {
    const key = path.slice(0, n).join('.');
    if (!Object.hasOwn(value, key)) continue;
    const found = valueAt((value as Record<string, unknown>)[key], path.slice(n));
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
