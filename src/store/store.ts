/**
 * The artifact store: folders named by task identity, made complete by one rename.
 *
 * Artifacts are made with blocking calls: a worker has nothing else to do meanwhile, and the same calls as promises
 * cost a small task more than all its arithmetic.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { OutputKind } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { type StorePaths, storePaths } from './layout.ts';

/** Raised only when the layout of artifacts changes. */
const FORMAT = 1;

export interface ManifestOutput {
  readonly file: string;
  readonly kind: OutputKind;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an artifact holds and what made it; the same on every machine for the same task. */
export interface Manifest {
  readonly format: number;
  readonly task: string;
  readonly use: string;
  readonly version: number;
  readonly numerics: string;
  readonly params: unknown;
  readonly engine: string | null;
  readonly engineVersion: string | null;
  readonly seed: number;
  readonly inputs: unknown;
  readonly files: unknown;
  readonly outputs: Readonly<Record<string, ManifestOutput>>;
}

export interface Store {
  readonly paths: StorePaths;
  /** The manifest of a finished task, or undefined. */
  manifest(task: string): Promise<Manifest | undefined>;
  has(task: string): Promise<boolean>;
  /** A fresh folder in which to make an artifact. */
  stage(task: string): Promise<string>;
  /**
   * Hashes the outputs, writes manifest and provenance, and renames the folder into place. If another process was
   * first, this copy is dropped.
   */
  commit(
    folder: string,
    manifest: Omit<Manifest, 'format' | 'outputs'>,
    outputs: Readonly<Record<string, { file: string; kind: OutputKind }>>,
    provenance: unknown,
  ): Promise<Manifest>;
}

export async function sha256OfFile(file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  // Large chunks: with the usual 64 KiB a large file takes three times as long.
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Of a folder: its files in order of their names, each with its own hash. */
async function hashFolder(folder: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const name of readdirSync(folder).sort()) {
    const found = await hashOutput(path.join(folder, name));
    hash.update(`${name}\0${found.sha256}\n`);
    bytes += found.bytes;
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function hashOutput(file: string): Promise<{ sha256: string; bytes: number }> {
  const found = statSync(file);
  if (found.isDirectory()) return hashFolder(file);
  // Most outputs are small: one read is quicker than a stream.
  if (found.size > 8 << 20) return sha256OfFile(file);
  const content = readFileSync(file);
  return { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length };
}

export function openStore(results: string): Store {
  const paths = storePaths(results);
  const manifest = async (task: string): Promise<Manifest | undefined> => {
    const file = paths.manifest(task);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const found = parseManifest(text, file);
    if (found.format !== FORMAT)
      throw new FathomError('io', `${file}: format ${found.format} is not ${FORMAT}`, {
        hint: 'another version of Fathom wrote it; remove the folder to run the task again',
      });
    return found;
  };
  return {
    paths,
    manifest,
    has: async (task) => (await manifest(task)) !== undefined,
    stage: async (task) => {
      const folder = path.join(paths.staging, `${task}.${process.pid}.${randomUUID().slice(0, 8)}`);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    commit: async (folder, head, outputs, provenance) => {
      const listed: Record<string, ManifestOutput> = {};
      for (const [port, { file, kind }] of Object.entries(outputs))
        listed[port] = { file, kind, ...(await hashOutput(path.join(folder, file))) };
      const full: Manifest = { format: FORMAT, ...head, outputs: listed };
      writeFileSync(path.join(folder, 'provenance.json'), `${JSON.stringify(provenance, null, 1)}\n`);
      writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(full, null, 1)}\n`);
      const target = paths.artifact(head.task);
      mkdirSync(path.dirname(target), { recursive: true });
      for (;;) {
        if (renamed(folder, target)) return full;
        // Somebody else finished the same task: theirs stands. What has no manifest is the rest of a removal or copy.
        const theirs = await manifest(head.task);
        rmSync(theirs === undefined ? target : folder, { recursive: true, force: true });
        if (theirs !== undefined) return theirs;
      }
    },
  };
}

/** Renames a folder into place; false if there is one already. */
function renamed(folder: string, target: string): boolean {
  try {
    renameSync(folder, target);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    return false;
  }
}

function parseManifest(text: string, file: string): Manifest {
  let cause: unknown;
  try {
    const found = JSON.parse(text) as Manifest | null;
    if (typeof found?.format === 'number') return found;
  } catch (error) {
    cause = error;
  }
  throw new FathomError('io', `${file}: ${cause === undefined ? 'not a manifest' : 'not readable as JSON'}`, {
    hint: 'the artifact is damaged; remove its folder to run the task again',
    cause,
  });
}

/** Identities of all artifacts. */
export async function listArtifacts(store: Store): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of (await readdir(store.paths.root).catch(() => []))
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .sort())
    found.push(...(await readdir(path.join(store.paths.root, prefix))).sort());
  return found;
}
