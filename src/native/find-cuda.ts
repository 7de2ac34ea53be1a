/** Finds what the engine `cuda` needs, in the manner of find.ts: the driver with a GPU, and NVRTC. Loads neither. */
import path from 'node:path';
import type { Requirement } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { inFolder, type Location } from './find.ts';
import { type CudaInspection, inspectCuda } from './inspect.ts';
import { findLibrary, type NativeSystem, thisMachine } from './system.ts';

const DRIVER_FIX =
  'run on a node with an NVIDIA GPU (`srun --gres=gpu:1`); in a container pass it through (`apptainer --nv`)';
const NVRTC_FIX =
  'load the site’s CUDA module, set NVRTC_LIB to a libnvrtc.so, or run `make nvrtc`, which takes it from pip (docs/engines.md)';

const names = ['libnvrtc.so.13', 'libnvrtc.so.12', 'libnvrtc.so'] as const;
/** Where pip's wheels of CUDA 13 and 12 put it. */
const inWheels = ['nvidia/cu13/lib/libnvrtc.so.13', 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12'] as const;
const SPEC = `import importlib.util as u
s = u.find_spec('nvidia')
print('\\n'.join(s.submodule_search_locations) if s else '')`;

/** The NVRTC that would be used; undefined if there is none. */
export function locateNvrtc(system: NativeSystem): Location | undefined {
  const asked = system.env['NVRTC_LIB'];
  if (asked !== undefined && asked !== '') return { path: path.resolve(asked), origin: 'NVRTC_LIB' };
  const toolkit = system.env['CUDA_HOME'] ?? system.env['CUDA_PATH'];
  const places: [string, string | undefined][] = [
    ...names.map((name): [string, string | undefined] => ['the CUDA toolkit', inFolder(toolkit, `lib64/${name}`)]),
    ...inWheels.map((file): [string, string] => ['`make nvrtc`', path.join(system.root, '.fathom/native/nvrtc', file)]),
    ...names.map((name): [string, string | undefined] => [
      'the active conda environment',
      inFolder(system.env['CONDA_PREFIX'], `lib/${name}`),
    ]),
  ];
  for (const [origin, file] of places) if (file !== undefined && system.exists(file)) return { path: file, origin };
  const loader = findLibrary(system, names);
  if (loader !== undefined) return { path: loader, origin: "the loader's folders" };
  for (const folder of (system.run('python3', ['-c', SPEC]) ?? '').split('\n').filter((line) => line !== ''))
    for (const file of inWheels) {
      const found = path.join(path.dirname(folder), file);
      if (system.exists(found)) return { path: found, origin: 'python3' };
    }
  return undefined;
}

/** The driver's library: `CUDA_LIB`, or what the loader finds under its usual name. */
export function locateDriver(system: NativeSystem): string | undefined {
  const asked = system.env['CUDA_LIB'];
  return asked !== undefined && asked !== '' ? path.resolve(asked) : findLibrary(system, ['libcuda.so.1']);
}

export type CudaSearch =
  | ({ readonly found: true; readonly driver: string; readonly nvrtc: string } & Extract<
      CudaInspection,
      { gpus: unknown }
    >)
  | { readonly found: false; readonly reason: string; readonly fix: string };

/** Looks for a GPU that networks can be trained on. */
export function searchCuda(system: NativeSystem): CudaSearch {
  const driver = locateDriver(system);
  if (driver === undefined) return { found: false, reason: 'no CUDA driver (libcuda.so.1) was found', fix: DRIVER_FIX };
  const nvrtc = locateNvrtc(system);
  if (nvrtc === undefined) return { found: false, reason: 'no NVRTC (libnvrtc.so) was found', fix: NVRTC_FIX };
  const inspected = inspectCuda(system, driver, nvrtc.path);
  if ('error' in inspected) return { found: false, reason: `${driver}: ${inspected.error}`, fix: DRIVER_FIX };
  if (inspected.gpus.length === 0) return { found: false, reason: `${driver} finds no GPU`, fix: DRIVER_FIX };
  return { found: true, driver, nvrtc: nvrtc.path, ...inspected };
}

/** As `searchCuda`, where the answer must be a GPU. */
export function requireCuda(system: NativeSystem = thisMachine()): Extract<CudaSearch, { found: true }> {
  const search = searchCuda(system);
  if (!search.found) throw new FathomError('unavailable', search.reason, { hint: search.fix });
  return search;
}

/** Answers by what they depend on, so that a plan with many networks asks once. */
const answers = new Map<string, CudaSearch>();

/** For stages: what the plan asks for before it counts on a GPU. */
export const cudaRequirement: Requirement = {
  name: 'cuda',
  probe: async () => {
    const system = thisMachine();
    const key = JSON.stringify([locateDriver(system) ?? null, system.env['CUDA_VISIBLE_DEVICES'] ?? null]);
    const search = answers.get(key) ?? searchCuda(system);
    answers.set(key, search);
    if (!search.found) return search;
    const [gpu] = search.gpus;
    return { found: true, version: `${gpu?.architecture} NVRTC ${search.nvrtcVersion}`, path: search.driver };
  },
};
