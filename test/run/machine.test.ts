import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { describeHardware, readText, slotsOf } from '../../src/run/machine.ts';

const cores = os.availableParallelism();
const nothing = (): undefined => undefined;
const files =
  (content: Record<string, string>) =>
  (file: string): string | undefined =>
    content[file];

describe('threads', () => {
  const threads = (env: Record<string, string>, wanted?: number, content: Record<string, string> = {}): number =>
    slotsOf(env, { threads: wanted }, files(content)).threads;

  it('are those asked for, else those of the allocation, else those of the machine', () => {
    const env = { SLURM_CPUS_PER_TASK: '6', SLURM_CPUS_ON_NODE: '12' };
    expect(threads(env, 3)).toBe(3);
    expect(threads(env)).toBe(6);
    expect(threads({ SLURM_CPUS_ON_NODE: '12' })).toBe(12);
    expect(threads({ SLURM_CPUS_PER_TASK: '' })).toBe(cores);
    expect(threads({})).toBe(cores);
  });

  it.each([
    ['max 100000', cores],
    ['100000 100000', 1],
    ['150000 100000', 1],
    ['20000 100000', 1],
    ['9900000 100000', cores],
    ['nonsense', cores],
    ['', cores],
  ])('are limited by a control group that says "%s"', (text, expected) => {
    expect(threads({}, undefined, { '/sys/fs/cgroup/cpu.max': text })).toBe(expected);
  });

  it.each([
    ['zero', '0'],
    ['less than one', '-2'],
    ['half a CPU', '1.5'],
    ['a list', '4(x2)'],
    ['a word', 'all'],
  ])('refuse %s', (_what, text) => {
    expect(() => threads({ SLURM_CPUS_PER_TASK: text })).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `SLURM_CPUS_PER_TASK: ${text} is not a whole number from 1 up`,
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuse %d workers on the command line', (wanted) => {
    expect(() => threads({}, wanted)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('memory', () => {
  const memory = (env: Record<string, string>, content: Record<string, string> = {}, wanted?: number): number =>
    slotsOf(env, { memoryMb: wanted }, files(content)).memoryMb;
  const machine = Math.floor((0.9 * os.totalmem()) / 1048576);

  it('is what is asked for, else the allocation, in MB', () => {
    expect(memory({ SLURM_MEM_PER_NODE: '8000' }, {}, 500)).toBe(500);
    expect(memory({ SLURM_MEM_PER_NODE: '8000', SLURM_MEM_PER_CPU: '100', SLURM_CPUS_ON_NODE: '4' })).toBe(8000);
    expect(memory({ SLURM_MEM_PER_CPU: '1500', SLURM_CPUS_ON_NODE: '4', SLURM_CPUS_PER_TASK: '2' })).toBe(6000);
    expect(memory({ SLURM_MEM_PER_CPU: '1500', SLURM_CPUS_PER_TASK: '2' })).toBe(3000);
  });

  it('is all of the node where SLURM says 0, less a tenth', () => {
    expect(memory({ SLURM_MEM_PER_NODE: '0' })).toBe(machine);
    expect(memory({ SLURM_MEM_PER_CPU: '1500' })).toBe(machine);
  });

  it('is limited by a control group, less a tenth', () => {
    expect(memory({}, { '/sys/fs/cgroup/memory.max': String(100 * 1048576) })).toBe(90);
    expect(memory({}, { '/sys/fs/cgroup/memory.max': 'max' })).toBe(machine);
  });
});

it.each([
  [undefined, 0],
  ['', 0],
  ['-1', 0],
  ['0', 1],
  ['0,2, 3', 3],
  ['GPU-8f1b,MIG-77aa', 2],
])('CUDA_VISIBLE_DEVICES=%s is %d GPUs', (text, expected) => {
  expect(slotsOf(text === undefined ? {} : { CUDA_VISIBLE_DEVICES: text }, {}, nothing).gpus).toBe(expected);
});

it('describes hardware without a GPU, and with one', () => {
  expect(describeHardware(nothing).find(({ name }) => name === 'GPU driver')?.value).toBe('none');
  const driver = files({ '/proc/driver/nvidia/version': 'NVRM version: 580\nGCC version' });
  expect(describeHardware(driver).find(({ name }) => name === 'GPU driver')?.value).toBe('NVRM version: 580');
  expect(describeHardware(nothing).find(({ name }) => name === 'Memory')?.value).toMatch(/^\d+ GiB$/);
});

it('readText trims, and says nothing of a file that is not there', () => {
  expect(readText('/no/such/file')).toBeUndefined();
  expect(readText(import.meta.filename)).toMatch(/^import os/);
});
