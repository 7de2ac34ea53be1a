/** An experiment as written: values that know where they stand. Between YAML text and checked plain data. */
import type { Spot } from './problems.ts';

export type Scalar = string | number | boolean | null;

export interface Leaf {
  readonly kind: 'leaf';
  readonly value: Scalar;
  readonly spot: Spot;
  /** True if it stands for something that could not be resolved; the error is reported already. */
  readonly broken?: true;
}
interface List {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly spot: Spot;
}
export interface Entry {
  /** Where the key stands. */
  readonly key: Spot;
  readonly value: Tree;
}
export interface Dict {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly spot: Spot;
}
export type Tree = Leaf | List | Dict;

/** Keys and list indices from the root. */
export type Path = readonly string[];

export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

/** Values alone. A key `__proto__` becomes an own property like any other. */
export function toPlain(tree: Tree): Plain {
  if (tree.kind === 'leaf') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toPlain);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toPlain(entry.value)]));
}

/** The child of a map or list by key or index. */
export function childOf(tree: Tree, key: string): Tree | undefined {
  if (tree.kind === 'map') return tree.entries.get(key)?.value;
  if (tree.kind === 'list') return /^(0|[1-9][0-9]*)$/.test(key) ? tree.items[Number(key)] : undefined;
  return undefined;
}

export function nodeAt(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const key of path) {
    if (node === undefined) return undefined;
    node = childOf(node, key);
  }
  return node;
}

/** Where the key stands that a path ends with; of list items the item itself; undefined if there is nothing. */
export function keySpotAt(tree: Tree, path: Path): Spot | undefined {
  const parent = nodeAt(tree, path.slice(0, -1));
  const last = path.at(-1);
  if (last === undefined) return tree.spot;
  if (parent?.kind === 'map') return parent.entries.get(last)?.key;
  return parent === undefined ? undefined : childOf(parent, last)?.spot;
}

/** The spot of the deepest part of a path that exists: where to point when something is missing. */
export function closestSpot(tree: Tree, path: Path): Spot {
  for (let depth = path.length; depth > 0; depth--) {
    const spot = keySpotAt(tree, path.slice(0, depth));
    if (spot !== undefined) return spot;
  }
  return tree.spot;
}

/** A copy with the value at a path replaced, added or (undefined) removed. Maps on the way are made where missing. */
export function withNode(tree: Tree, path: Path, value: Tree | undefined, key: Spot): Tree {
  const [head, ...rest] = path;
  if (head === undefined) return value ?? tree;
  if (tree.kind === 'list') {
    const items = tree.items.flatMap((item, i) => {
      if (String(i) !== head) return [item];
      if (rest.length > 0) return [withNode(item, rest, value, key)];
      return value === undefined ? [] : [value];
    });
    return { ...tree, items };
  }
  const entries = new Map(tree.kind === 'map' ? tree.entries : []);
  const old = entries.get(head);
  if (rest.length > 0) {
    const child = old?.value ?? { kind: 'map', entries: new Map(), spot: key };
    entries.set(head, { key: old?.key ?? key, value: withNode(child, rest, value, key) });
  } else if (value === undefined) {
    entries.delete(head);
  } else {
    entries.set(head, { key, value });
  }
  return { kind: 'map', entries, spot: tree.spot };
}

/** Every leaf with its path; empty maps and lists count as leaves. */
export function* leavesOf(tree: Tree, path: Path = []): Generator<{ path: Path; node: Tree }> {
  if (tree.kind === 'map' && tree.entries.size > 0) {
    for (const [key, entry] of tree.entries) yield* leavesOf(entry.value, [...path, key]);
  } else if (tree.kind === 'list' && tree.items.length > 0) {
    for (const [i, item] of tree.items.entries()) yield* leavesOf(item, [...path, String(i)]);
  } else {
    yield { path, node: tree };
  }
}
