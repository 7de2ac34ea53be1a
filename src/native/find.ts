/**
 * Finds libxgboost without loading it: the process that plans stays free of native code. The first place that holds
 * one decides. A library that is too old, or no library at all, is an error that names it, never a reason to look on:
 * results must not depend on which library happened to be usable.
 */
import path from 'node:path';
import type { Requirement } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { inspectXgboost } from './inspect.ts';
import { findLibrary, type NativeSystem, thisMachine } from './system.ts';

/** The oldest version whose C API and `device` parameter the binding relies on. */
export const OLDEST_XGBOOST = '2.0.0';
export const XGBOOST_FIX =
  'run `make native`, or set XGBOOST_LIB to a libxgboost.so of version 2.0 or newer (environment.md)';

/** A library file and the rule that led to it. */
export interface Location {
  readonly path: string;
  /** As shown: "XGBOOST_LIB", "the active virtual environment". */
  readonly origin: string;
}

export type Search =
  | ({ readonly found: true; readonly version: string } & Location)
  | { readonly found: false; readonly reason: string; readonly fix: string };

const WHEEL_LIBRARY = 'xgboost/lib/libxgboost.so';
const SPEC = `import importlib.util as u, os
s = u.find_spec('xgboost')
print(os.path.join(os.path.dirname(s.origin), 'lib', 'libxgboost.so') if s and s.origin else '')
print(os.path.join(os.path.dirname(os.path.dirname(s.origin)), 'lib', 'libxgboost.so') if s and s.origin else '')`;

/** The library that would be used; undefined if there is none. Cheap: at most three short Python processes. */
export function locateXgboost(system: NativeSystem): Location | undefined {
  const { env } = system;
  const asked = env['XGBOOST_LIB'];
  if (asked !== undefined && asked !== '') return { path: path.resolve(asked), origin: 'XGBOOST_LIB' };
  const own = path.join(system.root, '.fathom/native/python', WHEEL_LIBRARY);
  if (system.exists(own)) return { path: own, origin: '`make native`' };
  const pythons: [string, string | undefined][] = [
    ['the active virtual environment', inFolder(env['VIRTUAL_ENV'], 'bin/python')],
    ['the active conda environment', inFolder(env['CONDA_PREFIX'], 'bin/python')],
    ['python3', 'python3'],
  ];
  for (const [origin, python] of pythons) {
    if (python === undefined) continue;
    const library = libraryOfPython(system, python);
    if (library !== undefined) return { path: library, origin };
  }
  const conda = inFolder(env['CONDA_PREFIX'], 'lib/libxgboost.so');
  if (conda !== undefined && system.exists(conda)) return { path: conda, origin: 'the active conda environment' };
  const loader = findLibrary(system, ['libxgboost.so', 'libxgboost.so.0', 'libxgboost.so.1']);
  return loader === undefined ? undefined : { path: loader, origin: "the loader's folders" };
}

/** A file below a folder that a variable names; undefined if it names none. */
export function inFolder(folder: string | undefined, file: string): string | undefined {
  return folder === undefined || folder === '' ? undefined : path.join(folder, file);
}

/** Where a Python would find its xgboost. The package is not imported: that takes seconds and may start CUDA. */
function libraryOfPython(system: NativeSystem, python: string): string | undefined {
  const lines = (system.run(python, ['-c', SPEC]) ?? '').split('\n').map((line) => line.trim());
  return lines.find((file) => file !== '' && system.exists(file));
}

/** Why a file cannot be a library, by its first bytes; undefined if it may be one. */
export function whyNoLibrary(system: NativeSystem, file: string): string | undefined {
  const start = system.readStart(file, 4);
  if (start === undefined) return 'the file is missing or cannot be read';
  const isLibrary = start[0] === 0x7f && String.fromCharCode(...start.subarray(1)) === 'ELF';
  return isLibrary ? undefined : 'the file is not a shared library';
}

/**
 * The version of a library file. A wheel says it in a text file beside it; any other library is asked in a short
 * process of its own.
 */
function versionOf(system: NativeSystem, file: string): { version: string } | { reason: string } {
  const reason = whyNoLibrary(system, file);
  if (reason !== undefined) return { reason };
  if (file.endsWith(WHEEL_LIBRARY)) {
    const text = system.readText(path.join(path.dirname(file), '../VERSION'))?.trim();
    if (text !== undefined && /^\d+\.\d+/.test(text)) return { version: text };
  }
  const inspected = inspectXgboost(system, file);
  return 'error' in inspected ? { reason: inspected.error } : { version: inspected.version };
}

/** True if `version` is `oldest` or newer; both as `2.1.3`. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [ours, theirs] = [version, oldest].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) {
    const [a, b] = [ours?.[i] ?? 0, theirs?.[i] ?? 0];
    if (!(a >= b)) return false;
    if (a > b) return true;
  }
  return true;
}

/** Looks for a library that the binding supports. */
export function searchXgboost(system: NativeSystem): Search {
  const located = locateXgboost(system);
  if (located === undefined)
    return { found: false, reason: `no libxgboost was found (${OLDEST_XGBOOST} or newer is needed)`, fix: XGBOOST_FIX };
  const answer = versionOf(system, located.path);
  const where = `${located.path} (found by ${located.origin})`;
  if ('reason' in answer)
    return {
      found: false,
      reason: `${where} cannot be used: ${answer.reason}; libxgboost ${OLDEST_XGBOOST} or newer is needed`,
      fix: XGBOOST_FIX,
    };
  if (!isAtLeast(answer.version, OLDEST_XGBOOST))
    return {
      found: false,
      reason: `${where} is libxgboost ${answer.version}; ${OLDEST_XGBOOST} or newer is needed`,
      fix: XGBOOST_FIX,
    };
  return { found: true, version: answer.version, ...located };
}

/** As `searchXgboost`, where the answer must be a library. */
export function requireXgboost(system: NativeSystem = thisMachine()): Extract<Search, { found: true }> {
  const search = searchXgboost(system);
  if (!search.found) throw new FathomError('unavailable', search.reason, { hint: search.fix });
  return search;
}

/** Answers by what they depend on, so that a plan with many boosting stages searches once. */
const answers = new Map<string, Search>();

/** For stages: what the plan asks for before it counts on XGBoost. */
export const xgboostRequirement: Requirement = {
  name: 'xgboost',
  probe: async () => {
    const system = thisMachine();
    const { XGBOOST_LIB, VIRTUAL_ENV, CONDA_PREFIX, LD_LIBRARY_PATH, PATH } = system.env;
    const located = locateXgboost(system);
    const key = JSON.stringify([
      XGBOOST_LIB,
      VIRTUAL_ENV,
      CONDA_PREFIX,
      LD_LIBRARY_PATH,
      PATH,
      located === undefined ? null : (system.stamp(located.path) ?? null),
    ]);
    const search = answers.get(key) ?? searchXgboost(system);
    answers.set(key, search);
    return search.found ? { found: true, version: search.version, path: search.path } : search;
  },
};
