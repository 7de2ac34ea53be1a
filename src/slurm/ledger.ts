/** The ledger of a run: which arrays were submitted for which tasks. Appended to by `submit` alone. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from '../store/files.ts';
import type { RunPaths } from '../store/layout.ts';

export interface LedgerEntry {
  readonly job: number;
  /** Round of the array; null for the collecting job. */
  readonly round: number | null;
  readonly offset: number;
  readonly indices: string;
  readonly tasksPerJob: number;
  /** ISO 8601 UTC. */
  readonly submittedAt: string;
}

function fileOf(paths: RunPaths): string {
  return path.join(paths.slurm, 'ledger.jsonl');
}

export async function readLedger(paths: RunPaths): Promise<LedgerEntry[]> {
  const text = await readFile(fileOf(paths), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerEntry);
}

export async function addToLedger(paths: RunPaths, entry: LedgerEntry): Promise<void> {
  const before = await readLedger(paths);
  await writeAtomically(fileOf(paths), [...before, entry].map((one) => `${JSON.stringify(one)}\n`).join(''));
}
