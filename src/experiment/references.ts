// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar of references
/**
 * `${path.to.key}` takes the value of another key, `${env:NAME}` or `${env:NAME,default}` a variable of the
 * environment. As the whole of a value a reference keeps the type; inside a text it is written out. `$${` is a
 * plain `${`.
 */
import { type KnownKeys, pathOf, suggestion } from './overrides.ts';
import { numberFault, plainScalar } from './parse.ts';
import type { Problems, Spot } from './problems.ts';
import { childOf, type Dict, type Entry, type Leaf, type Path, type Scalar, type Tree } from './tree.ts';
import type { Origin } from './types.ts';

/** Variables that may hold secrets: an experiment is written into its run's folder, where others read it. */
const secret = /KEY|TOKEN|SECRET|PASSWORD/i;

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The default of a parameter that the file leaves out, so that it can be named too. */
  readonly defaultAt: (tree: Tree, path: Path) => unknown;
  /** For did-you-mean. */
  readonly known: KnownKeys;
}

/** Replaces every reference. What cannot be resolved becomes a leaf marked `broken`. */
export function resolveReferences(root: Dict, sources: ReferenceSources, problems: Problems): Dict {
  const done = new Map<Tree, Tree>();
  const visiting: { node: Tree; path: Path }[] = [];

  const resolve = (node: Tree, path: Path): Tree => {
    const known = done.get(node);
    if (known !== undefined) return known;
    const start = visiting.findIndex((other) => other.node === node);
    if (start !== -1) {
      const round = [...visiting.slice(start).map((v) => v.path.join('.')), path.join('.')];
      // Containers on the way say nothing new: of a -> b -> b.c -> a the b goes.
      const names = round.filter(
        (name, i) => i === 0 || i === round.length - 1 || !round[i + 1]?.startsWith(`${name}.`),
      );
      problems.add(node.spot, `references go round in a circle: ${names.join(' -> ')}`);
      return brokenLeaf(node.spot);
    }
    visiting.push({ node, path });
    const result = resolveInside(node, path);
    visiting.pop();
    done.set(node, result);
    return result;
  };

  const resolveInside = (node: Tree, path: Path): Tree => {
    if (node.kind === 'list') {
      return { ...node, items: node.items.map((item, i) => resolve(item, [...path, String(i)])) };
    }
    if (node.kind === 'map') {
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) {
        entries.set(key, { key: entry.key, value: resolve(entry.value, [...path, key]) });
      }
      return { ...node, entries };
    }
    return typeof node.value === 'string' && node.value.includes('${') ? resolveText(node, node.value) : node;
  };

  const resolveText = (leaf: Leaf, text: string): Tree => {
    const parts = split(text);
    if (parts === undefined) {
      problems.add(leaf.spot, 'a reference is not closed: ${ without }', 'for the characters themselves write $${');
      return brokenLeaf(leaf.spot);
    }
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only !== undefined && typeof only !== 'string') return lookUp(only.name, leaf.spot);
    let value = '';
    let origin: Origin = leaf.spot.origin;
    let broken = false;
    for (const part of parts) {
      if (typeof part === 'string') {
        value += part;
        continue;
      }
      const found = lookUp(part.name, leaf.spot);
      origin = found.spot.origin;
      if (found.kind === 'leaf') {
        broken ||= found.broken === true;
        value += String(found.value);
      } else {
        broken = true;
        problems.add(leaf.spot, `\${${part.name}} is a ${found.kind} and cannot stand inside a text`);
      }
    }
    if (broken) return brokenLeaf(leaf.spot);
    return { kind: 'leaf', value, spot: { ...leaf.spot, origin } };
  };

  const lookUp = (name: string, spot: Spot): Tree => {
    if (name.startsWith('env:')) return fromEnvironment(name.slice(4), spot);
    const path = pathOf(root, name);
    const found = find(path);
    if (found === undefined) {
      problems.add(spot, `\${${name}} names nothing`, suggestion(root, path, sources.known));
      return brokenLeaf(spot);
    }
    return { ...movedTo(found, { kind: 'reference', to: path.join('.'), at: spot.origin }, spot) };
  };

  /** Walks resolved values where the way leads through another reference. */
  const find = (path: Path): Tree | undefined => {
    let node: Tree = root;
    for (const [i, key] of path.entries()) {
      const inner: Tree = node.kind === 'leaf' ? resolve(node, path.slice(0, i)) : node;
      const child = childOf(inner, key);
      if (child === undefined) return fromDefault(path);
      node = child;
    }
    return resolve(node, path);
  };

  const fromDefault = (path: Path): Tree | undefined => {
    const value = sources.defaultAt(root, path);
    return value === undefined ? undefined : treeOf(value, { origin: { kind: 'default' }, column: 1, width: 1 });
  };

  const fromEnvironment = (text: string, spot: Spot): Tree => {
    const comma = text.indexOf(',');
    const name = (comma === -1 ? text : text.slice(0, comma)).trim();
    if (secret.test(name)) {
      problems.add(
        spot,
        `\${env:${name}} may hold a secret`,
        'a run keeps its experiment where others read it; hand secrets to programs through their own environment',
      );
      return brokenLeaf(spot);
    }
    const set = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined;
    if (set === undefined && comma === -1) {
      problems.add(spot, `the environment has no variable ${name}`, `with a default: \${env:${name},value}`);
      return brokenLeaf(spot);
    }
    const source = set ?? text.slice(comma + 1).trim();
    const value = plainScalar(source);
    const fault = typeof value === 'number' ? numberFault(value, source) : undefined;
    if (fault !== undefined) {
      problems.add(spot, `\${env:${name}}: ${fault.message}`);
      return brokenLeaf(spot);
    }
    const origin: Origin = { kind: 'env', name, fellBack: set === undefined, at: spot.origin };
    return { kind: 'leaf', value, spot: { ...spot, origin } };
  };

  return resolve(root, []) as Dict;
}

