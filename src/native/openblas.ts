/**
 * Finds OpenBLAS without loading it, in the manner of find.ts: the first place that holds one decides, and one that
 * cannot be used is an error that names it.
 */
import path from 'node:path';
import type { Requirement } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { inFolder, isAtLeast, type Location, type Search, whyNoLibrary } from './find.ts';
import { inspectOpenblas } from './inspect.ts';
import { findLibrary, type NativeSystem, thisMachine } from './system.ts';

/** The oldest version that is tested: Debian 12's. */
const OLDEST_OPENBLAS = '0.3.21';
export const OPENBLAS_FIX =
  'run `make native`, or set OPENBLAS_LIB to a libopenblas.so of version 0.3.21 or newer (environment.md); the engine wasm needs none';

/** PyPI's scipy-openblas32: functions have the prefix `scipy_`. */
const WHEEL_LIBRARY = 'scipy_openblas32/lib/libscipy_openblas.so';

/** The library that would be used; undefined if there is none. Starts nothing. */
export function locateOpenblas(system: NativeSystem): Location | undefined {
  const asked = system.env['OPENBLAS_LIB'];
  if (asked !== undefined && asked !== '') return { path: path.resolve(asked), origin: 'OPENBLAS_LIB' };
  const own = path.join(system.root, '.fathom/native/openblas', WHEEL_LIBRARY);
  if (system.exists(own)) return { path: own, origin: '`make native`' };
  const conda = inFolder(system.env['CONDA_PREFIX'], 'lib/libopenblas.so.0');
  if (conda !== undefined && system.exists(conda)) return { path: conda, origin: 'the active conda environment' };
  const loader = findLibrary(system, ['libopenblas.so.0', 'libopenblas.so']);
  return loader === undefined ? undefined : { path: loader, origin: "the loader's folders" };
}

/** The version in a configuration like `OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH`, or why it cannot be used. */
export function readConfig(config: string): { version: string } | { reason: string } {
  const version = /^OpenBLAS\s+v?(\d+(?:\.\d+)+)/.exec(config)?.[1];
  if (version === undefined) return { reason: `it says of itself "${config}"` };
  // Such builds take sizes as 64-bit integers under the same names: calls would read what is not there.
  if (config.includes('USE64BITINT')) return { reason: 'it is built for 64-bit sizes' };
  return { version };
}

/** The wheel says its version in a text file; any other library is asked in a short process of its own. */
function versionOf(system: NativeSystem, file: string): { version: string } | { reason: string } {
  const reason = whyNoLibrary(system, file);
  if (reason !== undefined) return { reason };
  if (file.endsWith(WHEEL_LIBRARY)) {
    const text = system.readText(path.join(path.dirname(file), 'pkgconfig/scipy-openblas.pc')) ?? '';
    const version = /^version=(\d+(?:\.\d+)+)$/m.exec(text)?.[1];
    if (version !== undefined) return { version };
  }
  const inspected = inspectOpenblas(system, file);
  return 'error' in inspected ? { reason: inspected.error } : readConfig(inspected.config);
}

/** Looks for a library that the engine supports. */
export function searchOpenblas(system: NativeSystem): Search {
  const needed = `${OLDEST_OPENBLAS} or newer is needed`;
  const located = locateOpenblas(system);
  if (located === undefined) return { found: false, reason: `no OpenBLAS was found (${needed})`, fix: OPENBLAS_FIX };
  const answer = versionOf(system, located.path);
  const where = `${located.path} (found by ${located.origin})`;
  if ('reason' in answer)
    return {
      found: false,
      reason: `${where} cannot be used: ${answer.reason}; OpenBLAS ${needed}`,
      fix: OPENBLAS_FIX,
    };
  if (!isAtLeast(answer.version, OLDEST_OPENBLAS))
    return { found: false, reason: `${where} is OpenBLAS ${answer.version}; ${needed}`, fix: OPENBLAS_FIX };
  return { found: true, version: answer.version, ...located };
}

/** As `searchOpenblas`, where the answer must be a library. */
export function requireOpenblas(system: NativeSystem = thisMachine()): Extract<Search, { found: true }> {
  const search = searchOpenblas(system);
  if (!search.found) throw new FathomError('unavailable', search.reason, { hint: search.fix });
  return search;
}

/** Answers by library and its stamp, so that a plan with many networks asks once. */
const answers = new Map<string, Search>();

/** For stages: what the plan asks for before it counts on OpenBLAS. */
export const openblasRequirement: Requirement = {
  name: 'openblas',
  probe: async () => {
    const system = thisMachine();
    const located = locateOpenblas(system);
    const key = JSON.stringify([located ?? null, located === undefined ? null : (system.stamp(located.path) ?? null)]);
    const search = answers.get(key) ?? searchOpenblas(system);
    answers.set(key, search);
    return search.found ? { found: true, version: search.version, path: search.path } : search;
  },
};
