/**
 * The C API of libxgboost, function by function, through koffi. Only synchronous calls: the error text and the
 * configuration of XGBoost belong to the calling thread, so koffi's asynchronous calls would lose both. A call blocks
 * the event loop; train in a process of your own.
 * Reference: https://xgboost.readthedocs.io/en/stable/c.html
 */
import koffi from 'koffi';
import { FathomError } from '../../errors.ts';

/** A pointer to an object of the library. Whoever made it frees it. */
export type Handle = bigint & { readonly handle: 'xgboost' };

/** A vector or matrix of numbers that XGBoost reads in place during a call. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array;

const types: readonly (readonly [new (length: number) => Numbers, string])[] = [
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
  [Int32Array, '<i4'],
  [Uint32Array, '<u4'],
];

/** The array interface of numpy: an address, a type and a shape as JSON. Keep `values` alive during the call. */
export function arrayInterface(values: Numbers, shape: readonly number[] = [values.length]): string {
  const typestr = types.find(([type]) => values instanceof type)?.[1];
  return JSON.stringify({ data: [Number(koffi.address(values)), true], shape, typestr, version: 3 });
}

/** Columns of a table, each where it lies, as one JSON array of array interfaces. */
export function columnsInterface(columns: readonly Numbers[]): string {
  return `[${columns.map((column) => arrayInterface(column)).join(',')}]`;
}

type Out<T> = [T | null];
type MatrixFrom = (data: string, config: string, out: Out<Handle>) => number;

/** Declares the functions of a loaded library. */
function declare(file: string) {
  const library = koffi.load(file);
  /** A function that older libraries lack; undefined there. */
  const younger = (prototype: string): MatrixFrom | undefined => {
    try {
      return library.func(prototype) as MatrixFrom;
    } catch {
      return undefined;
    }
  };
  return {
    matrixFromColumns: younger(
      'int XGDMatrixCreateFromColumnar(const char *data, const char *config, _Out_ void **out)',
    ),
    lastError: library.func('const char *XGBGetLastError()') as () => string,
    version: library.func('void XGBoostVersion(_Out_ int *major, _Out_ int *minor, _Out_ int *patch)') as (
      ...out: [[number], [number], [number]]
    ) => void,
    buildInfo: library.func('int XGBuildInfo(_Out_ const char **out)') as (out: Out<string>) => number,
    matrixFromDense: library.func(
      'int XGDMatrixCreateFromDense(const char *data, const char *config, _Out_ void **out)',
    ) as MatrixFrom,
    matrixSetInfo: library.func(
      'int XGDMatrixSetInfoFromInterface(void *matrix, const char *field, const char *data)',
    ) as (matrix: Handle, field: string, data: string) => number,
    matrixSetNames: library.func(
      'int XGDMatrixSetStrFeatureInfo(void *matrix, const char *field, const char **names, uint64_t size)',
    ) as (matrix: Handle, field: string, names: readonly string[], size: number) => number,
    matrixFree: library.func('int XGDMatrixFree(void *matrix)') as (matrix: Handle) => number,
    boosterCreate: library.func('int XGBoosterCreate(void **matrices, uint64_t size, _Out_ void **out)') as (
      matrices: readonly Handle[],
      size: number,
      out: Out<Handle>,
    ) => number,
    boosterFree: library.func('int XGBoosterFree(void *booster)') as (booster: Handle) => number,
    boosterSetParameter: library.func('int XGBoosterSetParam(void *booster, const char *name, const char *value)') as (
      booster: Handle,
      name: string,
      value: string,
    ) => number,
    boosterSetNames: library.func(
      'int XGBoosterSetStrFeatureInfo(void *booster, const char *field, const char **names, uint64_t size)',
    ) as (booster: Handle, field: string, names: readonly string[], size: number) => number,
    boosterUpdate: library.func('int XGBoosterUpdateOneIter(void *booster, int round, void *matrix)') as (
      booster: Handle,
      round: number,
      matrix: Handle,
    ) => number,
    boosterEvaluate: library.func(
      'int XGBoosterEvalOneIter(void *booster, int round, void **matrices, const char **names, uint64_t size, _Out_ const char **out)',
    ) as (
      booster: Handle,
      round: number,
      matrices: readonly Handle[],
      names: readonly string[],
      size: number,
      out: Out<string>,
    ) => number,
    boosterPredict: library.func(
      'int XGBoosterPredictFromDMatrix(void *booster, void *matrix, const char *config, _Out_ void **shape, _Out_ uint64_t *dimensions, _Out_ void **result)',
    ) as (
      booster: Handle,
      matrix: Handle,
      config: string,
      shape: Out<bigint>,
      dimensions: Out<number | bigint>,
      result: Out<bigint>,
    ) => number,
    boosterScore: library.func(
      'int XGBoosterFeatureScore(void *booster, const char *config, _Out_ uint64_t *features, _Out_ void **names, _Out_ uint64_t *dimensions, _Out_ void **shape, _Out_ void **scores)',
    ) as (
      booster: Handle,
      config: string,
      features: Out<number | bigint>,
      names: Out<bigint>,
      dimensions: Out<number | bigint>,
      shape: Out<bigint>,
      scores: Out<bigint>,
    ) => number,
    boosterSave: library.func(
      'int XGBoosterSaveModelToBuffer(void *booster, const char *config, _Out_ uint64_t *size, _Out_ void **bytes)',
    ) as (booster: Handle, config: string, size: Out<number | bigint>, bytes: Out<bigint>) => number,
    boosterLoad: library.func('int XGBoosterLoadModelFromBuffer(void *booster, const void *bytes, uint64_t size)') as (
      booster: Handle,
      bytes: Uint8Array,
      size: number,
    ) => number,
    boosterConfig: library.func(
      'int XGBoosterSaveJsonConfig(void *booster, _Out_ uint64_t *size, _Out_ const char **out)',
    ) as (booster: Handle, size: Out<number | bigint>, out: Out<string>) => number,
    boosterRounds: library.func('int XGBoosterBoostedRounds(void *booster, _Out_ int *rounds)') as (
      booster: Handle,
      rounds: Out<number>,
    ) => number,
    boosterSetAttribute: library.func('int XGBoosterSetAttr(void *booster, const char *key, const char *value)') as (
      booster: Handle,
      key: string,
      value: string,
    ) => number,
    boosterGetAttribute: library.func(
      'int XGBoosterGetAttr(void *booster, const char *key, _Out_ const char **out, _Out_ int *found)',
    ) as (booster: Handle, key: string, out: Out<string>, found: Out<number>) => number,
  };
}

