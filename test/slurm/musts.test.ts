/** One test for each thing that a script for SLURM must do, numbered as in docs/slurm.md. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { SlurmResources } from '../../src/experiment/types.ts';
import { chunksOf, spellIndices, throttleOf } from '../../src/slurm/chunks.ts';
import { readLedger } from '../../src/slurm/ledger.ts';
import { type Rendered, renderRun, slurmTime } from '../../src/slurm/render.ts';
import { liveIndices, submit } from '../../src/slurm/scheduler.ts';
import { slurmStatus } from '../../src/slurm/status.ts';
import { submitRun } from '../../src/slurm/submit.ts';
import { type RunPaths, runPaths } from '../../src/store/layout.ts';
import { temporaryFolder } from '../support/stage.ts';
import { fakeSlurm } from './fake.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

async function render(
  folder: string,
  tasks: readonly number[],
  resources: SlurmResources = {},
  program = '/opt/fathom/bin/fathom',
): Promise<Rendered> {
  const template = (name: string): Promise<string> => readFile(path.join(root, 'jobs', name), 'utf8');
  return renderRun({
    experiment: 'night',
    runId: '0123456789',
    run: folder,
    shape: {
      rounds: tasks.map((count, i) => ({ stages: [{ stage: `stage${i}`, tasks: count }], tasks: count })),
      absent: [],
    },
    resources,
    time: '90m',
    node: '/usr/bin/node',
    program,
    templates: { array: await template('array.sbatch.hbs'), collect: await template('collect.sbatch.hbs') },
  });
}

async function prepared(
  tasks: readonly number[],
  resources: SlurmResources = {},
): Promise<{ paths: RunPaths; rendered: Rendered; tasks: readonly number[]; resources: SlurmResources; now: string }> {
  const folder = await temporaryFolder();
  return {
    paths: runPaths(folder),
    rendered: await render(folder, tasks, resources),
    tasks,
    resources,
    now: '2026-01-01T00:00:00Z',
  };
}

async function markDone(paths: RunPaths, round: number, ...indices: number[]): Promise<void> {
  await mkdir(paths.states(round), { recursive: true });
  for (const index of indices) await writeFile(paths.state(round, index, 'done'), '{"state":"done"}');
}

/** Writes a rendered script whose program is a shell script, and runs it as an array index would be. */
async function runIndex(
  program: string,
  index: number,
  options: {
    args?: string[];
    env?: Record<string, string>;
    resources?: SlurmResources;
    tasks?: number;
    folder?: string;
  } = {},
): Promise<{ code: number; out: string; folder: string }> {
  const folder = options.folder ?? (await temporaryFolder());
  const file = path.join(folder, 'program.sh');
  await writeFile(file, `run=$2; round=$4; index=$6\nstate=$run/state/000\n${program}`);
  const rendered = await render(folder, [options.tasks ?? 10], options.resources, file);
  const script = path.join(folder, 'round.sbatch');
  await writeFile(script, (rendered.rounds[0]?.text ?? '').replaceAll('/usr/bin/node', '/bin/bash'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    SLURM_ARRAY_TASK_ID: String(index),
    SLURM_ARRAY_JOB_ID: '77',
    SLURM_JOB_ID: '99',
    ...options.env,
  };
  const result = await run('/bin/bash', [script, ...(options.args ?? [])], { env }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, out: error.stdout }),
  );
  return { ...result, folder };
}

const succeed = 'mkdir -p "$state"; echo "$index" >>"$run/ran"; echo "{}" >"$state/$index.done"\n';

