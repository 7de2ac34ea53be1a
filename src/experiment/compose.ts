/** `base:`: one experiment on top of others. Maps merge key by key, all else is replaced; the later file wins. */
import path from 'node:path';
import { fromSystemError } from '../errors.ts';
import { parseFile } from './parse.ts';
import type { Problems, Spot } from './problems.ts';
import type { Dict, Entry, Path, Tree } from './tree.ts';

/** Keys of a stage that stay when a later file changes its `use:`; the parameters belong to the method and go. */
export const stageKeys = ['use', 'from', 'each', 'whenMissing', 'engine', 'description'] as const;
const wiring: ReadonlySet<string> = new Set(stageKeys.filter((key) => key !== 'engine'));

export interface Composed {
  readonly tree: Dict;
  /** In the order they were merged, the experiment last. */
  readonly files: readonly string[];
}

/** Reads an experiment and its bases. Undefined if any of them could not be read; the problems say why. */
export async function compose(
  file: string,
  readFile: (file: string) => Promise<string>,
  problems: Problems,
): Promise<Composed | undefined> {
  const files: string[] = [];
  const known = new Map<string, Dict | undefined>();

  const load = async (name: string, chain: readonly string[], from: Spot | undefined): Promise<Dict | undefined> => {
    const cycle = chain.indexOf(name);
    if (cycle !== -1 && from !== undefined) {
      problems.add(from, `bases go round in a circle: ${[...chain.slice(cycle), name].join(' -> ')}`);
      return undefined;
    }
    if (known.has(name)) return known.get(name);
    const text = await readText(name, readFile, from, problems);
    if (text === undefined) return undefined;
    const own = parseFile(name, text, problems);
    const tree = own === undefined ? undefined : await onItsBases(name, own, [...chain, name]);
    known.set(name, tree);
    if (!files.includes(name)) files.push(name);
    return tree;
  };

  const onItsBases = async (name: string, own: Tree, chain: readonly string[]): Promise<Dict | undefined> => {
    if (own.kind !== 'map') {
      problems.add(own.spot, 'an experiment is a map of keys: name, stages, ...');
      return undefined;
    }
    const entries = new Map(own.entries);
    const base = entries.get('base');
    entries.delete('base');
    let merged: Tree | undefined;
    let failed = false;
    for (const { text, spot } of base === undefined ? [] : namesOf(base, problems)) {
      if (text === undefined) {
        failed = true;
        continue;
      }
      const below = path.isAbsolute(text) ? path.normalize(text) : path.join(path.dirname(name), text);
      const tree = await load(below, chain, spot);
      if (tree === undefined) failed = true;
      else merged = merged === undefined ? tree : merge(merged, tree);
    }
    if (failed) return undefined;
    const over: Dict = { kind: 'map', entries, spot: own.spot };
    return merged === undefined ? over : (merge(merged, over) as Dict);
  };

  const tree = await load(path.normalize(file), [], undefined);
  return tree === undefined ? undefined : { tree, files };
}

async function readText(
  name: string,
  readFile: (file: string) => Promise<string>,
  from: Spot | undefined,
  problems: Problems,
): Promise<string | undefined> {
  try {
    return await readFile(name);
  } catch (error) {
    const clear = fromSystemError(error, `cannot read ${from === undefined ? 'the experiment' : 'the base'} ${name}`);
    if (from === undefined || !(clear instanceof Error)) throw clear;
    problems.add(from, clear.message, 'bases are named relative to the folder of the file that names them');
    return undefined;
  }
}

/** The files that a `base:` names; `text` is undefined where an item is not a name. */
function namesOf(base: Entry, problems: Problems): { text: string | undefined; spot: Spot }[] {
  const items = base.value.kind === 'list' ? base.value.items : [base.value];
  return items.map((item) => {
    if (item.kind === 'leaf' && typeof item.value === 'string' && item.value !== '') {
      return { text: item.value, spot: item.spot };
    }
    problems.add(item.spot, 'base: expected the name of a file, or a list of them');
    return { text: undefined, spot: item.spot };
  });
}

/**
 * Lays one tree over another. Two exceptions to "maps merge": an axis of a search space is one value, and where
 * `use:` changes, the parameters of the old method go (a stage keeps its wiring).
 */
export function merge(base: Tree, over: Tree, at: Path = []): Tree {
  if (base.kind !== 'map' || over.kind !== 'map' || isAxis(at)) return over;
  const changed = usesOther(base, over);
  const entries = new Map<string, Entry>();
  for (const [key, entry] of base.entries) {
    if (!changed || (at[0] === 'stages' && wiring.has(key))) entries.set(key, entry);
  }
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    const value = below === undefined ? entry.value : merge(below.value, entry.value, [...at, key]);
    entries.set(key, { key: entry.key, value });
  }
  return { kind: 'map', entries, spot: over.spot };
}

function isAxis(at: Path): boolean {
  return at.length === 3 && at[0] === 'sweep' && at[1] === 'space';
}

function usesOther(base: Dict, over: Dict): boolean {
  const [a, b] = [base, over].map((dict) => dict.entries.get('use')?.value);
  return a?.kind === 'leaf' && b?.kind === 'leaf' && a.value !== b.value;
}
