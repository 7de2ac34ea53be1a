/** NVRTC, NVIDIA's run-time compiler, through koffi: CUDA C to machine code without a toolkit, headers or a host compiler. */
import koffi from 'koffi';
import { FathomError } from '../errors.ts';

/** Machine code of one program, and what the assembler says of its kernels. */
export interface Compiled {
  readonly image: Uint8Array;
  readonly kernels: readonly KernelResources[];
}

export interface KernelResources {
  readonly name: string;
  readonly registers: number;
  /** Bytes of registers that went to memory. */
  readonly spilledBytes: number;
  readonly sharedBytes: number;
}

type Handle = object;
type Out<T> = [T | null];

interface Nvrtc {
  version(major: Out<number>, minor: Out<number>): number;
  text(code: number): string;
  create(program: Out<Handle>, source: string, name: string, count: number, headers: string[], names: string[]): number;
  compile(program: Handle, count: number, options: string[]): number;
  logSize(program: Handle, size: Out<number>): number;
  log(program: Handle, buffer: Uint8Array): number;
  cubinSize(program: Handle, size: Out<number>): number;
  cubin(program: Handle, buffer: Uint8Array): number;
  destroy(program: Out<Handle>): number;
}

const loaded = new Map<string, Nvrtc>();

function load(file: string): Nvrtc {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  let nvrtc: Nvrtc;
  try {
    const library = koffi.load(file);
    nvrtc = {
      version: library.func('int nvrtcVersion(_Out_ int *major, _Out_ int *minor)'),
      text: library.func('const char *nvrtcGetErrorString(int code)'),
      create: library.func(
        'int nvrtcCreateProgram(_Out_ void **program, const char *source, const char *name, int count, const char **headers, const char **names)',
      ),
      compile: library.func('int nvrtcCompileProgram(void *program, int count, const char **options)'),
      logSize: library.func('int nvrtcGetProgramLogSize(void *program, _Out_ size_t *size)'),
      log: library.func('int nvrtcGetProgramLog(void *program, void *buffer)'),
      cubinSize: library.func('int nvrtcGetCUBINSize(void *program, _Out_ size_t *size)'),
      cubin: library.func('int nvrtcGetCUBIN(void *program, void *buffer)'),
      destroy: library.func('int nvrtcDestroyProgram(_Inout_ void **program)'),
    } as unknown as Nvrtc;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FathomError('unavailable', `${file} cannot be loaded as NVRTC: ${reason}`, {
      hint: 'load the site’s CUDA module, or set NVRTC_LIB to a libnvrtc.so (docs/engines.md)',
      cause: error,
    });
  }
  loaded.set(file, nvrtc);
  return nvrtc;
}

/** As `13.2`. */
export function nvrtcVersion(file: string): string {
  const [major, minor]: [Out<number>, Out<number>] = [[null], [null]];
  load(file).version(major, minor);
  return `${major[0]}.${minor[0]}`;
}

/**
 * Compiles a program for one architecture.
 *
 * @param file NVRTC's library
 * @param headers what the source includes, by name
 * @param architecture as `sm_90`
 * @throws FathomError `internal` with the compiler's words if it refuses the source
 */
export function compileCuda(
  file: string,
  source: string,
  headers: Readonly<Record<string, string>>,
  architecture: string,
  options: readonly string[] = [],
): Compiled {
  const nvrtc = load(file);
  const names = Object.keys(headers);
  const program: Out<Handle> = [null];
  const check = (code: number, what: string): void => {
    if (code !== 0) throw new FathomError('internal', `NVRTC: ${what}: ${nvrtc.text(code)}`);
  };
  check(nvrtc.create(program, source, 'mtl.cu', names.length, Object.values(headers), names), 'create');
  const handle = program[0] as Handle;
  try {
    const all = [`--gpu-architecture=${architecture}`, '--std=c++17', '--ptxas-options=-v', ...options];
    const code = nvrtc.compile(handle, all.length, all);
    const log = textOf(handle, nvrtc.logSize, nvrtc.log);
    if (code !== 0)
      throw new FathomError('internal', `NVRTC refuses the kernels for ${architecture}: ${nvrtc.text(code)}\n${log}`);
    const image = bytesOf(handle, nvrtc.cubinSize, nvrtc.cubin);
    return { image, kernels: readResources(log) };
  } finally {
    nvrtc.destroy(program);
  }
}

function bytesOf(handle: Handle, size: Nvrtc['logSize'], fill: Nvrtc['log']): Uint8Array {
  const length: Out<number> = [null];
  size(handle, length);
  const bytes = new Uint8Array(Number(length[0]));
  fill(handle, bytes);
  return bytes;
}

function textOf(handle: Handle, size: Nvrtc['logSize'], fill: Nvrtc['log']): string {
  return new TextDecoder().decode(bytesOf(handle, size, fill)).replaceAll('\0', '');
}

/** The lines of `ptxas -v`: one names the kernel, those below say its spills and registers. */
export function readResources(log: string): KernelResources[] {
  const kernels: KernelResources[] = [];
  for (const line of log.split('\n')) {
    const name = /Compiling entry function '(\w+)'/.exec(line)?.[1];
    if (name !== undefined) kernels.push({ name, registers: 0, spilledBytes: 0, sharedBytes: 0 });
    const last = kernels.at(-1);
    if (last === undefined) continue;
    const spills = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    const registers = /Used (\d+) registers/.exec(line)?.[1];
    const shared = /(\d+) bytes smem/.exec(line)?.[1];
    kernels[kernels.length - 1] = {
      name: last.name,
      spilledBytes: spills === null ? last.spilledBytes : Number(spills[1]) + Number(spills[2]),
      registers: registers === undefined ? last.registers : Number(registers),
      sharedBytes: shared === undefined ? last.sharedBytes : Number(shared),
    };
  }
  return kernels;
}
