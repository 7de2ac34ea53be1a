/**
 * Files past the system's cache: where a file is far larger than what the cache may keep, filling the cache takes most of
 * the time of reading or writing it.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';

/** Places in the file, lengths and addresses in memory must be multiples of this. */
export const ALIGNMENT = 4096;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Opens a file past the cache, to be read or to be made; undefined where the file system has no such thing. */
export function openDirect(path: string, access: 'r' | 'w'): Promise<FileHandle | undefined> {
  const flags = access === 'r' ? constants.O_RDONLY : constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  return open(path, flags | constants.O_DIRECT).catch(() => undefined);
}

/** Runs `use` on a file past the cache, and again on the same file in the usual way where the file system refuses that. */
export async function withDirect<Result>(
  path: string,
  access: 'r' | 'w',
  use: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  const direct = await openDirect(path, access);
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
