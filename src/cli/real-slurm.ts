/** SLURM's commands on this machine. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { FathomError } from '../errors.ts';
import type { SlurmEffects } from '../slurm/scheduler.ts';
import type { CliEffects } from './effects.ts';

export function realSlurm(effects: CliEffects): SlurmEffects {
  return {
    exec: (command, args) =>
      new Promise((resolve, reject) => {
        execFile(command, args, { env: effects.env as NodeJS.ProcessEnv, maxBuffer: 256 << 20 }, (error, out, err) => {
          if (error !== null && (error as NodeJS.ErrnoException).code === 'ENOENT' && command !== 'sacct')
            reject(
              new FathomError('unavailable', `there is no ${command} on this machine`, {
                hint: '`fathom slurm render` writes the scripts; submit them where SLURM is',
              }),
            );
          else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err });
        });
      }),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    unique: () => randomUUID(),
  };
}
