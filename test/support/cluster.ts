/** A real SLURM of one host, if this machine may have one: it needs root and Debian's packages. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { execute } from './cli.ts';
import { shared, sharedFile } from './shared.ts';

export type Cluster = { readonly env: { readonly SLURM_CONF: string } } | { readonly why: string };

/** Starts the cluster, or says why it cannot be had; anything else that goes wrong is an error. */
export function startCluster(): Cluster {
  if (shared === undefined || !existsSync(sharedFile('bin', 'slurm-up')))
    return { why: 'FATHOM_SHARED names no folder with bin/slurm-up' };
  try {
    const line = execFileSync(sharedFile('bin', 'slurm-up'), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLURM_LAB_CPUS: '4', SLURM_LAB_MAX_ARRAY: '11' },
    });
    return { env: { SLURM_CONF: /SLURM_CONF=(\S+)/.exec(line)?.[1] ?? '' } };
  } catch (error) {
    if ((error as { status?: number }).status === 2)
      return { why: 'a cluster cannot be started here (not root, or no packages)' };
    throw error;
  }
}

export function stopCluster(): void {
  execFileSync(sharedFile('bin', 'slurm-down'), { stdio: 'ignore' });
}

/** Waits until the queue is empty. */
export async function settled(cwd: string, env: Record<string, string>, seconds = 60): Promise<void> {
  for (let i = 0; i < seconds * 4; i++) {
    const { out, code } = await execute('squeue', ['-h'], { cwd, env });
    if (code === 0 && out.trim() === '') return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('the queue did not empty');
}
