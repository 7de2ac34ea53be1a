/** Where each task of a submitted run stands: markers first, then the queue, then accounting; else it is unknown. */
import { readStates } from '../run/states.ts';
import type { RunPaths } from '../store/layout.ts';
import { type LedgerEntry, readLedger } from './ledger.ts';
import { accounted, liveIndices, type SlurmEffects } from './scheduler.ts';

export type SlurmState =
  | 'done'
  | 'failed'
  | 'interrupted'
  | 'running'
  | 'queued'
  | 'ended'
  | 'not submitted'
  | 'unknown';

/** Counts by round and state. */
export async function slurmStatus(
  paths: RunPaths,
  tasks: readonly number[],
  effects: SlurmEffects,
): Promise<Map<SlurmState, number>[]> {
  const ledger = await readLedger(paths);
  const live = await liveIndices(effects).catch(() => undefined);
  const jobs = [...new Set(ledger.map((entry) => entry.job))];
  const history = await accounted(effects, jobs);
  const rounds: Map<SlurmState, number>[] = [];
  for (const [round, count] of tasks.entries()) {
    const markers = await readStates(paths, round);
    const counts = new Map<SlurmState, number>();
    for (let index = 0; index < count; index++) {
      const marker = markers.get(index);
      const queued = stateInQueue(ledger, round, index, live, history);
      // A marker of an earlier attempt does not hide that the task is at work again.
      const state =
        marker === 'done' ? 'done' : queued === 'running' || queued === 'queued' ? queued : (marker ?? queued);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    rounds.push(counts);
  }
  return rounds;
}

function stateInQueue(
  ledger: readonly LedgerEntry[],
  round: number,
  index: number,
  live: ReadonlyMap<string, string> | undefined,
  history: ReadonlyMap<string, string> | undefined,
): SlurmState {
  const entries = ledger.filter(
    (entry) => entry.round === round && covers(entry, Math.floor(index / entry.tasksPerJob)),
  );
  if (entries.length === 0) return 'not submitted';
  for (const entry of entries.toReversed()) {
    const id = `${entry.job}_${Math.floor(index / entry.tasksPerJob) - entry.offset}`;
    const state = live?.get(id);
    if (state !== undefined) return state === 'PENDING' ? 'queued' : 'running';
    if (history?.has(id)) return 'ended';
  }
  // Absent from the queue is not finished: cancelled pending indices vanish without a trace.
  return 'unknown';
}

function covers(entry: LedgerEntry, slot: number): boolean {
  return entry.indices.split(',').some((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return slot - entry.offset >= first && slot - entry.offset <= last;
  });
}
