/** SHA-256 of outside files, remembered by size and time of change, since data sets are large and plans frequent. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FathomError, type Place } from '../errors.ts';
import type { Experiment, Origin } from '../experiment/types.ts';
import { writeAtomically } from '../store/files.ts';
import { sha256OfFile } from '../store/store.ts';
import type { TaskFile } from './types.ts';

interface Remembered {
  readonly size: number;
  readonly changedNs: string;
  readonly sha256: string;
}

export interface FileHasher {
  hash(file: string, where: { experiment: Experiment; stage: string }): Promise<TaskFile>;
  /** Writes down what was learned. */
  save(): Promise<void>;
}

/** @param memory path of the JSON file that remembers hashes; it may be missing or damaged */
export async function makeFileHasher(cwd: string, memory: string): Promise<FileHasher> {
  const known = new Map<string, Remembered>(Object.entries(await readMemory(memory)));
  let changed = false;
  return {
    hash: async (file, where) => {
      const full = path.resolve(cwd, file);
      const found = await stat(full, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
        const at = placeOf(where.experiment, where.stage, file);
        if (error.code === 'ENOENT')
          throw new FathomError('data', `stage "${where.stage}": no such file: ${file}`, {
            at,
            hint: `looked for ${full}`,
          });
        throw new FathomError('io', `stage "${where.stage}": cannot read ${file}: ${error.message}`, { at });
      });
      if (!found.isFile())
        throw new FathomError('data', `stage "${where.stage}": ${file} is not a file`, {
          at: placeOf(where.experiment, where.stage, file),
        });
      const size = Number(found.size);
      const changedNs = String(found.mtimeNs);
      const before = known.get(full);
      if (before?.sha256 !== undefined && before.size === size && before.changedNs === changedNs)
        return { path: file, sha256: before.sha256, bytes: size };
      const { sha256 } = await sha256OfFile(full);
      known.set(full, { size, changedNs, sha256 });
      changed = true;
      return { path: file, sha256, bytes: size };
    },
    save: async () => {
      if (changed) await writeAtomically(memory, `${JSON.stringify(Object.fromEntries(known))}\n`);
    },
  };
}

async function readMemory(file: string): Promise<Record<string, Remembered>> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as Record<string, Remembered> | null) ?? {};
  } catch {
    return {};
  }
}

/** The line of the experiment that names a file. */
function placeOf(experiment: Experiment, stage: string, file: string): Place | undefined {
  const params = experiment.stages.find((one) => one.name === stage)?.params ?? {};
  const key = Object.keys(params).find((name) => params[name] === file);
  return key === undefined ? undefined : placeOfOrigin(experiment.origins.get(`stages.${stage}.${key}`));
}

/** Where in a file a value stands, if it comes from one. */
export function placeOfOrigin(origin: Origin | undefined): Place | undefined {
  if (origin === undefined) return undefined;
  if (origin.kind === 'file') return { file: origin.file, line: origin.line, column: origin.column };
  return origin.kind === 'env' || origin.kind === 'reference' ? placeOfOrigin(origin.at) : undefined;
}
