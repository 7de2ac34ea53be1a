/** Hashes of the compiled code behind each stage, written by the build: a forgotten version cannot serve old results. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StageDefinition } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { compiledRoot } from '../paths.ts';

/** `dist/numerics.json`: module in `stages/run/` to hash. */
export function numericsFile(): string {
  return path.join(compiledRoot, 'numerics.json');
}

/** Looks up the hash of a stage's code. A stage from outside is hashed by its own file. */
export function loadNumerics(definitions: ReadonlyMap<string, StageDefinition>): (use: string) => string {
  let hashes: Record<string, string> | undefined;
  return (use) => {
    const definition = definitions.get(use);
    if (definition === undefined) throw new FathomError('internal', `stage "${use}" is not in the registry`);
    if (definition.runs.startsWith('file:'))
      return createHash('sha256')
        .update(readFileSync(fileURLToPath(definition.runs)))
        .digest('hex')
        .slice(0, 16);
    hashes ??= read();
    const hash = hashes[definition.runs];
    if (hash === undefined)
      throw new FathomError('internal', `${numericsFile()} knows no "${definition.runs}"`, {
        hint: 'run `make build`',
      });
    return hash;
  };
}

function read(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(numericsFile(), 'utf8')) as Record<string, string>;
  } catch (error) {
    throw new FathomError('unavailable', `${numericsFile()} is missing or damaged`, {
      hint: 'run `make build`',
      cause: error,
    });
  }
}
