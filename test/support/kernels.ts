/** The kernels, built from their present sources, and OpenBLAS where there is one. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { loadOpenblas, type Openblas } from '../../src/native/blas.ts';
import { searchOpenblas } from '../../src/native/openblas.ts';
import { thisMachine } from '../../src/native/system.ts';
import { packageRoot } from '../../src/paths.ts';

/** Nothing happens where they are built. */
export function buildKernels(): void {
  execFileSync(process.execPath, [path.join(packageRoot, 'scripts/build-kernels.mjs')], { stdio: 'pipe' });
}

const found = searchOpenblas(thisMachine());
/** Why tests that need OpenBLAS are left out; undefined if they are not. */
export const noOpenblas = found.found ? undefined : `left out: ${found.reason}; run \`make native\``;

/** OpenBLAS; only where there is one. */
export function theOpenblas(): Openblas {
  if (!found.found) throw new Error(found.reason);
  return loadOpenblas(found.path);
}