/** Texts and references of a value, in order; undefined if a reference is not closed. */
function split(text: string): (string | { name: string })[] | undefined {
  const parts: (string | { name: string })[] = [];
  let plain = '';
  for (let i = 0; i < text.length; ) {
    if (text.startsWith('$${', i)) {
      plain += '${';
      i += 3;
    } else if (text.startsWith('${', i)) {
      const end = text.indexOf('}', i);
      if (end === -1) return undefined;
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push({ name: text.slice(i + 2, end).trim() });
      i = end + 1;
    } else {
      plain += text[i];
      i++;
    }
  }
  if (plain !== '') parts.push(plain);
  return parts;
}

function brokenLeaf(spot: Spot): Leaf {
  return { kind: 'leaf', value: null, spot, broken: true };
}

/** A copy that says it stands where the reference stands. */
function movedTo(tree: Tree, origin: Origin, spot: Spot): Tree {
  const here: Spot = { ...spot, origin };
  if (tree.kind === 'leaf') return { ...tree, spot: here };
  if (tree.kind === 'list')
    return { ...tree, items: tree.items.map((item) => movedTo(item, origin, spot)), spot: here };
  const entries = new Map<string, Entry>();
  for (const [key, entry] of tree.entries) entries.set(key, { key: here, value: movedTo(entry.value, origin, spot) });
  return { kind: 'map', entries, spot: here };
}

/** Plain data as a tree of one spot. */
function treeOf(value: unknown, spot: Spot): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => treeOf(item, spot)), spot };
  if (typeof value === 'object' && value !== null) {
    const entries = new Map(
      Object.entries(value).map(([key, item]) => [key, { key: spot, value: treeOf(item, spot) }]),
    );
    return { kind: 'map', entries, spot };
  }
  return { kind: 'leaf', value: value as Scalar, spot };
}
