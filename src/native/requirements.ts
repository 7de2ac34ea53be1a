/** What `fathom doctor` says of native libraries on this node. Nothing is loaded into the asking process. */
import { searchXgboost, XGBOOST_FIX } from './find.ts';
import { searchCuda } from './find-cuda.ts';
import { inspectOpenblas, inspectXgboost } from './inspect.ts';
import { OPENBLAS_FIX, searchOpenblas } from './openblas.ts';
import { type NativeSystem, thisMachine } from './system.ts';
import { searchTensorflow } from './tensorflow.ts';

export interface LibraryFact {
  readonly name: string;
  readonly found: boolean;
  readonly detail: string;
  /** How to get it, where it is missing. */
  readonly fix: string;
}

/** All libraries that npm does not bring, those that only some engines want included. */
export async function probeLibraries(
  env: Readonly<Record<string, string | undefined>>,
  system: NativeSystem = thisMachine(env),
): Promise<LibraryFact[]> {
  return [glibc(system), xgboost(system), cuda(system), openblas(system), tensorflow(system)];
}

function glibc(system: NativeSystem): LibraryFact {
  const text = system.run('getconf', ['GNU_LIBC_VERSION'])?.trim();
  return {
    name: 'glibc',
    found: text !== undefined,
    detail: text ?? 'this system does not use it',
    fix: 'native packages are built for glibc 2.28 and newer; use a container (environment.md)',
  };
}

function xgboost(system: NativeSystem): LibraryFact {
  const name = 'XGBoost';
  const search = searchXgboost(system);
  if (!search.found) return { name, found: false, detail: search.reason, fix: search.fix };
  const inspected = inspectXgboost(system, search.path);
  if ('error' in inspected)
    return { name, found: false, detail: `${search.path} does not load: ${inspected.error}`, fix: XGBOOST_FIX };
  const cuda = inspected.build['USE_CUDA'] === true ? 'with CUDA' : 'without CUDA';
  return { name, found: true, detail: `${inspected.version} ${cuda}, ${search.path} (${search.origin})`, fix: '' };
}

function cuda(system: NativeSystem): LibraryFact {
  const search = searchCuda(system);
  if (!search.found) return { name: 'CUDA', found: false, detail: search.reason, fix: search.fix };
  const gpus = search.gpus.map(({ name, architecture, memoryMb }) => `${name} (${architecture}, ${memoryMb} MB)`);
  const detail = `${gpus.join('; ')}; driver for CUDA ${search.driverVersion}, NVRTC ${search.nvrtcVersion} (${search.nvrtc})`;
  return { name: 'CUDA', found: true, detail, fix: '' };
}

function openblas(system: NativeSystem): LibraryFact {
  const name = 'OpenBLAS';
  const search = searchOpenblas(system);
  if (!search.found) return { name, found: false, detail: search.reason, fix: search.fix };
  const inspected = inspectOpenblas(system, search.path);
  if ('error' in inspected)
    return { name, found: false, detail: `${search.path} does not load: ${inspected.error}`, fix: OPENBLAS_FIX };
  const detail = `${search.version} with kernels for ${inspected.core}, ${search.path} (${search.origin})`;
  return { name, found: true, detail, fix: '' };
}

function tensorflow(system: NativeSystem): LibraryFact {
  const name = 'TensorFlow.js';
  const search = searchTensorflow(system);
  if (!search.found) return { name, found: false, detail: search.reason, fix: `optional: ${search.fix}` };
  return { name, found: true, detail: `${search.version}, ${search.path}`, fix: '' };
}
