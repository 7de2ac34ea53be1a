/** Freezes the program at submission: jobs wait for hours, and code edited meanwhile must not run in them. */
import { cp, mkdir, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { packageRoot } from '../paths.ts';
import { temporaryName } from '../store/files.ts';
import type { RunPaths } from '../store/layout.ts';

/** Copies the compiled program into the run's folder and returns the path of its entry. Dependencies are linked. */
export async function freezeProgram(paths: RunPaths): Promise<string> {
  const target = path.join(paths.slurm, 'code');
  const entry = path.join(target, 'bin', 'fathom');
  if (await exists(entry)) return entry;
  const temporary = temporaryName(target);
  await mkdir(temporary, { recursive: true });
  for (const name of ['dist', 'bin', 'jobs', 'docs', 'package.json', 'package-lock.json'])
    await cp(path.join(packageRoot, name), path.join(temporary, name), { recursive: true });
  for (const name of ['node_modules', '.fathom'])
    if (await exists(path.join(packageRoot, name)))
      await symlink(path.join(packageRoot, name), path.join(temporary, name));
  try {
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(entry))) throw error;
  }
  return entry;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
