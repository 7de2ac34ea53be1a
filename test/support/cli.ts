/** Runs bin/fathom as a person would: a process, a working folder, an environment. Needs `make build`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from './stage.ts';

const root = path.resolve(import.meta.dirname, '../..');
export const program = path.join(root, 'bin/fathom');
export const pluginStages = path.join(root, 'test/support/plugin/stages.mjs');

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly uid?: number;
  /** Called with the process once it runs, to signal it. */
  readonly whileRunning?: (child: ChildProcess) => void;
}

export function fathom(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return execute(process.execPath, [program, ...args], options);
}

export function execute(command: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { VITEST: _v, VITEST_MODE: _m, NODE_OPTIONS: _n, ...clean } = process.env;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...clean, FATHOM_STAGES: pluginStages, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  options.whileRunning?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** A temporary working folder with the given files. */
export async function workFolder(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

/** What the tests read of a manifest; they compare the whole. */
export interface StoredManifest {
  readonly task: string;
  readonly use: string;
  readonly params: { readonly x?: unknown; readonly fitOn?: unknown };
}

/** The manifests of all artifacts, with their hashes, by task identity: equal runs give equal records. */
export async function artifactHashes(results: string): Promise<Record<string, StoredManifest>> {
  const found: Record<string, StoredManifest> = {};
  const store = path.join(results, 'store');
  for (const prefix of (await readdir(store)).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort())
    for (const id of (await readdir(path.join(store, prefix))).sort())
      found[id] = JSON.parse(await readFile(path.join(store, prefix, id, 'manifest.json'), 'utf8'));
  return found;
}
