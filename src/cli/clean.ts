/** `fathom clean`: what may go from the results. Dry unless told otherwise. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { EXIT } from '../errors.ts';
import { isRunFolder } from '../run/runs.ts';
import { listArtifacts, openStore } from '../store/store.ts';
import type { CliEffects } from './effects.ts';
import { resultsFolder } from './open.ts';

export interface CleanArgs {
  readonly results?: string | undefined;
  readonly yes: boolean;
  /** Runs kept of each experiment, newest first. */
  readonly keep: number;
  readonly json: boolean;
}

/** Nothing younger is touched: another run may be at it. */
const GRACE_MS = 3_600_000;

interface Removable {
  readonly what: string;
  readonly path: string;
  readonly bytes: number;
}

export async function clean(args: CleanArgs, effects: CliEffects): Promise<number> {
  const results = resultsFolder(args, effects);
  const found = await removable(results, args.keep, Date.now());
  if (args.yes) for (const one of found) await rm(one.path, { recursive: true, force: true });
  if (args.json) effects.out(JSON.stringify({ removed: args.yes, items: found }));
  else {
    for (const { what, path: file, bytes } of found)
      effects.out(`${what}  ${path.relative(effects.cwd, file)}  ${(bytes / 1e6).toFixed(1)} MB`);
    const total = found.reduce((sum, one) => sum + one.bytes, 0);
    effects.out(
      `${found.length} items, ${(total / 1e6).toFixed(1)} MB${args.yes ? ' removed' : found.length > 0 ? '; --yes removes them' : ''}`,
    );
  }
  return EXIT.ok;
}

async function removable(results: string, keep: number, now: number): Promise<Removable[]> {
  const store = openStore(results);
  const found: Removable[] = [];
  const add = async (what: string, file: string): Promise<void> => {
    found.push({ what, path: file, bytes: await sizeOf(file) });
  };
  const used = new Set<string>();
  /** Tasks that somebody is at: one that takes hours leaves no other trace. */
  const claimed = new Set<string>();
  for (const id of await entries(store.paths.claims)) {
    const beat = await stat(path.join(store.paths.claims, id)).catch(() => undefined);
    if (beat !== undefined && now - beat.mtimeMs <= GRACE_MS) claimed.add(id);
  }
  for (const experiment of (await entries(results)).filter((name) => name !== 'store')) {
    const runs: { folder: string; at: number }[] = [];
    for (const id of (await entries(path.join(results, experiment))).filter(isRunFolder)) {
      const folder = path.join(results, experiment, id);
      runs.push({ folder, at: await touchedAt(folder) });
    }
    runs.sort((a, b) => b.at - a.at);
    for (const [position, { folder, at }] of runs.entries()) {
      const tasks = await tasksOf(folder);
      const kept = position < keep || now - at <= GRACE_MS || tasks.some((id) => claimed.has(id));
      if (!kept) await add('old run', folder);
      else for (const id of tasks) used.add(id);
    }
  }
  for (const id of await listArtifacts(store)) {
    const folder = store.paths.artifact(id);
    if (!used.has(id) && now - (await stat(folder)).mtimeMs > GRACE_MS) await add('artifact of no run', folder);
  }
  for (const [what, folder] of [
    ['half-made artifact', store.paths.staging],
    ['spilled data', store.paths.scratch],
    ['dead claim', store.paths.claims],
    ['checkpoint', path.join(store.paths.root, 'checkpoints')],
  ] as const)
    for (const name of await entries(folder)) {
      const file = path.join(folder, name);
      const at = await stat(file).catch(() => undefined);
      const needed = what === 'checkpoint' && used.has(name);
      if (at !== undefined && !needed && now - at.mtimeMs > GRACE_MS) await add(what, file);
    }
  return found;
}

/** When a run last did anything: it writes its log and a marker for every task that ends. */
async function touchedAt(run: string): Promise<number> {
  const states = path.join(run, 'state');
  const places = [run, path.join(run, 'run.log'), path.join(run, 'plan')];
  for (const round of await entries(states)) places.push(path.join(states, round));
  const times = await Promise.all(
    places.map((place) =>
      stat(place).then(
        (found) => found.mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}

async function entries(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

async function tasksOf(run: string): Promise<string[]> {
  const ids: string[] = [];
  for (const name of (await entries(path.join(run, 'plan'))).filter((file) => file.endsWith('.jsonl')))
    for (const line of (await readFile(path.join(run, 'plan', name), 'utf8')).split('\n'))
      if (line !== '') ids.push((JSON.parse(line) as { id: string }).id);
  return ids;
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await entries(file)) sum += await sizeOf(path.join(file, name));
  return sum;
}
