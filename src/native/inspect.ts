/** Asks a library what it is, in a short process of its own: a file that crashes when loaded takes only that with it. */
import { packageRoot } from '../paths.ts';
import type { NativeSystem } from './system.ts';

export type Inspection =
  | {
      readonly version: string;
      /** What `XGBuildInfo` says: compiler, `USE_CUDA`, `USE_NCCL` and more. */
      readonly build: Readonly<Record<string, unknown>>;
    }
  | { readonly error: string };

/** A script that loads the library named by its first argument, runs `questions` and prints their `answer`. */
const script = (questions: string): string => `
const { createRequire } = await import('node:module');
const koffi = createRequire(process.argv[2] + '/')('koffi');
const answer = (value) => console.log(JSON.stringify(value));
try {
  const library = koffi.load(process.argv[1]);
  ${questions}
} catch (error) {
  answer({ error: String(error.message).split('\\n')[0] });
}`;

const XGBOOST = script(`
  const [a, b, c] = [[0], [0], [0]];
  library.func('void XGBoostVersion(_Out_ int *a, _Out_ int *b, _Out_ int *c)')(a, b, c);
  const info = [null];
  let build = {};
  try {
    library.func('int XGBuildInfo(_Out_ const char **out)')(info);
    build = JSON.parse(info[0]);
  } catch {}
  answer({ version: [a[0], b[0], c[0]].join('.'), build });`);

const OPENBLAS = script(`
  const named = (name) => {
    try {
      return library.func('const char *scipy_' + name + '()');
    } catch {
      return library.func('const char *' + name + '()');
    }
  };
  answer({ config: named('openblas_get_config')(), core: named('openblas_get_corename')() });`);

const CUDA = script(`
  const nvrtc = koffi.load(process.argv[3]);
  const asked = (name, type, ...values) => {
    const out = [0];
    const code = library.func('int ' + name + '(_Out_ ' + type + ' *out' + values.map((_, i) => ', int v' + i).join('') + ')')(out, ...values);
    if (code !== 0) throw new Error(name + ' returns ' + code);
    return Number(out[0]);
  };
  const code = library.func('int cuInit(unsigned int flags)')(0);
  const driver = asked('cuDriverGetVersion', 'int');
  const [major, minor] = [[0], [0]];
  nvrtc.func('int nvrtcVersion(_Out_ int *a, _Out_ int *b)')(major, minor);
  const gpus = [];
  for (let i = 0; code === 0 && i < asked('cuDeviceGetCount', 'int'); i++) {
    const device = asked('cuDeviceGet', 'int', i);
    const name = Buffer.alloc(256);
    library.func('int cuDeviceGetName(void *name, int length, int device)')(name, 256, device);
    const attribute = (which) => asked('cuDeviceGetAttribute', 'int', which, device);
    gpus.push({
      name: name.toString('utf8', 0, name.indexOf(0)),
      architecture: 'sm_' + attribute(75) + attribute(76),
      memoryMb: Math.round(asked('cuDeviceTotalMem_v2', 'size_t', device) / 2 ** 20),
    });
  }
  answer({
    driverVersion: Math.floor(driver / 1000) + '.' + (driver % 1000) / 10,
    nvrtcVersion: major[0] + '.' + minor[0],
    gpus,
  });`);

export type CudaInspection =
  | {
      /** Newest CUDA that the driver knows, as `13.0`. */
      readonly driverVersion: string;
      readonly nvrtcVersion: string;
      readonly gpus: readonly { readonly name: string; readonly architecture: string; readonly memoryMb: number }[];
    }
  | { readonly error: string };

/** Loads driver and NVRTC in another Node and returns what they are and which GPUs there are. */
export function inspectCuda(system: Pick<NativeSystem, 'run'>, driver: string, nvrtc: string): CudaInspection {
  return ask(system, CUDA, driver, nvrtc) as CudaInspection;
}

/** Loads the library in another Node and returns its version and build. About 0.1 s. */
export function inspectXgboost(system: Pick<NativeSystem, 'run'>, file: string): Inspection {
  return ask(system, XGBOOST, file) as Inspection;
}

export type OpenblasInspection =
  | {
      /** As `OpenBLAS 0.3.34 DYNAMIC_ARCH ...`. */
      readonly config: string;
      /** The kernels it takes on this CPU, as `SkylakeX`. */
      readonly core: string;
    }
  | { readonly error: string };

/** Loads the library in another Node and returns how it was built and for which CPU it computes. About 0.1 s. */
export function inspectOpenblas(system: Pick<NativeSystem, 'run'>, file: string): OpenblasInspection {
  return ask(system, OPENBLAS, file) as OpenblasInspection;
}

function ask(system: Pick<NativeSystem, 'run'>, questions: string, file: string, ...more: string[]): unknown {
  const text = system.run(process.execPath, ['--input-type=module', '-e', questions, file, packageRoot, ...more]);
  return text === undefined ? { error: 'loading it ends the process' } : JSON.parse(text);
}