describe('a SLURM script', () => {
  it('1: is a plain file that bash and shellcheck accept and that runs without the tool; sbatch is asked before', async () => {
    const input = await prepared([3, 2]);
    for (const { text } of [...input.rendered.rounds, input.rendered.collect]) {
      const file = path.join(await temporaryFolder(), 'script.sh');
      await writeFile(file, text);
      await run('bash', ['-n', file]);
      await run('shellcheck', [file]);
    }
    expect((await runIndex(succeed, 4)).out).toContain('index 4 done');
    const slurm = fakeSlurm({
      sbatch: (args) =>
        args.includes('--test-only') ? { code: 1, err: 'sbatch: error: invalid partition specified: gpux' } : undefined,
    });
    await expect(submitRun(input, slurm)).rejects.toThrow(
      'SLURM would refuse the job: sbatch: error: invalid partition specified: gpux',
    );
    expect(slurm.submissions()).toHaveLength(0);
  });

  it('2: takes tasks by OFFSET + index; chunks start at 0 again under MaxArraySize and share the throttle', async () => {
    expect((await runIndex(succeed, 2, { args: ['5'] })).out).toContain('index 7 done');
    expect(chunksOf([0, 1, 5, 6, 7, 12], 6)).toEqual([
      { offset: 0, indices: [0, 1, 5] },
      { offset: 6, indices: [0, 1] },
      { offset: 12, indices: [0] },
    ]);
    expect(spellIndices([0, 1, 2, 4, 7, 8])).toBe('0-2,4,7-8');
    expect(throttleOf(16, 3)).toBe('%5');
    expect(throttleOf(2, 3)).toBe('%1');
    const input = await prepared([14], { throttle: 4 });
    const slurm = fakeSlurm({ scontrol: () => ({ out: 'MaxArraySize = 6\n' }) });
    await submitRun(input, slurm);
    const arrays = slurm.submissions().map((args) => [args.find((arg) => arg.startsWith('--array')), args.at(-1)]);
    expect(arrays.slice(0, 3)).toEqual([
      ['--array=0-5%1', '0'],
      ['--array=0-5%1', '6'],
      ['--array=0-1%1', '12'],
    ]);
  });

  it('3: has its log folder before it is submitted, logs by %x-%A_%a, appends, and uses absolute paths', async () => {
    const input = await prepared([1]);
    let logs: string[] | undefined;
    const slurm = fakeSlurm();
    const exec = slurm.exec;
    await submitRun(input, {
      ...slurm,
      exec: async (command, args) => {
        if (command === 'sbatch') logs ??= await readdir(path.join(input.paths.slurm));
        return exec(command, args);
      },
    });
    expect(logs).toContain('logs');
    const text = input.rendered.rounds[0]?.text ?? '';
    expect(text).toContain(`#SBATCH --output=${input.paths.root}/slurm/logs/%x-%A_%a.log`);
    expect(text).toContain('#SBATCH --open-mode=append');
    expect(text).toContain(`#SBATCH --chdir=${input.paths.root}`);
  });

  it('4: exits 0 at once if the task is done, and leaves a failed-marker with the exit code if the program could not', async () => {
    const first = await runIndex(succeed, 3);
    const second = await runIndex(succeed, 3, { folder: first.folder });
    expect(second.code).toBe(0);
    expect(second.out).toContain('index 3 is done already');
    expect(await readFile(path.join(first.folder, 'ran'), 'utf8')).toBe('3\n');
    const failed = await runIndex('exit 9\n', 3);
    expect(failed.code).toBe(9);
    expect(JSON.parse(await readFile(path.join(failed.folder, 'state/000/3.failed'), 'utf8'))).toMatchObject({
      state: 'failed',
      exitCode: 9,
    });
    expect((await readdir(path.join(failed.folder, 'state/000'))).filter((name) => name.includes('tmp'))).toHaveLength(
      0,
    );
  });

  it('5: submits all that is neither done nor queued, keeps a ledger, and submits nothing if squeue fails', async () => {
    const input = await prepared([10]);
    await markDone(input.paths, 0, 1, 4);
    const first = fakeSlurm();
    await submitRun(input, first);
    expect(first.submissions()[0]).toContain('--array=0,2-3,5-9');
    expect(await readLedger(input.paths)).toMatchObject([
      { job: 100, round: 0, offset: 0, indices: '0,2-3,5-9' },
      { job: 101, round: null },
    ]);
    await markDone(input.paths, 0, 2, 3);
    const second = fakeSlurm({ squeue: () => ({ out: '100_5 RUNNING\n100_6 PENDING\n555_0 RUNNING\n' }) });
    const result = await submitRun(input, second);
    expect(second.submissions()[0]).toContain('--array=0,7-9');
    expect(result.live).toBe(2);
    const silent = fakeSlurm({
      squeue: () => ({ code: 1, err: 'slurm_load_jobs error: Unable to contact slurm controller' }),
    });
    await expect(submitRun(input, silent)).rejects.toThrow('squeue does not answer');
    expect(silent.submissions()).toHaveLength(0);
  });

  it('6: on USR2 the program saves and this index is requeued by A_a, so often and no more; on TERM never', async () => {
    const bin = await temporaryFolder();
    await writeFile(path.join(bin, 'scontrol'), '#!/bin/bash\necho "scontrol $*" >>"$LOG"\nexit 1\n', { mode: 0o755 });
    const waits =
      'trap \'echo saved >>"$LOG"; exit 75\' USR2\nkill -"$SIGNAL" "$SCRIPT"\nwhile :; do sleep 0.05; done\n';
    const attempt = async (signal: string, restarts: string): Promise<{ code: number; log: string }> => {
      const log = path.join(await temporaryFolder(), 'log');
      await writeFile(log, '');
      const result = await runIndex(`SCRIPT=$PPID\n${waits}`, 3, {
        env: { PATH: `${bin}:${process.env['PATH']}`, LOG: log, SIGNAL: signal, SLURM_RESTART_COUNT: restarts },
        resources: { maxRestarts: 2 },
      });
      return { code: result.code, log: await readFile(log, 'utf8') };
    };
    expect(await attempt('USR2', '')).toEqual({ code: 75, log: 'saved\nscontrol requeue 77_3\n' });
    expect(await attempt('USR2', '2')).toEqual({ code: 75, log: 'saved\n' });
    expect(await attempt('TERM', '')).toEqual({ code: 143, log: 'saved\n' });
    const text = (await render('/run', [1])).rounds[0]?.text;
    expect(text).toContain('#SBATCH --signal=B:USR2@120');
    expect(text).toContain('#SBATCH --requeue');
  });

  it('7: collects with afterany on all chunks of all rounds', async () => {
    const input = await prepared([7, 2]);
    const slurm = fakeSlurm({ scontrol: () => ({ out: 'MaxArraySize = 5\n' }) });
    const { arrays, collect } = await submitRun(input, slurm);
    expect(arrays.map((entry) => entry.job)).toEqual([100, 101, 102]);
    expect(collect).toBe(103);
    expect(slurm.submissions().at(-1)).toContain('--dependency=afterany:100:101:102');
    expect(slurm.submissions()[2]).toContain('--dependency=afterany:100:101');
    expect(JSON.stringify(slurm.calls)).not.toMatch(/afterok/);
  });

  it('8: reads --parsable up to the semicolon, insists on a number, and looks for its job before it tries again', async () => {
    expect(await submit(fakeSlurm({ sbatch: () => ({ out: '123;cluster\n' }) }), ['x'])).toBe(123);
    await expect(submit(fakeSlurm({ sbatch: () => ({ out: 'Submitted\n' }) }), ['x'])).rejects.toThrow('not a job id');
    const taken = fakeSlurm({
      sbatch: () => ({
        code: 1,
        err: 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation',
      }),
      squeue: () => ({ out: '400 other\n412 fathom-token-0\n' }),
    });
    expect(await submit(taken, ['x'])).toBe(412);
    expect(taken.submissions()).toHaveLength(1);
    const lost = fakeSlurm({
      sbatch: (_, call) => (call === 0 ? { code: 1, err: 'Socket timed out on send/recv' } : { out: '500\n' }),
      squeue: () => ({ out: '' }),
    });
    expect(await submit(lost, ['x'])).toBe(500);
    expect(lost.submissions()).toHaveLength(2);
    const refused = fakeSlurm({ sbatch: () => ({ code: 1, err: 'sbatch: error: Invalid account' }) });
    await expect(submit(refused, ['x'])).rejects.toThrow('Invalid account');
    expect(refused.submissions()).toHaveLength(1);
  });

  it('9: tells states from markers first, then the queue, then accounting, and leaves the unknown unknown', async () => {
    const input = await prepared([6]);
    await submitRun(input, fakeSlurm());
    await markDone(input.paths, 0, 0);
    await writeFile(input.paths.state(0, 1, 'failed'), '{}');
    const squeue = (): { out: string } => ({ out: '100_2 RUNNING\n100_3 PENDING\n' });
    const [counts] = await slurmStatus(input.paths, input.tasks, fakeSlurm({ squeue }));
    expect(Object.fromEntries(counts ?? [])).toEqual({ done: 1, failed: 1, running: 1, queued: 1, unknown: 2 });
    const [known] = await slurmStatus(
      input.paths,
      input.tasks,
      fakeSlurm({ squeue, sacct: () => ({ out: '100_4|CANCELLED by 0\n' }) }),
    );
    expect(Object.fromEntries(known ?? [])).toEqual({
      done: 1,
      failed: 1,
      running: 1,
      queued: 1,
      ended: 1,
      unknown: 1,
    });
    const [silent] = await slurmStatus(input.paths, input.tasks, fakeSlurm({ squeue: () => ({ code: 1 }) }));
    expect(Object.fromEntries(silent ?? [])).toEqual({ done: 1, failed: 1, unknown: 4 });
    expect([
      ...(await liveIndices(fakeSlurm({ squeue: () => ({ out: '9_[1-3%2] PENDING\n9_7 RUNNING\n' }) }))).keys(),
    ]).toContain('9_7');
  });

  it('10: quotes every value, takes one form of memory, any other directive, and set +u around modules', async () => {
    const text =
      (
        await render("/runs/it's here", [1], {
          partition: 'gpu long',
          memPerCpu: '4G',
          extra: ['--exclusive', '#SBATCH --nice=5'],
          setup: ['module load cuda'],
        })
      ).rounds[0]?.text ?? '';
    expect(text).toContain(`run='/runs/it'\\''s here'`);
    expect(text).toContain('#SBATCH --partition="gpu long"');
    expect(text).toContain('#SBATCH --mem-per-cpu=4G');
    expect(text).toContain('#SBATCH --exclusive\n#SBATCH --nice=5');
    expect(text).toMatch(/set \+u\nmodule load cuda\nset -u/);
    expect((await render('/r', [1])).rounds[0]?.text).not.toContain('--mem');
    await expect(render('/r', [1], { mem: '4G', memPerGpu: '8G' })).rejects.toThrow(
      'mem and memPerGpu exclude each other',
    );
    await expect(render('/r', [1], { partition: 'a"b' })).rejects.toThrow('--partition cannot be');
    await expect(render('/r', [1], { extra: ['rm -rf /'] })).rejects.toThrow('not an option of sbatch');
    expect(text).not.toMatch(/--(account|qos)=/);
  });
});

