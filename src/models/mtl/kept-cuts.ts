/**
 * A file that keeps what searches for cuts have found, so that later processes need not search. It holds no results:
 * a cut is tried out for its bits before it is used, and without the file only time is lost.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { FoundCut, KeptCuts } from './cuts.ts';

const size = z.int().positive();
const fileSchema = z.record(z.string(), z.strictObject({ rows: size, columns: size, gain: z.number().positive() }));

/** A name for the file: a search holds for one CPU and one library. */
export function cutsFileName(cpu: string, openblas: { readonly version: string; readonly core: string }): string {
  const words = `${cpu} openblas ${openblas.version} ${openblas.core}`;
  return `${words.replace(/[^A-Za-z0-9.]+/g, '-').toLowerCase()}.json`;
}

/** The cuts kept in `file`; a file that is missing or broken holds none, and one that cannot be written keeps none. */
export function keptCuts(file: string): KeptCuts {
  const known = new Map(Object.entries(read(file)));
  return {
    find: (product) => known.get(product),
    keep: (product, found) => {
      known.set(product, found);
      // Another process may have kept some in the meantime.
      const all = { ...read(file), ...Object.fromEntries(known) };
      const temporary = `${file}.${process.pid}.tmp`;
      try {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(temporary, `${JSON.stringify(all, null, 1)}\n`);
        renameSync(temporary, file);
      } catch {
        // A folder that cannot be written to: the next process searches again.
      }
    },
  };
}

function read(file: string): Record<string, FoundCut> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
