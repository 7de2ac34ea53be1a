/** The few functions of the CUDA driver that are used, through koffi. Loaded only in processes of their own. */
import koffi from 'koffi';
import { FathomError } from '../errors.ts';

export const CUDA_FIX =
  'run on a node with an NVIDIA GPU and its driver (`srun --gres=gpu:1`; in a container `apptainer --nv`), or take another engine';

/** An address on the device. */
export type DevicePointer = bigint;

/** A kernel of a loaded module. */
export type Kernel = object;

/** One GPU with a stream of its own. Every call that fails throws an error in words. */
export interface Cuda {
  readonly name: string;
  /** As `sm_90`. */
  readonly architecture: string;
  readonly multiprocessors: number;
  readonly l2Bytes: number;
  /** Newest CUDA that the driver knows, as `13.0`. */
  readonly driverVersion: string;
  freeBytes(): number;
  allocate(bytes: number): DevicePointer;
  free(pointer: DevicePointer): void;
  /** Waits for the stream, then copies. */
  upload(pointer: DevicePointer, values: Uint8Array): void;
  download(pointer: DevicePointer, bytes: number): Uint8Array;
  /** Loads machine code; returns its kernels by name. */
  load(image: Uint8Array): (name: string) => Kernel;
  /** Queues a kernel. `parameters` are the raw bytes of its arguments, one entry an argument. */
  launch(
    kernel: Kernel,
    grid: readonly [number, number, number],
    threads: number,
    parameters: readonly Uint8Array[],
  ): void;
  /** Records what `body` launches; the result launches it again. */
  capture(body: () => void): { launch(): void; free(): void };
  /** Waits until all that was launched is done. */
  synchronise(): void;
  /** Milliseconds that the device took for what `body` launches. */
  time(body: () => void): number;
  /** Most blocks of a kernel that a multiprocessor holds at once. */
  blocksPerMultiprocessor(kernel: Kernel, threads: number): number;
  close(): void;
}

/** What the commonest error codes mean here. */
const HINTS: Readonly<Record<number, string>> = {
  2: 'the GPU has too little free memory: train fewer networks at once, or end what else runs on it',
  100: CUDA_FIX,
  209: 'the kernels were compiled for another architecture',
  222: 'the driver is older than NVRTC: load an older CUDA module, or update the driver',
  700: 'a kernel read or wrote outside its memory; please report it with the output of compute-sanitizer',
  719: 'a kernel failed; please report it with the output of compute-sanitizer',
  803: 'driver and libcuda.so.1 do not match: in a container, pass the host’s driver through',
};

const MULTIPROCESSORS = 16;
const L2_BYTES = 38;
const MAJOR = 75;
const MINOR = 76;
const NON_BLOCKING = 1;
const THREAD_LOCAL = 1;

const prototypes = [
  'int cuInit(unsigned int flags)',
  'int cuDriverGetVersion(_Out_ int *version)',
  'int cuDeviceGetCount(_Out_ int *count)',
  'int cuDeviceGet(_Out_ int *device, int ordinal)',
  'int cuDeviceGetName(void *name, int length, int device)',
  'int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)',
  'int cuDevicePrimaryCtxRetain(_Out_ void **context, int device)',
  'int cuDevicePrimaryCtxRelease_v2(int device)',
  'int cuCtxSetCurrent(void *context)',
  'int cuModuleLoadData(_Out_ void **module, const void *image)',
  'int cuModuleUnload(void *module)',
  'int cuModuleGetFunction(_Out_ void **function, void *module, const char *name)',
  'int cuOccupancyMaxActiveBlocksPerMultiprocessor(_Out_ int *blocks, void *function, int threads, size_t shared)',
  'int cuMemAlloc_v2(_Out_ uint64_t *pointer, size_t bytes)',
  'int cuMemFree_v2(uint64_t pointer)',
  'int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes)',
  'int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes)',
  'int cuMemsetD8_v2(uint64_t pointer, unsigned char value, size_t bytes)',
  'int cuMemGetInfo_v2(_Out_ size_t *free, _Out_ size_t *total)',
  'int cuCtxSynchronize()',
  'int cuStreamCreate(_Out_ void **stream, unsigned int flags)',
  'int cuStreamDestroy_v2(void *stream)',
  'int cuStreamSynchronize(void *stream)',
  'int cuStreamBeginCapture_v2(void *stream, int mode)',
  'int cuStreamEndCapture(void *stream, _Out_ void **graph)',
  'int cuGraphInstantiateWithFlags(_Out_ void **exec, void *graph, uint64_t flags)',
  'int cuGraphLaunch(void *exec, void *stream)',
  'int cuGraphDestroy(void *graph)',
  'int cuGraphExecDestroy(void *exec)',
  'int cuLaunchKernel(void *function, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared, void *stream, void **parameters, void **extra)',
  'int cuEventCreate(_Out_ void **event, unsigned int flags)',
  'int cuEventDestroy_v2(void *event)',
  'int cuEventRecord(void *event, void *stream)',
  'int cuEventSynchronize(void *event)',
  'int cuEventElapsedTime(_Out_ float *milliseconds, void *start, void *end)',
  'int cuGetErrorString(int code, _Out_ const char **text)',
] as const;

type Call = (...values: unknown[]) => void;
type Driver = (name: string) => Call;

