/**
 * Overrides on the command line, in Hydra's grammar: `key=value` changes, `+key=value` adds, `++key=value` does either,
 * `~key` deletes. `mtl.epochs` is short for `stages.mtl.epochs` where a stage is named mtl.
 */
import { merge } from './compose.ts';
import { labelOf } from './issues.ts';
import { didYouMean, nearest } from './nearest.ts';
import type { Keys } from './parameters.ts';
import { numberFault, parseText, plainScalar } from './parse.ts';
import { describeOrigin, type Problems, type Spot } from './problems.ts';
import { childOf, type Dict, keySpotAt, nodeAt, type Path, type Tree, withNode } from './tree.ts';

/** The keys of an experiment file. */
export const rootKeys = [
  'base',
  'name',
  'title',
  'question',
  'about',
  'seed',
  'stages',
  'sweep',
  'resources',
  'report',
  'onError',
] as const;

/** The keys there may be below a path, whether the file has them or not. */
export type KnownKeys = (tree: Tree, path: Path) => Keys;

/** Applies overrides one after another. */
export function applyOverrides(tree: Dict, overrides: readonly string[], known: KnownKeys, problems: Problems): Dict {
  let result: Tree = tree;
  for (const [i, text] of overrides.entries()) result = applyOne(result, text, i + 1, known, problems);
  return result as Dict;
}

function applyOne(tree: Tree, text: string, index: number, known: KnownKeys, problems: Problems): Tree {
  const spotAt = (offset: number, end: number): Spot => ({
    origin: { kind: 'override', index, text },
    column: offset + 1,
    width: Math.max(1, end - offset),
  });
  const prefix = /^(\+\+|\+|~)?/.exec(text)?.[0] ?? '';
  const equals = text.indexOf('=');
  const keyEnd = equals === -1 ? text.length : equals;
  const keySpot = spotAt(prefix.length, keyEnd);
  const key = text.slice(prefix.length, keyEnd).trim();
  if (key === '' || key.split('.').includes('')) {
    problems.add(keySpot, 'an override is key=value, +key=value, ++key=value or ~key');
    return tree;
  }
  const path = pathOf(tree, key);
  const exists = nodeAt(tree, path) !== undefined;

  if (prefix === '~') {
    if (equals !== -1) problems.add(spotAt(equals, text.length), `~${key} deletes and takes no value`);
    else if (!exists) problems.add(keySpot, `nothing to delete: ${key} is not set`, suggestion(tree, path, undefined));
    else return withNode(tree, path, undefined, keySpot);
    return tree;
  }
  if (equals === -1) {
    problems.add(keySpot, `an override needs a value: ${prefix}${key}=...`, `to delete the key: ~${key}`);
    return tree;
  }
  if (prefix === '+' && exists) {
    const where = describeOrigin((keySpotAt(tree, path) ?? keySpot).origin);
    problems.add(keySpot, `${key} is already set (${where})`, `to change it leave out the +: ${text.slice(1)}`);
    return tree;
  }
  const obstacle = blockedAt(tree, path);
  if (obstacle !== undefined) {
    problems.add(keySpot, `${obstacle} is one value and has no keys below it`);
    return tree;
  }
  if (prefix === '' && !exists && !known(tree, path.slice(0, -1)).names.includes(path.at(-1) as string)) {
    const hints = [suggestion(tree, path, known)];
    // Where only known keys are allowed, a + would not help.
    if (known(tree, path.slice(0, -1)).open) hints.push(`to add a key that is not in the file: +${text}`);
    problems.add(keySpot, `${key} is neither set nor known`, hints.filter((hint) => hint !== undefined).join('\n  '));
    return tree;
  }
  const value = parseValue(text.slice(equals + 1), spotAt, equals + 1, problems);
  if (value === undefined) return tree;
  const old = nodeAt(tree, path);
  return withNode(tree, path, old === undefined ? value : merge(old, value, path), keySpot);
}

/** Where a value is text as it stands: `question=Is it: #1?` needs no quotes, since no comment or map can follow. */
function parseValue(
  text: string,
  spotAt: (offset: number, end: number) => Spot,
  start: number,
  problems: Problems,
): Tree | undefined {
  if (/^\s*[[{"']/.test(text)) return parseText(text, (from, to) => spotAt(start + from, start + to), problems);
  const trimmed = text.trim();
  const spot = spotAt(start, start + text.length);
  const value = plainScalar(trimmed);
  const fault = typeof value === 'number' ? numberFault(value, trimmed) : undefined;
  if (fault === undefined) return { kind: 'leaf', value, spot };
  problems.add(spot, fault.message, fault.hint);
  return undefined;
}

/**
 * The path that a dotted key means. A first word that names a stage is short for `stages.<name>`; keys that contain
 * dots themselves (axes of a search space) are found as one.
 */
export function pathOf(tree: Tree, key: string): Path {
  const words = key.split('.');
  const first = words[0] as string;
  const isRoot = (rootKeys as readonly string[]).includes(first);
  if (!isRoot && nodeAt(tree, ['stages', first]) !== undefined) words.unshift('stages');
  const path: string[] = [];
  let node: Tree | undefined = tree;
  while (words.length > 0) {
    let taken = 1;
    if (path.join('.') === 'sweep.space') taken = axisWords(node, words);
    const word = words.splice(0, taken).join('.');
    path.push(word);
    node = node === undefined ? undefined : childOf(node, word);
  }
  return path;
}

/** How many words name an axis: as many as match one in the space, else all. */
function axisWords(space: Tree | undefined, words: readonly string[]): number {
  for (let n = words.length; n > 0; n--) {
    if (space !== undefined && childOf(space, words.slice(0, n).join('.')) !== undefined) return n;
  }
  return words.length;
}

/** The first part of a path that holds a single value though the path goes on. */
function blockedAt(tree: Tree, path: Path): string | undefined {
  for (let depth = 1; depth < path.length; depth++) {
    const node = nodeAt(tree, path.slice(0, depth));
    if (node?.kind === 'leaf' && node.value !== null) return path.slice(0, depth).join('.');
    if (node?.kind === 'list' && nodeAt(tree, path.slice(0, depth + 1)) === undefined)
      return path.slice(0, depth + 1).join('.');
  }
  return undefined;
}

/** A did-you-mean for the first part of a path that neither is there nor could be. */
export function suggestion(tree: Tree, path: Path, known: KnownKeys | undefined): string | undefined {
  for (let depth = 1; depth <= path.length; depth++) {
    const parent = path.slice(0, depth - 1);
    const word = path[depth - 1] as string;
    const node = nodeAt(tree, parent);
    const present = node?.kind === 'map' ? [...node.entries.keys()] : [];
    const names = new Set([...present, ...(known?.(tree, parent).names ?? [])]);
    if (names.has(word)) continue;
    if (depth === 1) {
      const stages = nodeAt(tree, ['stages']);
      if (stages?.kind === 'map') for (const name of stages.entries.keys()) names.add(name);
    }
    if (names.size === 0 && depth > 1) return `${labelOf(parent)} has no keys`;
    const guess = nearest(word, names);
    if (guess === undefined) return didYouMean(word, names);
    return `did you mean ${labelOf([...parent, guess, ...path.slice(depth)])}?`;
  }
  return undefined;
}
