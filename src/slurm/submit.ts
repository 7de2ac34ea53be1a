/** Submits what is missing of a run: all slots, less done, less queued or running. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { SlurmResources } from '../experiment/types.ts';
import { readStates } from '../run/states.ts';
import type { RunPaths } from '../store/layout.ts';
import { chunksOf, spellIndices, throttleOf } from './chunks.ts';
import { addToLedger, type LedgerEntry, readLedger } from './ledger.ts';
import type { Rendered } from './render.ts';
import { liveIndices, maxArraySize, type SlurmEffects, submit, testOnly } from './scheduler.ts';

export interface SubmitInput {
  readonly paths: RunPaths;
  readonly rendered: Rendered;
  /** Tasks of each round. */
  readonly tasks: readonly number[];
  readonly resources: SlurmResources;
  /** ISO 8601 UTC. */
  readonly now: string;
}

export interface Submitted {
  readonly arrays: readonly LedgerEntry[];
  readonly collect: number | null;
  /** Slots left alone because they are queued or running. */
  readonly live: number;
}

export async function submitRun(input: SubmitInput, effects: SlurmEffects): Promise<Submitted> {
  const { paths, rendered, resources } = input;
  const tasksPerJob = resources.tasksPerJob ?? 1;
  // Both may fail, and then nothing has been submitted.
  const [cap, live, ledger] = [await maxArraySize(effects), await liveIndices(effects), await readLedger(paths)];
  // The log folder must exist before: without it a job dies without a word.
  await mkdir(path.join(paths.slurm, 'logs'), { recursive: true });
  const arrays: LedgerEntry[] = [];
  let busy = 0;
  let before = liveJobs(ledger, live);
  for (const { round, file, slots } of rendered.rounds) {
    const running = liveSlots(ledger, live, round);
    busy += running.size;
    const done = await readStates(paths, round);
    const tasks = input.tasks[round] ?? 0;
    const missing: number[] = [];
    for (let slot = 0; slot < slots; slot++)
      if (!running.has(slot) && !allDone(done, slot, tasksPerJob, tasks)) missing.push(slot);
    const script = path.join(paths.slurm, file);
    const chunks = chunksOf(missing, cap);
    const jobs: number[] = [];
    for (const { offset, indices } of chunks) {
      const spelled = spellIndices(indices);
      const args = [`--array=${spelled}${throttleOf(resources.throttle, chunks.length)}`];
      // afterany: a task looks itself whether its inputs are there; afterok would wait for ever after one failure.
      if (before.length > 0) args.push(`--dependency=afterany:${before.join(':')}`);
      args.push(script, String(offset));
      await testOnly(effects, args);
      const job = await submit(effects, args);
      const entry: LedgerEntry = { job, round, offset, indices: spelled, tasksPerJob, submittedAt: input.now };
      await addToLedger(paths, entry);
      arrays.push(entry);
      jobs.push(job);
    }
    before = [...new Set([...before, ...jobs])];
  }
  if (arrays.length === 0) return { arrays, collect: null, live: busy };
  const collect = await submit(effects, [
    `--dependency=afterany:${before.join(':')}`,
    path.join(paths.slurm, rendered.collect.file),
  ]);
  await addToLedger(paths, {
    job: collect,
    round: null,
    offset: 0,
    indices: '',
    tasksPerJob: 1,
    submittedAt: input.now,
  });
  return { arrays, collect, live: busy };
}

function allDone(states: ReadonlyMap<number, string>, slot: number, tasksPerJob: number, tasks: number): boolean {
  for (let index = slot * tasksPerJob; index < Math.min(tasks, (slot + 1) * tasksPerJob); index++)
    if (states.get(index) !== 'done') return false;
  return true;
}

/** Slots of a round that the queue still holds. */
function liveSlots(ledger: readonly LedgerEntry[], live: ReadonlyMap<string, string>, round: number): Set<number> {
  const slots = new Set<number>();
  for (const entry of ledger.filter((one) => one.round === round))
    for (const id of live.keys()) {
      const [job, index] = id.split('_');
      if (Number(job) === entry.job) slots.add(entry.offset + Number(index));
    }
  return slots;
}

/** Arrays of this run of which anything is still queued or running. */
function liveJobs(ledger: readonly LedgerEntry[], live: ReadonlyMap<string, string>): number[] {
  const ids = new Set([...live.keys()].map((id) => Number(id.split('_')[0])));
  return ledger.filter((entry) => entry.round !== null && ids.has(entry.job)).map((entry) => entry.job);
}
