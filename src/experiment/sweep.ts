/** Checks a sweep: its stage, its search space against the stage's parameters, its sampler. */
import type { z } from 'zod';
import { isBroken, issueInWords, reportIssues } from './issues.ts';
import { didYouMean, nearest } from './nearest.ts';
import { jsonSchemaOf, keysAt, propertyAt } from './parameters.ts';
import type { Problems, Spot } from './problems.ts';
import { type rootSchema, samplerSchemas } from './schema.ts';
import { mostDimensions } from './sobol.ts';
import { distributionKinds, extremes, gridSize, type RangeKind } from './space.ts';
import type { CheckedStage } from './stages.ts';
import { closestSpot, type Dict, keySpotAt, nodeAt, type Tree, toPlain } from './tree.ts';
import type { Distribution, Sampler, SpaceAxis, Sweep } from './types.ts';

type Written = NonNullable<z.infer<typeof rootSchema>['sweep']>;

const mostTrials = 100_000;

/**
 * @param written the sweep if its own keys are right
 * @returns undefined if there is none, or it is wrong
 */
export function checkSweep(
  tree: Tree,
  written: Written | undefined,
  stages: ReadonlyMap<string, CheckedStage>,
  names: ReadonlySet<string>,
  problems: Problems,
): Sweep | undefined {
  if (nodeAt(tree, ['sweep'])?.kind !== 'map' || isBroken(tree, ['sweep'])) return undefined;
  const name = nodeAt(tree, ['sweep', 'stage']);
  const stage = name?.kind === 'leaf' && typeof name.value === 'string' ? name.value : undefined;
  if (name !== undefined && stage !== undefined && !names.has(stage)) {
    problems.add(name.spot, `sweep.stage: there is no stage ${stage}`, didYouMean(stage, names, 'stages'));
  }
  const outputs = stages.get(stage ?? '')?.definition.outputs;
  if (name !== undefined && outputs !== undefined && !Object.values(outputs).some(({ kind }) => kind === 'metrics')) {
    problems.add(name.spot, `sweep.stage: ${stage} makes no metrics to choose by`);
  }
  const samplerNode = nodeAt(tree, ['sweep', 'sampler']);
  const spaceNode = nodeAt(tree, ['sweep', 'space']);
  const sampler = samplerNode?.kind === 'map' ? samplerOf(tree, samplerNode, problems) : undefined;
  const space = spaceNode?.kind === 'map' ? spaceOf(spaceNode, stages.get(stage ?? ''), problems) : undefined;
  if (sampler === undefined || space === undefined || spaceNode === undefined) return undefined;
  if (sampler.use === 'grid') checkGrid(tree, space, spaceNode.spot, problems);
  if (sampler.use === 'sobol' && space.length > mostDimensions) {
    const message = `sobol has ${mostDimensions} dimensions, and the space has ${space.length}`;
    problems.add(spaceNode.spot, message, 'use: random has no limit');
  }
  if (written === undefined) return undefined;
  const { metric, replicates } = written;
  return { stage: written.stage, metric, space, sampler, replicates };
}

function samplerOf(tree: Tree, node: Dict, problems: Problems): Sampler | undefined {
  const names = Object.keys(samplerSchemas);
  const written = toPlain(node) as Record<string, unknown>;
  const spot = closestSpot(tree, ['sweep', 'sampler']);
  const use = written['use'];
  if (typeof use !== 'string') {
    problems.add(spot, 'sweep.sampler: use is missing', `samplers: ${names.join(', ')}`);
    return undefined;
  }
  if (!Object.hasOwn(samplerSchemas, use)) {
    const where = nodeAt(tree, ['sweep', 'sampler', 'use'])?.spot ?? spot;
    problems.add(where, `sweep.sampler: there is no sampler ${use}`, didYouMean(use, names, 'samplers'));
    return undefined;
  }
  const schema = samplerSchemas[use as keyof typeof samplerSchemas];
  const parsed = schema.safeParse(written);
  if (parsed.success) return parsed.data;
  const base = ['sweep', 'sampler'];
  reportIssues(parsed.error.issues, {
    tree,
    base,
    schema: () => jsonSchemaOf(schema),
    keyLabel: `setting of ${use}`,
    problems,
  });
  return undefined;
}

