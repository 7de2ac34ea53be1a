/** What is recorded of a run beside its results, and never enters a hash. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../paths.ts';
import { describeHardware } from './machine.ts';

export interface RunProvenance {
  readonly id: string;
  readonly experiment: string;
  readonly command: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly host: string;
  readonly git: { readonly commit: string | null; readonly dirty: boolean; readonly diffSha256: string | null };
  readonly lockSha256: string;
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  readonly hardware: readonly { readonly name: string; readonly value: string }[];
  readonly slurm: readonly { readonly name: string; readonly value: string }[];
}

const run = promisify(execFile);

/** @param now ISO 8601 */
export async function describeRun(
  head: { id: string; experiment: string; command: string },
  env: Readonly<Record<string, string | undefined>>,
  now: string,
): Promise<RunProvenance> {
  const [git, lock] = await Promise.all([describeGit(), readFile(path.join(packageRoot, 'package-lock.json'))]);
  return {
    ...head,
    startedAt: now,
    finishedAt: null,
    host: os.hostname(),
    git,
    lockSha256: createHash('sha256').update(lock).digest('hex'),
    versions: await describeVersions(lock.toString()),
    hardware: describeHardware(),
    slurm: [
      'SLURM_JOB_ID',
      'SLURM_ARRAY_JOB_ID',
      'SLURM_ARRAY_TASK_ID',
      'SLURM_JOB_PARTITION',
      'SLURM_JOB_NODELIST',
      'SLURM_CLUSTER_NAME',
    ].flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [{ name, value }];
    }),
  };
}

async function describeGit(): Promise<RunProvenance['git']> {
  const git = async (...args: string[]): Promise<string | null> => {
    try {
      return (await run('git', args, { cwd: packageRoot, maxBuffer: 64 << 20 })).stdout;
    } catch {
      return null;
    }
  };
  const [commit, diff] = await Promise.all([git('rev-parse', 'HEAD'), git('diff', 'HEAD')]);
  const dirty = diff !== null && diff !== '';
  return {
    commit: commit?.trim() ?? null,
    dirty,
    diffSha256: dirty ? createHash('sha256').update(diff).digest('hex') : null,
  };
}

/** Packages whose versions decide results; all others are pinned by the lock file's hash. */
const decisive = [
  '@duckdb/node-api',
  'nodejs-polars',
  'apache-arrow',
  'umap-js',
  'hyparquet-writer',
  'koffi',
  'piscina',
  'zod',
];

async function describeVersions(lockText: string): Promise<{ name: string; version: string }[]> {
  const { packages } = JSON.parse(lockText) as { packages: Record<string, { version?: string } | undefined> };
  return [
    { name: 'Fathom', version: packages['']?.version ?? 'unknown' },
    { name: 'Node', version: process.version },
    ...decisive.map((name) => ({ name, version: packages[`node_modules/${name}`]?.version ?? 'absent' })),
  ];
}
