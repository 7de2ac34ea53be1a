/** What this machine, or this allocation, offers. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { FathomError } from '../errors.ts';

export interface Slots {
  readonly threads: number;
  readonly memoryMb: number;
  readonly gpus: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a file or says that it is not there. */
export type ReadText = (file: string) => string | undefined;

export const readText: ReadText = (file) => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/**
 * Threads, memory and GPUs that the run may use: SLURM's allocation first, then the control group, then the machine.
 * `wanted` (from --workers or the experiment) may lower the threads, or raise them on request.
 */
export function slotsOf(
  env: Environment,
  wanted: { threads?: number | undefined; memoryMb?: number | undefined },
  read: ReadText = readText,
): Slots {
  return {
    threads:
      count(wanted.threads, 'workers') ??
      count(env['SLURM_CPUS_PER_TASK'], 'SLURM_CPUS_PER_TASK') ??
      count(env['SLURM_CPUS_ON_NODE'], 'SLURM_CPUS_ON_NODE') ??
      cpus(read),
    memoryMb: count(wanted.memoryMb, 'memory in MB') ?? slurmMemoryMb(env) ?? machineMemoryMb(read),
    gpus: (env['CUDA_VISIBLE_DEVICES'] ?? '').split(',').filter((id) => id.trim() !== '' && id.trim() !== '-1').length,
  };
}

/** A whole number from 1 up; undefined if nothing is said. */
function count(said: string | number | undefined, name: string): number | undefined {
  if (said === undefined || said === '') return undefined;
  const value = Number(said);
  if (!Number.isInteger(value) || value < 1)
    throw new FathomError('usage', `${name}: ${said} is not a whole number from 1 up`);
  return value;
}

function cpus(read: ReadText): number {
  const available = os.availableParallelism();
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').split(' ').map(Number);
  if (quota === undefined || period === undefined || !Number.isFinite(quota) || quota <= 0) return available;
  return Math.max(1, Math.min(available, Math.floor(quota / period)));
}

function slurmMemoryMb(env: Environment): number | undefined {
  const perNode = Number(env['SLURM_MEM_PER_NODE']);
  if (perNode > 0) return perNode;
  const perCpu = Number(env['SLURM_MEM_PER_CPU']);
  const count = Number(env['SLURM_CPUS_ON_NODE'] ?? env['SLURM_CPUS_PER_TASK']);
  return perCpu > 0 && count > 0 ? perCpu * count : undefined;
}

function machineMemoryMb(read: ReadText): number {
  const total = os.totalmem() / 1048576;
  const limit = Number(read('/sys/fs/cgroup/memory.max')) / 1048576;
  // A tenth is left for the operating system and for what libraries use beyond their limits.
  return Math.floor(0.9 * (limit > 0 ? Math.min(limit, total) : total));
}

/** Hardware facts for the provenance of a run. */
export function describeHardware(read: ReadText = readText): { name: string; value: string }[] {
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  const gpu = read('/proc/driver/nvidia/version')?.split('\n')[0];
  return [
    { name: 'CPU', value: `${cpu.trim()}, ${os.cpus().length} logical cores` },
    { name: 'Memory', value: `${Math.round(os.totalmem() / 1073741824)} GiB` },
    { name: 'GPU driver', value: gpu ?? 'none' },
    { name: 'System', value: `${os.type()} ${os.release()} ${os.arch()}` },
  ];
}