function spaceOf(node: Dict, stage: CheckedStage | undefined, problems: Problems): SpaceAxis[] | undefined {
  const space: SpaceAxis[] = [];
  let failed = false;
  if (node.entries.size === 0) {
    problems.add(node.spot, 'sweep.space is empty');
    return undefined;
  }
  for (const [path, entry] of node.entries) {
    if (stage !== undefined && !isParameter(stage, path, entry.key, problems)) failed = true;
    const distribution = distributionOf(path, entry.value, problems);
    if (distribution === undefined) {
      failed = true;
      continue;
    }
    if (stage !== undefined) checkValues(stage, path, distribution, entry.value, problems);
    space.push({ path, distribution });
  }
  return failed ? undefined : space;
}

function isParameter(stage: CheckedStage, path: string, spot: Spot, problems: Problems): boolean {
  const root = jsonSchemaOf(stage.definition.params);
  const words = path.split('.');
  if (propertyAt(root, words) !== undefined) return true;
  for (let depth = 0; depth < words.length; depth++) {
    const keys = keysAt(root, words.slice(0, depth));
    const word = words[depth] as string;
    if (keys.open) return true;
    if (keys.names.includes(word)) continue;
    const guess = nearest(word, keys.names);
    const better =
      guess === undefined ? undefined : [...words.slice(0, depth), guess, ...words.slice(depth + 1)].join('.');
    const hint = better === undefined ? didYouMean(word, keys.names, 'parameters') : `did you mean ${better}?`;
    problems.add(spot, `sweep.space: ${path} is no parameter of ${stage.definition.name}`, hint);
    return false;
  }
  return true;
}

function distributionOf(path: string, value: Tree, problems: Problems): Distribution | undefined {
  const label = `sweep.space.${path}`;
  const names = ['choice', ...distributionKinds];
  if (value.kind !== 'map') {
    const hint = value.kind === 'list' ? `for these values: { choice: ${JSON.stringify(toPlain(value))} }` : undefined;
    problems.add(
      value.spot,
      `${label}: expected a distribution, e.g. { choice: [...] } or { uniform: [low, high] }`,
      hint,
    );
    return undefined;
  }
  const keys = [...value.entries.keys()];
  const kinds = keys.filter((key) => names.includes(key));
  const unknown = keys.find((key) => !names.includes(key) && key !== 'step' && key !== 'steps');
  if (unknown !== undefined) {
    const what = kinds.length === 0 ? `there is no distribution ${unknown}` : `${unknown} is not known here`;
    const hint = didYouMean(unknown, kinds.length === 0 ? names : ['step', 'steps']);
    problems.add(value.entries.get(unknown)?.key ?? value.spot, `${label}: ${what}`, hint);
    return undefined;
  }
  const kind = kinds[0];
  const entry = kind === undefined ? undefined : value.entries.get(kind);
  if (kinds.length !== 1 || kind === undefined || entry === undefined) {
    problems.add(value.spot, `${label}: expected one distribution: ${names.join(', ')}`);
    return undefined;
  }
  if (kind === 'choice') return choiceOf(label, value, entry.value, problems);
  return rangeOf(label, kind as RangeKind, value, entry.value, problems);
}

function choiceOf(label: string, whole: Dict, list: Tree, problems: Problems): Distribution | undefined {
  for (const key of ['step', 'steps']) {
    const extra = whole.entries.get(key);
    if (extra !== undefined) problems.add(extra.key, `${label}: ${key} goes with a range, not with choice`);
  }
  if (list.kind !== 'list' || list.items.length === 0) {
    problems.add(list.spot, `${label}: choice takes a list of one or more values`);
    return undefined;
  }
  return { kind: 'choice', values: list.items.map(toPlain) };
}

