/** Checks a sweep: its stage, its search space against the stage's parameters, its sampler. */
import type { z } from 'zod';
import { isBroken, reportIssues } from './issues.ts';
import { didYouMean, nearest } from './nearest.ts';
import { jsonSchemaOf, keysAt, propertyAt, typeInWords } from './parameters.ts';
import type { Problems, Spot } from './problems.ts';
import { type rootSchema, samplerSchemas } from './schema.ts';
import { mostDimensions } from './sobol.ts';
import { distributionKinds, extremes, gridSize, type RangeKind } from './space.ts';
import type { CheckedStage } from './stages.ts';
import { closestSpot, type Dict, keySpotAt, nodeAt, type Tree, toPlain } from './tree.ts';
import type { Distribution, Sampler, SpaceAxis, Sweep } from './types.ts';

type Written = NonNullable<z.infer<typeof rootSchema>['sweep']>;

const mostTrials = 100_000;

export function checkSweep(
  tree: Tree,
  written: Written,
  stages: ReadonlyMap<string, CheckedStage>,
  names: ReadonlySet<string>,
  problems: Problems,
): Sweep | undefined {
  const at = (...path: string[]): Spot =>
    nodeAt(tree, ['sweep', ...path])?.spot ?? closestSpot(tree, ['sweep', ...path]);
  if (isBroken(tree, ['sweep'])) return undefined;
  if (!names.has(written.stage)) {
    const hint = didYouMean(written.stage, names, 'stages');
    problems.add(at('stage'), `sweep.stage: there is no stage ${written.stage}`, hint);
  }
  const sampler = samplerOf(tree, written.sampler, at('sampler'), problems);
  const space = spaceOf(tree, stages.get(written.stage), problems);
  if (sampler === undefined || space === undefined) return undefined;
  if (sampler.use === 'grid') checkGrid(tree, space, at('space'), problems);
  if (sampler.use === 'sobol' && space.length > mostDimensions) {
    problems.add(
      at('space'),
      `sobol has ${mostDimensions} dimensions, and the space has ${space.length}`,
      'use: random',
    );
  }
  const { stage, metric, replicates } = written;
  return { stage, metric, space, sampler, replicates };
}

function samplerOf(tree: Tree, written: Record<string, unknown>, spot: Spot, problems: Problems): Sampler | undefined {
  const names = Object.keys(samplerSchemas);
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

function spaceOf(tree: Tree, stage: CheckedStage | undefined, problems: Problems): SpaceAxis[] | undefined {
  const node = nodeAt(tree, ['sweep', 'space']) as Dict;
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
    const hint = didYouMean(unknown, [...names, 'step', 'steps'], 'distributions');
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
    const reason = reasonOf(own, value, words, stage);
    problems.add(spot, `sweep.space.${path}: ${JSON.stringify(value)} is no value of ${path}: ${reason}`);
  }
}

/** The first issue in words, with the value standing where the parameter would. */
function reasonOf(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  words: readonly string[],
  stage: CheckedStage,
): string {
  const root = jsonSchemaOf(stage.definition.params);
  const property = propertyAt(root, words);
  const expected = property === undefined ? undefined : typeInWords(property, root);
  const own = issues[0]?.message ?? '';
  if (issues[0]?.code === 'custom' || expected === undefined) return own;
  return `expected ${expected}${typeof value === 'object' ? `; ${own}` : ''}`;
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
