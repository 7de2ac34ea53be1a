/** Checks the stages of an experiment one by one: method, parameters, engine. How they connect is in `wiring.ts`. */
import type { z } from 'zod';
import type { Axis, StageDefinition } from '../contract/stage.ts';
import { stageKeys } from './compose.ts';
import { isBroken, reportIssues } from './issues.ts';
import { nearest } from './nearest.ts';
import { rootKeys } from './overrides.ts';
import { jsonSchemaOf, keysAt } from './parameters.ts';
import type { Problems } from './problems.ts';
import { stageSchema } from './schema.ts';
import { closestSpot, type Dict, type Entry, type Path, type Plain, type Tree, toPlain } from './tree.ts';

export type Registry = ReadonlyMap<string, StageDefinition>;

/** A stage whose own keys are checked. `params` is undefined where they are wrong. */
export interface CheckedStage {
  readonly name: string;
  readonly definition: StageDefinition;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  /** As written, for the checks of sweeps. */
  readonly rawParams: Readonly<Record<string, Plain>>;
  /** Undefined where it is wrong. */
  readonly from: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly each: Axis | undefined;
  readonly whenMissing: 'stop' | 'skip';
  readonly engine: string | undefined;
  readonly description: string | undefined;
}

/** In file order. Stages with an unknown `use:` are left out; `names` has all of them. */
export function checkStages(
  tree: Tree,
  registry: Registry,
  problems: Problems,
): { stages: readonly CheckedStage[]; names: ReadonlySet<string> } {
  const node = tree.kind === 'map' ? tree.entries.get('stages')?.value : undefined;
  const names = new Set<string>();
  const stages: CheckedStage[] = [];
  if (node?.kind !== 'map') return { stages, names };
  if (node.entries.size === 0) problems.add(node.spot, 'an experiment needs at least one stage');
  for (const [name, entry] of node.entries) {
    names.add(name);
    const stage = checkStage(tree, name, entry, registry, problems);
    if (stage !== undefined) stages.push(stage);
  }
  return { stages, names };
}

function checkStage(
  tree: Tree,
  name: string,
  { key, value }: Entry,
  registry: Registry,
  problems: Problems,
): CheckedStage | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
    problems.add(key, `${name} cannot name a stage`, 'a name is a letter, then letters, digits, - and _');
  } else if ((rootKeys as readonly string[]).includes(name)) {
    problems.add(key, `a stage cannot be named ${name}: overrides could not tell it from the key of that name`);
  }
  if (isBroken(tree, ['stages', name, 'use'])) return undefined;
  if (value.kind !== 'map') {
    problems.add(value.spot, `${name}: a stage is a map: { use: ..., from: { ... }, parameters }`);
    return undefined;
  }
  const definition = definitionOf(name, value, key, registry, problems);
  if (definition === undefined) return undefined;

  const raw = toPlain(value) as Record<string, Plain>;
  // Asked only where the key is there: a JSON schema takes its milliseconds.
  const ownsEngine =
    'engine' in raw &&
    definition.engines === undefined &&
    keysAt(jsonSchemaOf(definition.params), []).names.includes('engine');
  const isCommon = (k: string): boolean =>
    (stageKeys as readonly string[]).includes(k) && !(k === 'engine' && ownsEngine);
  const rawParams = Object.fromEntries(Object.entries(raw).filter(([k]) => !isCommon(k)));
  const base = ['stages', name];

  const from = checkField('from', raw, tree, base, problems);
  const each = checkEach(raw, tree, base, problems);
  const whenMissing = checkField('whenMissing', raw, tree, base, problems);
  const description = checkField('description', raw, tree, base, problems);
  const params = definition.params.safeParse(rawParams);
  if (!params.success) {
    reportIssues(params.error.issues, {
      tree,
      base,
      schema: () => jsonSchemaOf(definition.params),
      extraKeys: stageKeys,
      keyLabel: `parameter of ${definition.name}`,
      problems,
    });
  }
  const engine = checkEngine(name, value, definition, ownsEngine, problems);
  return {
    name,
    definition,
    params: params.success ? (params.data as Record<string, unknown>) : undefined,
    rawParams,
    from,
    each,
    whenMissing: whenMissing ?? 'stop',
    engine,
    description,
  };
}

type Fields = typeof stageSchema.shape;

/** One key at a time: a fault in `each` must not hide what `from` says. Undefined where it is wrong. */
function checkField<K extends keyof Fields>(
  key: K,
  raw: Record<string, Plain>,
  tree: Tree,
  base: Path,
  problems: Problems,
): z.infer<Fields[K]> | undefined {
  const parsed = stageSchema.shape[key].safeParse(raw[key]);
  if (parsed.success) return parsed.data as z.infer<Fields[K]>;
  const schema = () => jsonSchemaOf(stageSchema.shape[key]);
  reportIssues(parsed.error.issues, { tree, base: [...base, key], schema, problems });
  return undefined;
}

function checkEach(raw: Record<string, Plain>, tree: Tree, base: Path, problems: Problems): Axis | undefined {
  const each = raw['each'];
  if (each !== 'trial' && each !== 'replicate') return checkField('each', raw, tree, base, problems);
  const spot = closestSpot(tree, [...base, 'each']);
  problems.add(spot, `${base[1]}: each: ${each} is not yours to set: the sweep makes trials and replicates`);
  return undefined;
}

function definitionOf(
  name: string,
  stage: Dict,
  key: Entry['key'],
  registry: Registry,
  problems: Problems,
): StageDefinition | undefined {
  const use = stage.entries.get('use');
  if (use === undefined) {
    problems.add(key, `${name}: use is missing`, 'name a method: use: train.mtl; fathom list shows them');
    return undefined;
  }
  const value = use.value.kind === 'leaf' ? use.value.value : undefined;
  const definition = typeof value === 'string' ? registry.get(value) : undefined;
  if (definition !== undefined) return definition;
  if (typeof value !== 'string') {
    problems.add(use.value.spot, `${name}.use: expected the name of a method`, 'fathom list shows them');
    return undefined;
  }
  const guess = nearest(value, registry.keys()) ?? sameFamily(value, registry);
  const hint = guess === undefined ? 'fathom list shows all of them' : `did you mean ${guess}?`;
  problems.add(use.value.spot, `${name}.use: there is no stage ${value}`, hint);
  return undefined;
}

/** `mtl` for `train.mtl`: the method without its family. */
function sameFamily(typed: string, registry: Registry): string | undefined {
  const found = [...registry.keys()].filter((name) => name.endsWith(`.${typed}`));
  return found.length === 1 ? found[0] : undefined;
}

function checkEngine(
  name: string,
  stage: Dict,
  definition: StageDefinition,
  ownsEngine: boolean,
  problems: Problems,
): string | undefined {
  const written = ownsEngine ? undefined : stage.entries.get('engine');
  if (definition.engines === undefined) {
    if (written !== undefined)
      problems.add(written.key, `${name}: ${definition.name} has one way only and takes no engine`);
    return undefined;
  }
  if (written === undefined) return 'auto';
  const value = written.value.kind === 'leaf' ? written.value.value : undefined;
  const names = ['auto', ...definition.engines.map((engine) => engine.name)];
  if (typeof value !== 'string' || (written.value.kind === 'leaf' && written.value.broken)) return 'auto';
  if (names.includes(value)) return value;
  const guess = nearest(value, names);
  problems.add(
    written.value.spot,
    `${name}.engine: ${definition.name} has no engine ${value}`,
    guess === undefined ? `engines: ${names.join(', ')}` : `did you mean ${guess}?`,
  );
  return 'auto';
}