export type XgboostFunctions = ReturnType<typeof declare>;

/** A loaded library. */
export interface Xgboost {
  readonly path: string;
  /** As `3.2.0`. */
  readonly version: string;
  /** True if it was built with CUDA. Any other build would train on the CPU without an error when asked for a GPU. */
  readonly hasCuda: boolean;
  readonly c: XgboostFunctions;
  /** Throws the library's own error text unless `status` is 0. */
  check(status: number, doing: string): void;
}

const loaded = new Map<string, Xgboost>();

/** Loads a library, once a process. The caller has checked the version: see native/find.ts. */
export function loadXgboost(file: string): Xgboost {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  let c: XgboostFunctions;
  try {
    c = declare(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FathomError('unavailable', `${file} cannot be loaded as libxgboost: ${reason}`, { cause: error });
  }
  const check = (status: number, doing: string): void => {
    if (status !== 0) throw xgboostFailure(doing, c.lastError());
  };
  const [major, minor, patch]: [[number], [number], [number]] = [[0], [0], [0]];
  c.version(major, minor, patch);
  const info: Out<string> = [null];
  check(c.buildInfo(info), 'to say how it was built');
  const build = JSON.parse(info[0] ?? '{}') as Record<string, unknown>;
  const xgboost: Xgboost = {
    path: file,
    version: `${major[0]}.${minor[0]}.${patch[0]}`,
    hasCuda: build['USE_CUDA'] === true,
    c,
    check,
  };
  loaded.set(file, xgboost);
  return xgboost;
}

/** What XGBoost says of a call that failed, as an error of ours. */
export function xgboostFailure(doing: string, message: string): FathomError {
  const isMemory = /out of memory|bad_alloc|memory allocation/i.test(message);
  return new FathomError(
    'task',
    `XGBoost failed ${doing}: ${essence(message)}`,
    isMemory
      ? {
          hint: 'the GPU or the machine has too little free memory: end what else runs on it, set `device: cpu`, or train on fewer rows or shallower trees',
        }
      : {},
  );
}

/** XGBoost's message without the time, which would differ from run to run, and without its stack. */
function essence(message: string): string {
  const [text = ''] = message.split(/\n\s*Stack trace:/);
  return text.replace(/^\[\d\d:\d\d:\d\d\] /, '').trim();
}

/** The value of an out parameter after a call that succeeded. */
export function outOf<T>(out: Out<T>): T {
  if (out[0] === null) throw new FathomError('internal', 'XGBoost left a result empty');
  return out[0];
}

/** A copy of float32 numbers that belong to the library. */
export function copyFloats(pointer: bigint, length: number): Float32Array {
  return length === 0 ? new Float32Array(0) : new Float32Array(koffi.view(pointer, length * 4)).slice();
}

/** A copy of uint64 numbers that belong to the library. */
export function copySizes(pointer: bigint, length: number): number[] {
  return length === 0 ? [] : Array.from(new BigUint64Array(koffi.view(pointer, length * 8)), Number);
}

/** A copy of bytes that belong to the library. */
export function copyBytes(pointer: bigint, length: number): Uint8Array {
  return new Uint8Array(koffi.view(pointer, length)).slice();
}

/** Strings that belong to the library. */
export function copyStrings(pointer: bigint, length: number): string[] {
  return length === 0 ? [] : (koffi.decode(pointer, koffi.array('const char *', length)) as string[]);
}