/** Loads the driver's library; its functions throw what they would return as codes. */
function loadDriver(file: string): Driver {
  const calls = new Map<string, Call>();
  try {
    const library = koffi.load(file);
    const raw = new Map<string, (...values: unknown[]) => number>();
    for (const prototype of prototypes) {
      const name = /int (\w+)\(/.exec(prototype)?.[1] as string;
      raw.set(name, library.func(prototype) as (...values: unknown[]) => number);
    }
    for (const [name, call] of raw)
      calls.set(name.replace(/_v2$/, ''), (...values) => {
        const code = call(...values);
        if (code !== 0) throw failure(name, code, raw);
      });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FathomError('unavailable', `${file} cannot be loaded as the CUDA driver: ${reason}`, {
      hint: CUDA_FIX,
      cause: error,
    });
  }
  return (name) => calls.get(name) as Call;
}

function failure(name: string, code: number, raw: ReadonlyMap<string, (...values: unknown[]) => number>): FathomError {
  const text: [string | null] = [null];
  raw.get('cuGetErrorString')?.(code, text);
  const hint = HINTS[code];
  return new FathomError(
    code === 100 ? 'unavailable' : 'task',
    `CUDA: ${name}: ${text[0] ?? `error ${code}`} (${code})`,
    hint === undefined ? {} : { hint },
  );
}

/**
 * Opens one GPU.
 *
 * @param file the driver's library, `libcuda.so.1`
 * @param ordinal which GPU of those that CUDA_VISIBLE_DEVICES leaves
 */
export function openCuda(file = 'libcuda.so.1', ordinal = 0): Cuda {
  const driver = loadDriver(file);
  const call = (name: string, ...values: unknown[]): void => driver(name)(...values);
  const asked = <T>(name: string, ...values: unknown[]): T => {
    const out: [T | null] = [null];
    driver(name)(out, ...values);
    return out[0] as T;
  };
  call('cuInit', 0);
  const device = asked<number>('cuDeviceGet', ordinal);
  const attribute = (which: number): number => asked<number>('cuDeviceGetAttribute', which, device);
  const context = asked<object>('cuDevicePrimaryCtxRetain', device);
  call('cuCtxSetCurrent', context);
  const stream = asked<object>('cuStreamCreate', NON_BLOCKING);
  const [start, end] = [asked<object>('cuEventCreate', 0), asked<object>('cuEventCreate', 0)];
  const modules: object[] = [];
  const synchronise = (): void => call('cuStreamSynchronize', stream);
  const version = asked<number>('cuDriverGetVersion');
  return {
    name: nameOf(driver, device),
    architecture: `sm_${attribute(MAJOR)}${attribute(MINOR)}`,
    multiprocessors: attribute(MULTIPROCESSORS),
    l2Bytes: attribute(L2_BYTES),
    driverVersion: `${Math.floor(version / 1000)}.${(version % 1000) / 10}`,
    freeBytes: () => {
      const [free, total] = [[0], [0]];
      call('cuMemGetInfo', free, total);
      return Number(free[0]);
    },
    allocate: (bytes) => {
      const pointer = BigInt(asked<number | bigint>('cuMemAlloc', bytes));
      call('cuMemsetD8', pointer, 0, bytes);
      // A stream made non-blocking does not wait for fills and copies, which may still be under way when they return.
      call('cuCtxSynchronize');
      return pointer;
    },
    free: (pointer) => call('cuMemFree', pointer),
    upload: (pointer, values) => {
      synchronise();
      call('cuMemcpyHtoD', pointer, values, values.byteLength);
      call('cuCtxSynchronize');
    },
    download: (pointer, bytes) => {
      synchronise();
      const values = new Uint8Array(bytes);
      call('cuMemcpyDtoH', values, pointer, bytes);
      return values;
    },
    load: (image) => {
      const module = asked<object>('cuModuleLoadData', image);
      modules.push(module);
      return (name) => asked<Kernel>('cuModuleGetFunction', module, name);
    },
    launch: (kernel, grid, threads, parameters) =>
      call('cuLaunchKernel', kernel, ...grid, threads, 1, 1, 0, stream, parameters, null),
    capture: (body) => {
      call('cuStreamBeginCapture', stream, THREAD_LOCAL);
      body();
      const out: [object | null] = [null];
      call('cuStreamEndCapture', stream, out);
      const exec = asked<object>('cuGraphInstantiateWithFlags', out[0], 0);
      call('cuGraphDestroy', out[0]);
      return { launch: () => call('cuGraphLaunch', exec, stream), free: () => call('cuGraphExecDestroy', exec) };
    },
    synchronise,
    time: (body) => {
      call('cuEventRecord', start, stream);
      body();
      call('cuEventRecord', end, stream);
      call('cuEventSynchronize', end);
      return asked<number>('cuEventElapsedTime', start, end);
    },
    blocksPerMultiprocessor: (kernel, threads) =>
      asked<number>('cuOccupancyMaxActiveBlocksPerMultiprocessor', kernel, threads, 0),
    close: () => {
      synchronise();
      for (const event of [start, end]) call('cuEventDestroy', event);
      call('cuStreamDestroy', stream);
      for (const module of modules) call('cuModuleUnload', module);
      call('cuDevicePrimaryCtxRelease', device);
    },
  };
}

function nameOf(driver: Driver, device: number): string {
  const bytes = new Uint8Array(256);
  driver('cuDeviceGetName')(bytes, bytes.length, device);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
