/**
 * Files past the system's cache: where a file is far larger than what the cache may keep, filling the cache takes most of
 * the time of reading or writing it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { FathomError } from '../errors.ts';

/** Files beyond this size, and what is made of them, are large: they are read and written past the cache. */
export const LARGE_FILE_BYTES = 1 << 27;

/** Places in the file, lengths and addresses in memory must be multiples of this. */
export const ALIGNMENT = 4096;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Reads at least `needed` bytes of a file from a place on; where there is room for more, as many as come along. */
export async function readBytes(file: FileHandle, bytes: Uint8Array, from: number, needed: number): Promise<void> {
  for (let done = 0; done < needed; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
    if (bytesRead === 0) throw new FathomError('internal', `${done} of ${needed} bytes could be read`);
    done += bytesRead;
  }
}

/** Writes all of some bytes to a file from a place on. */
export async function writeBytes(file: FileHandle, bytes: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, from + done)).bytesWritten;
}

const PROBES = 8;
const PROBE_BYTES = 1 << 20;
/** A read from the cache is begun in some microseconds, and goes on as fast as memory is; that of a virtual machine may not be there. */
const BEGUN_MICROSECONDS = 20;
const CACHED_BYTES_PER_MICROSECOND = 4000;

export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Whether a file seems to lie in the system's cache, and in memory that is quick. Reads a little here and there. */
function isCached(path: string, bytes: number): boolean {
  const length = Math.min(PROBE_BYTES, Math.floor(bytes / PROBES));
  const file = openSync(path, 'r');
  try {
    const probe = Buffer.alloc(length);
    const took = Array.from({ length: PROBES }, (_, i) => {
      const began = performance.now();
      readSync(file, probe, 0, length, Math.floor((i / PROBES) * bytes));
      return 1000 * (performance.now() - began);
    }).sort((a, b) => a - b);
    return (took[PROBES / 2] as number) < BEGUN_MICROSECONDS + length / CACHED_BYTES_PER_MICROSECOND;
  } finally {
    closeSync(file);
  }
}

/**
 * Whether files are better read past the cache: if they are large, and it does not seem to hold them.
 *
 * @param cachedBytes in place of looking: past the cache if all of them have more
 */
export function areReadDirect(files: readonly SizedFile[], cachedBytes?: number): boolean {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (cachedBytes !== undefined) return bytes > cachedBytes;
  const some = files[files.length >> 1];
  return some !== undefined && bytes > LARGE_FILE_BYTES && !isCached(some.path, some.bytes);
}

/** Opens a file past the cache, to be read or to be made; undefined where the file system has no such thing. */
export function openDirect(path: string, access: 'r' | 'w'): Promise<FileHandle | undefined> {
  const flags = access === 'r' ? constants.O_RDONLY : constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  return open(path, flags | constants.O_DIRECT).catch(() => undefined);
}

/**
 * Runs `use` on a file past the cache, and again on the same file in the usual way where the file system refuses that.
 *
 * @param wanted false to begin with the usual way
 */
export async function withDirect<Result>(
  path: string,
  access: 'r' | 'w',
  use: (file: FileHandle) => Promise<Result>,
  wanted = true,
): Promise<Result> {
  const direct = wanted ? await openDirect(path, access) : undefined;
  try {
    if (direct !== undefined) return await use(direct);
  } catch (error) {
    // Some file systems refuse only when it comes to reading or writing.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await direct?.close();
  }
  const file = await open(path, access);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** The memory of WebAssembly begins at a page of the system, as no other does for certain. */
declare const WebAssembly: { readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer } };
const WASM_PAGE = 65_536;

/** What is made for one file has room for one that is a little larger. */
const SPARE = 1.25;

/** Memory for files past the cache, which is used again and again. What it held is void once more of it is asked for. */
export class DirectMemory {
  private memory: Uint8Array = new Uint8Array(0);

  /** At least so many bytes. */
  reach(bytes: number): Uint8Array {
    if (this.memory.length < bytes)
      this.memory = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil((SPARE * bytes) / WASM_PAGE) }).buffer);
    return this.memory;
  }
}
