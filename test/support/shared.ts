/** Recorded data and test vectors that live outside the project, named by FATHOM_SHARED. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The folder, or undefined where it is absent; tests then use generated fixtures or skip with this reason. */
export const shared: string | undefined = (() => {
  const folder = process.env['FATHOM_SHARED'] ?? path.resolve(import.meta.dirname, '../../../shared');
  return existsSync(path.join(folder, 'data')) ? folder : undefined;
})();

export const whyNoShared = 'needs recorded data: FATHOM_SHARED names no folder';

/** Absolute path below the folder; only call where `shared` is defined. */
export function sharedFile(...parts: string[]): string {
  if (shared === undefined) throw new Error(whyNoShared);
  return path.join(shared, ...parts);
}

/** A file of test vectors: see `vectors/` there. */
export function vectors(
  topic: string,
): { id: string; input: Record<string, unknown>; expected: unknown; tolerance: number }[] {
  return (JSON.parse(readFileSync(sharedFile('vectors', `${topic}.json`), 'utf8')) as { vectors: [] }).vectors;
}
