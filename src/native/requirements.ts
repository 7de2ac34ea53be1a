/** What `fathom doctor` says of native libraries on this node. Nothing is loaded into the asking process. */
import path from 'node:path';
import { searchXgboost, XGBOOST_FIX } from './find.ts';
import { inspectOpenblas, inspectXgboost } from './inspect.ts';
import { OPENBLAS_FIX, searchOpenblas } from './openblas.ts';
import { findLibrary, type NativeSystem, thisMachine } from './system.ts';

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
  return [glibc(system), xgboost(system), nvidiaDriver(system), nvrtc(system), openblas(system), tensorflow(system)];
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

function nvidiaDriver(system: NativeSystem): LibraryFact {
  const name = 'NVIDIA driver';
  const fix = 'run on a node with a GPU (`srun --gres=gpu:1`); in a container pass it through (`apptainer --nv`)';
  const library = findLibrary(system, ['libcuda.so.1']);
  const gpus = system
    .run('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'])
    ?.trim()
    .split('\n');
  if (gpus !== undefined && gpus[0] !== '')
    return { name, found: true, detail: `${gpus.join('; ')}${library === undefined ? '' : `, ${library}`}`, fix: '' };
  if (library !== undefined) return { name, found: true, detail: `${library}, but nvidia-smi shows no GPU`, fix };
  return { name, found: false, detail: 'no libcuda.so.1 and no GPU that nvidia-smi shows', fix };
}

function nvrtc(system: NativeSystem): LibraryFact {
  const names = ['libnvrtc.so.13', 'libnvrtc.so.12', 'libnvrtc.so'];
  const toolkit = system.env['CUDA_HOME'] ?? system.env['CUDA_PATH'];
  const inToolkit =
    toolkit === undefined
      ? undefined
      : names.map((name) => path.join(toolkit, 'lib64', name)).find((file) => system.exists(file));
  const file = inToolkit ?? findLibrary(system, names);
  return {
    name: 'NVRTC',
    found: file !== undefined,
    detail: file ?? 'no libnvrtc.so; no engine of this version uses it yet',
    fix: 'load the site’s CUDA module',
  };
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
  const found = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].find((name) =>
    system.exists(path.join(system.root, 'node_modules', name, 'package.json')),
  );
  return {
    name: 'TensorFlow.js',
    found: found !== undefined,
    detail: found === undefined ? 'no optional package @tensorflow/tfjs-node-gpu' : `${found} is installed`,
    fix: 'optional: only experiments that ask for the engine "tensorflow" need it',
  };
}