function rangeOf(
  label: string,
  kind: RangeKind,
  whole: Dict,
  list: Tree,
  problems: Problems,
): Distribution | undefined {
  const plain = toPlain(list);
  const [low, high] = Array.isArray(plain) && plain.length === 2 ? (plain as unknown[]) : [];
  if (typeof low !== 'number' || typeof high !== 'number') {
    problems.add(list.spot, `${label}: ${kind} takes two numbers: [low, high]`);
    return undefined;
  }
  const isWhole = kind === 'int' || kind === 'logint';
  let fault: string | undefined;
  if (!(low < high)) fault = `${low} is not below ${high}`;
  else if (isWhole && !(Number.isSafeInteger(low) && Number.isSafeInteger(high))) fault = `${kind} takes whole numbers`;
  else if (kind === 'loguniform' && !(low > 0)) fault = 'a logarithm needs numbers above 0';
  else if (kind === 'logint' && !(low >= 1)) fault = 'logint starts at 1 or more';
  if (fault !== undefined) {
    problems.add(list.spot, `${label}: ${fault}`);
    return undefined;
  }
  const step = optionOf(
    label,
    'step',
    whole,
    (n) => n > 0 && n <= high - low && (!isWhole || Number.isInteger(n)),
    problems,
  );
  const steps = optionOf(label, 'steps', whole, (n) => Number.isInteger(n) && n >= 2 && n <= mostTrials, problems);
  return { kind, low, high, ...(step === undefined ? {} : { step }), ...(steps === undefined ? {} : { steps }) };
}

function optionOf(
  label: string,
  key: 'step' | 'steps',
  whole: Dict,
  valid: (n: number) => boolean,
  problems: Problems,
): number | undefined {
  const entry = whole.entries.get(key);
  if (entry === undefined) return undefined;
  const value = toPlain(entry.value);
  if (typeof value === 'number' && valid(value)) return value;
  const expected =
    key === 'steps' ? 'a whole number, 2 or more' : 'a distance that fits into the range (whole for int)';
  problems.add(entry.value.spot, `${label}: ${key} is ${expected}`);
  return undefined;
}

/** Every choice, and the ends of every range, must be good values of the parameter. */
function checkValues(
  stage: CheckedStage,
  path: string,
  distribution: Distribution,
  node: Tree,
  problems: Problems,
): void {
  const words = path.split('.');
  for (const [i, value] of extremes(distribution).entries()) {
    const parsed = stage.definition.params.safeParse(withValue(stage.rawParams, words, value));
    if (parsed.success) continue;
    // Of the whole set of parameters only what concerns this one: the others may be wrong for reasons of their own.
    const own = parsed.error.issues.filter((issue) => words.every((word, k) => String(issue.path[k]) === word));
    if (own.length === 0) continue;
    const list = node.kind === 'map' ? node.entries.get(distribution.kind)?.value : undefined;
    const spot = (list?.kind === 'list' ? list.items[i]?.spot : undefined) ?? node.spot;
    const reason = issueInWords(own[0] as z.core.$ZodIssue, () => jsonSchemaOf(stage.definition.params));
    problems.add(spot, `sweep.space.${path}: ${JSON.stringify(value)} is no value of ${path}: ${reason}`);
  }
}

function withValue(
  params: Readonly<Record<string, unknown>>,
  [head, ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const key = head as string;
  if (rest.length === 0) return { ...params, [key]: value };
  const inner = params[key];
  const below = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  return { ...params, [key]: withValue(below, rest, value) };
}

function checkGrid(tree: Tree, space: readonly SpaceAxis[], spot: Spot, problems: Problems): void {
  let total = 1;
  for (const { path, distribution } of space) {
    const size = gridSize(distribution);
    if (size === undefined) {
      const where = keySpotAt(tree, ['sweep', 'space', path]) ?? spot;
      problems.add(
        where,
        `sweep.space.${path}: a grid needs to know how many points of this range to take`,
        'add steps: 5',
      );
      return;
    }
    total *= size;
  }
  if (total > mostTrials)
    problems.add(spot, `the grid has ${total} points, more than ${mostTrials}`, 'use: sobol takes a number of trials');
}
