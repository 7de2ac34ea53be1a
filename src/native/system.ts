/** What the search for native libraries may look at. Tests pass fakes. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../paths.ts';

export interface NativeSystem {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fathom's own folder: `.fathom/native` lies below it. */
  readonly root: string;
  exists(file: string): boolean;
  /** Text of a file; undefined if it cannot be read. */
  readText(file: string): string | undefined;
  /** The first bytes of a file; undefined if it cannot be read. */
  readStart(file: string, bytes: number): Uint8Array | undefined;
  /** Changes when the file does; undefined if it is not there. */
  stamp(file: string): string | undefined;
  /** Standard output of a program; undefined if it is missing, fails or takes longer than ten seconds. */
  run(program: string, args: readonly string[]): string | undefined;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** The machine this process runs on. */
export function thisMachine(env: NativeSystem['env'] = process.env): NativeSystem {
  return {
    env,
    root: packageRoot,
    exists: existsSync,
    readText: (file) => attempt(() => readFileSync(file, 'utf8')),
    readStart: (file, bytes) =>
      attempt(() => {
        const descriptor = openSync(file, 'r');
        try {
          const buffer = new Uint8Array(bytes);
          return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0));
        } finally {
          closeSync(descriptor);
        }
      }),
    stamp: (file) =>
      attempt(() => {
        const { mtimeMs, size } = statSync(file);
        return `${realpathSync(file)} ${mtimeMs} ${size}`;
      }),
    run: (program, args) =>
      attempt(() =>
        execFileSync(program, [...args], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: 10_000,
          env: definedOnly(env),
        }),
      ),
  };
}

function definedOnly(env: NativeSystem['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Folders that the dynamic loader searches, besides those in /etc/ld.so.conf. */
export function loaderFolders(env: NativeSystem['env']): string[] {
  return [
    ...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder)),
    '/usr/local/lib',
    '/usr/local/cuda/lib64',
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
    '/usr/local/nvidia/lib64',
    '/usr/lib/wsl/lib',
  ];
}

/** The first file of any of these names in the loader's folders. */
export function findLibrary(system: NativeSystem, names: readonly string[]): string | undefined {
  for (const folder of loaderFolders(system.env))
    for (const name of names) {
      const file = path.join(folder, name);
      if (system.exists(file)) return file;
    }
  return undefined;
}
