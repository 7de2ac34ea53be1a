/** `fathom hash`: content hashes, so that two runs can be compared without their files being moved. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, FathomError } from '../errors.ts';
import { openStore, sha256OfFile } from '../store/store.ts';
import { contentHash } from '../tables/content-hash.ts';
import type { CliEffects } from './effects.ts';
import { resultsFolder } from './open.ts';

export interface HashArgs {
  readonly artifact: readonly string[];
  readonly results?: string | undefined;
}

/** A line a file: hash, then name. Tables by schema and rows; everything else by bytes. */
export async function hash(args: HashArgs, effects: CliEffects): Promise<number> {
  for (const name of args.artifact) {
    const file = path.resolve(effects.cwd, name);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile()) {
      effects.out(`${await hashFile(file)}  ${name}`);
      continue;
    }
    const folder = found?.isDirectory() ? file : openStore(resultsFolder(args, effects)).paths.artifact(name);
    const names = await readdir(folder).catch(() => {
      throw new FathomError('usage', `${name} is neither a file, a folder nor the identity of a task in the store`);
    });
    for (const one of names.filter((item) => item !== 'provenance.json').sort())
      effects.out(`${await hashFile(path.join(folder, one))}  ${one}`);
  }
  return EXIT.ok;
}

async function hashFile(file: string): Promise<string> {
  return file.endsWith('.parquet') ? contentHash(file) : (await sha256OfFile(file)).sha256;
}