describe('rendering', () => {
  it('writes times as SLURM does', () => {
    expect(['2h', '90m', '1d', '45s', '1-12:00:00', '30'].map(slurmTime)).toEqual([
      '120',
      '90',
      '1440',
      '1',
      '1-12:00:00',
      '30',
    ]);
    expect(() => slurmTime('soon')).toThrow('not a time');
  });

  it('runs several short tasks in one job', async () => {
    const result = await runIndex(succeed, 1, { resources: { tasksPerJob: 4 }, tasks: 6 });
    expect(await readFile(path.join(result.folder, 'ran'), 'utf8')).toBe('4\n5\n');
  });

  it('sends mail from the collecting job only', async () => {
    const rendered = await render('/r', [1], { mailUser: 'me@example.org' });
    expect(rendered.rounds[0]?.text).not.toContain('mail');
    expect(rendered.collect.text).toContain('#SBATCH --mail-user=me@example.org');
  });

  it.each(['array', 'collect'])('gives the golden %s script', async (which) => {
    const rendered = await render('/scratch/me/results/night/0123456789', [400, 3], {
      partition: 'gpu',
      gres: 'gpu:1',
      cpusPerTask: 4,
      mem: '16G',
      throttle: 16,
      time: '2h',
      setup: ['module load cuda/12.4'],
      mailUser: 'me@example.org',
    });
    const text = which === 'array' ? rendered.rounds[0]?.text : rendered.collect.text;
    await expect(text).toMatchFileSnapshot(path.join(import.meta.dirname, 'golden', `${which}.sbatch`));
  });
});
