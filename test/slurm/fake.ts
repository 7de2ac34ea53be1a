/** A stand-in for SLURM's commands that records what it is asked and answers as scripted. */
import type { CommandResult, SlurmEffects } from '../../src/slurm/scheduler.ts';

export interface FakeSlurm extends SlurmEffects {
  readonly calls: string[][];
  readonly slept: number[];
  /** Arguments of every `sbatch` that submitted. */
  submissions(): string[][];
}

type Answer = (args: readonly string[], call: number) => Partial<CommandResult> | undefined;

/** @param answers by command; `sbatch` answers with rising job ids and `scontrol` with MaxArraySize 1001 by default */
export function fakeSlurm(answers: Record<string, Answer> = {}): FakeSlurm {
  const calls: string[][] = [];
  const slept: number[] = [];
  let job = 100;
  let serial = 0;
  const defaults: Record<string, Answer> = {
    scontrol: () => ({ out: 'MaxArraySize            = 1001\n' }),
    squeue: () => ({ out: '' }),
    sacct: () => ({ code: 1, err: 'Slurm accounting storage is disabled' }),
    sbatch: (args) => (args.includes('--test-only') ? {} : { out: `${job++}\n` }),
  };
  return {
    calls,
    slept,
    submissions: () =>
      calls
        .filter(([command, ...args]) => command === 'sbatch' && !args.includes('--test-only'))
        .map(([, ...args]) => args),
    exec: async (command, args) => {
      calls.push([command, ...args]);
      const same = calls.filter(([name]) => name === command).length - 1;
      const answer = answers[command]?.(args, same) ?? defaults[command]?.(args, same) ?? { code: 127 };
      return { code: 0, out: '', err: '', ...answer };
    },
    sleep: async (ms) => {
      slept.push(ms);
    },
    unique: () => `token-${serial++}`,
  };
}
