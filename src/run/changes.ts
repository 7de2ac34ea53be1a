/** What is different from the last run of the same experiment. */
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Experiment } from '../experiment/types.ts';
import { runPaths } from '../store/layout.ts';
import type { Session } from './session.ts';

const MOST_LINES = 8;

/** Lines for a person; empty if there was no earlier run or this is the same one. */
export async function describeChanges(session: Session): Promise<string[]> {
  const folder = path.dirname(session.run);
  const last = await readlink(path.join(folder, 'latest')).catch(() => undefined);
  if (last === undefined || last === session.id) return [];
  let before: {
    experiment: Experiment;
    facts: { numerics: Record<string, string>; files: { path: string; sha256: string }[] };
  };
  let now: typeof before;
  try {
    before = JSON.parse(await readFile(runPaths(path.join(folder, last)).experiment, 'utf8')) as typeof before;
    await session.plan();
    now = JSON.parse(await readFile(session.paths.experiment, 'utf8')) as typeof before;
  } catch {
    return [];
  }
  const lines = [
    ...differences(flatten(before.experiment), flatten(now.experiment)),
    ...differences(before.facts.numerics, now.facts.numerics).map((line) => `code of ${line}`),
    ...differences(hashesOf(before.facts.files), hashesOf(now.facts.files)).map((line) => `content of ${line}`),
  ];
  if (lines.length === 0) return [];
  const more = lines.length > MOST_LINES ? [`  and ${lines.length - MOST_LINES} more`] : [];
  return [`changed since run ${last}, which stays:`, ...lines.slice(0, MOST_LINES).map((line) => `  ${line}`), ...more];
}

function hashesOf(files: readonly { path: string; sha256: string }[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.path, file.sha256.slice(0, 10)]));
}

function flatten(experiment: Experiment): Record<string, string> {
  const { seed, sweep, stages } = experiment;
  const flat: Record<string, string> = {};
  const walk = (value: unknown, at: string): void => {
    if (value !== null && typeof value === 'object')
      for (const [key, item] of Object.entries(value)) walk(item, at === '' ? key : `${at}.${key}`);
    else flat[at] = String(value);
  };
  walk({ seed, sweep: sweep ?? {} }, '');
  for (const stage of stages)
    walk(
      { use: stage.use, each: stage.each ?? '', engine: stage.engine ?? '', from: stage.from, ...stage.params },
      stage.name,
    );
  return flat;
}

function differences(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort((a, b) => (a < b ? -1 : 1));
  return keys
    .filter((key) => before[key] !== now[key])
    .map((key) => `${key}: ${before[key] ?? 'absent'} -> ${now[key] ?? 'absent'}`);
}
