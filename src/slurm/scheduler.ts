/** Talks to SLURM through its commands. What cannot be known stays unknown: an error is never read as "finished". */
import { FathomError } from '../errors.ts';

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Effects: commands, waiting, chance. */
export interface SlurmEffects {
  exec(command: string, args: readonly string[]): Promise<CommandResult>;
  sleep(ms: number): Promise<void>;
  /** Short text that no earlier submission has had. */
  unique(): string;
}

/** States in which a job is still to run or running. */
const LIVE_STATES = 'PD,R,CG,CF,S,RQ';
const SUBMIT_ATTEMPTS = 4;
const RETRY_MS = 5000;

/** Longest array plus one, from the configuration of the cluster. */
export async function maxArraySize(effects: SlurmEffects): Promise<number> {
  const { code, out, err } = await effects.exec('scontrol', ['show', 'config']);
  const found = /^MaxArraySize\s*=\s*(\d+)/m.exec(out);
  if (code !== 0 || found === null)
    throw new FathomError('unavailable', 'SLURM does not answer: `scontrol show config` failed', {
      hint: firstLine(err),
    });
  return Number(found[1]);
}

/** Array indices that are queued or running, as `<array id>_<index>`. Throws if squeue does not answer. */
export async function liveIndices(effects: SlurmEffects): Promise<Map<string, string>> {
  // -r: one line an index; without it long lists are cut in the middle of a number, without a mark.
  const { code, out, err } = await effects.exec('squeue', ['-h', '-r', '-t', LIVE_STATES, '-o', '%F_%K %T']);
  if (code !== 0)
    throw new FathomError('unavailable', 'squeue does not answer, so what is queued is unknown', {
      hint: `nothing was submitted. ${firstLine(err)}`,
    });
  const live = new Map<string, string>();
  for (const line of out.split('\n')) {
    const [id, state] = line.trim().split(/\s+/);
    if (id !== undefined && id !== '' && state !== undefined) live.set(id, state);
  }
  return live;
}

/** Says whether sbatch would take the job; throws SLURM's own reason if not. Makes no job. */
export async function testOnly(effects: SlurmEffects, args: readonly string[]): Promise<void> {
  const { code, err } = await effects.exec('sbatch', ['--test-only', ...args]);
  if (code !== 0)
    throw new FathomError('unavailable', `SLURM would refuse the job: ${firstLine(err)}`, {
      hint: 'check resources.slurm in the experiment',
    });
}

/**
 * Submits and returns the job id. After a time-out the job may have been taken all the same, and a second copy would
 * do everything twice: it is looked for by its comment before another attempt.
 */
export async function submit(effects: SlurmEffects, args: readonly string[]): Promise<number> {
  const comment = `fathom-${effects.unique()}`;
  let last = '';
  for (let attempt = 0; attempt < SUBMIT_ATTEMPTS; attempt++) {
    if (attempt > 0) {
      await effects.sleep(RETRY_MS * attempt);
      const { code, out, err } = await effects.exec('squeue', ['-h', '-t', 'all', '-o', '%F %k']);
      if (code !== 0) {
        last = err;
        continue;
      }
      const found = out.split('\n').find((line) => line.trim().endsWith(` ${comment}`));
      if (found !== undefined) return jobId(found.trim().split(' ')[0] ?? '');
    }
    const { code, out, err } = await effects.exec('sbatch', ['--parsable', `--comment=${comment}`, ...args]);
    if (code === 0) return jobId(out.trim().split(';')[0] ?? '');
    last = err;
    if (!/timed out|Unable to contact|try again|temporarily unavailable|Transport endpoint/i.test(err))
      throw new FathomError('unavailable', `sbatch refused the job: ${firstLine(err)}`, {
        hint: 'check resources.slurm in the experiment',
      });
  }
  throw new FathomError('unavailable', `sbatch did not answer in ${SUBMIT_ATTEMPTS} attempts: ${firstLine(last)}`, {
    hint: 'submit again later; what was taken is in the ledger',
  });
}

function jobId(text: string): number {
  if (!/^\d+$/.test(text)) throw new FathomError('unavailable', `sbatch answered "${text}", which is not a job id`);
  return Number(text);
}

/** States by `<array id>_<index>` from accounting; undefined where there is none. */
export async function accounted(
  effects: SlurmEffects,
  jobs: readonly number[],
): Promise<Map<string, string> | undefined> {
  if (jobs.length === 0) return new Map();
  const { code, out } = await effects.exec('sacct', ['-n', '-X', '-P', '-o', 'JobID,State', '-j', jobs.join(',')]);
  if (code !== 0) return undefined;
  const states = new Map<string, string>();
  for (const line of out.split('\n')) {
    const [id, state] = line.split('|');
    if (id !== undefined && state !== undefined) states.set(id, state.split(' ')[0] as string);
  }
  return states;
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'no message'
  );
}
