/** `fathom bench`: the comparisons with peers, as `make bench` runs them. They live in bench/, outside of the program. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { packageRoot } from '../paths.ts';

/** Runs benches by name, or all, and returns the exit code of the runner. */
export function bench(names: readonly string[]): Promise<number> {
  const runner = path.join(packageRoot, 'bench', 'run.mjs');
  if (!existsSync(runner))
    throw new FathomError('unavailable', `${path.dirname(runner)} is not there: benches come with the source tree`, {
      hint: 'run it in a clone',
    });
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [runner, ...names], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
