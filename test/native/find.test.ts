import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAtLeast, locateXgboost, requireXgboost, searchXgboost, xgboostRequirement } from '../../src/native/find.ts';
import { searchCuda } from '../../src/native/find-cuda.ts';
import { inspectXgboost } from '../../src/native/inspect.ts';
import { probeLibraries } from '../../src/native/requirements.ts';
import { type NativeSystem, thisMachine } from '../../src/native/system.ts';
import { searchTensorflow } from '../../src/native/tensorflow.ts';

const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46]);

/** A machine of files by path: text, or `true` for a library. */
function machine(
  files: Record<string, string | true>,
  env: Record<string, string> = {},
  run: NativeSystem['run'] = () => undefined,
): NativeSystem {
  return {
    env,
    root: '/fathom',
    exists: (file) => file in files,
    readText: (file) => (typeof files[file] === 'string' ? files[file] : undefined),
    readStart: (file, bytes) => {
      const content = files[file];
      if (content === undefined) return undefined;
      return content === true ? elf : new TextEncoder().encode(content).subarray(0, bytes);
    },
    stamp: (file) => (file in files ? file : undefined),
    run,
  };
}

const wheel = (folder: string, version: string): Record<string, string | true> => ({
  [`${folder}/xgboost/lib/libxgboost.so`]: true,
  [`${folder}/xgboost/VERSION`]: `${version}\n`,
});

/** A python that finds xgboost in a folder. */
const pythonAt =
  (program: string, folder: string): NativeSystem['run'] =>
  (asked) =>
    asked === program ? `${folder}/xgboost/lib/libxgboost.so\n${folder}/lib/libxgboost.so\n` : undefined;

const own = '/fathom/.fathom/native/python';

describe('the places of libxgboost', () => {
  const places = {
    ...wheel(own, '3.2.0'),
    ...wheel('/venv/site', '3.1.0'),
    '/conda/lib/libxgboost.so': true as const,
    '/usr/lib/x86_64-linux-gnu/libxgboost.so.0': true as const,
  };
  const env = { VIRTUAL_ENV: '/venv', CONDA_PREFIX: '/conda', XGBOOST_LIB: '/mine/libxgboost.so' };

  it('are asked in order', () => {
    const ask = (drop: string[], variables: Record<string, string>): string | undefined => {
      const files = Object.fromEntries(
        Object.entries(places).filter(([file]) => !drop.some((d) => file.startsWith(d))),
      );
      return locateXgboost(machine(files, variables, pythonAt('/venv/bin/python', '/venv/site')))?.path;
    };
    const { XGBOOST_LIB: _, ...rest } = env;
    expect(ask([], env)).toBe('/mine/libxgboost.so');
    expect(ask([], rest)).toBe(`${own}/xgboost/lib/libxgboost.so`);
    expect(ask([own], rest)).toBe('/venv/site/xgboost/lib/libxgboost.so');
    expect(ask([own, '/venv'], rest)).toBe('/conda/lib/libxgboost.so');
    expect(ask([own, '/venv', '/conda'], rest)).toBe('/usr/lib/x86_64-linux-gnu/libxgboost.so.0');
    expect(ask(Object.keys(places), rest)).toBeUndefined();
  });

  it('include the folders of LD_LIBRARY_PATH before those of the system', () => {
    const files = { '/site/lib/libxgboost.so': true, '/usr/lib/libxgboost.so': true } as const;
    expect(locateXgboost(machine(files, { LD_LIBRARY_PATH: 'relative::/site/lib' }))?.path).toBe(
      '/site/lib/libxgboost.so',
    );
  });

  it('find conda packages, whose library lies beside the package', () => {
    const file = '/usr/lib/python3/dist-packages/lib/libxgboost.so';
    expect(locateXgboost(machine({ [file]: true }, {}, pythonAt('python3', '/usr/lib/python3/dist-packages')))).toEqual(
      {
        path: file,
        origin: 'python3',
      },
    );
  });
});

describe('the version of libxgboost', () => {
  it('is read from the wheel, without starting anything', () => {
    const system = machine(wheel(own, '3.2.0'), {}, () => {
      throw new Error('no process was needed');
    });
    expect(searchXgboost(system)).toMatchObject({ found: true, version: '3.2.0' });
  });

  it.each([
    ['1.7.6', false],
    ['2.0.0', true],
    ['2.0.0-rc1', true],
    ['10.0.1', true],
  ])('%s is usable: %s', (version, usable) => {
    expect(searchXgboost(machine(wheel(own, version))).found).toBe(usable);
  });

  it('is compared number by number', () => {
    expect(isAtLeast('2.10.0', '2.9.9')).toBe(true);
    expect(isAtLeast('2.9.9', '2.10.0')).toBe(false);
    expect(isAtLeast('unknown', '2.0.0')).toBe(false);
  });

  it('too old is an error with the path, the version found, the version wanted and the way out', () => {
    const search = searchXgboost(machine(wheel(own, '1.7.6')));
    expect(search).toEqual({
      found: false,
      reason: `${own}/xgboost/lib/libxgboost.so (found by \`make native\`) is libxgboost 1.7.6; 2.0.0 or newer is needed`,
      fix: expect.stringContaining('XGBOOST_LIB') as string,
    });
  });

  it('does not lead to a newer library further on', () => {
    const files = { ...wheel(own, '1.7.6'), ...wheel('/venv/site', '3.2.0') };
    const system = machine(files, { VIRTUAL_ENV: '/venv' }, pythonAt('/venv/bin/python', '/venv/site'));
    expect(searchXgboost(system).found).toBe(false);
  });
});

describe('a machine without libxgboost', () => {
  it('says so, with the way out', () => {
    expect(searchXgboost(machine({}))).toEqual({
      found: false,
      reason: 'no libxgboost was found (2.0.0 or newer is needed)',
      fix: expect.stringContaining('make native') as string,
    });
    expect(() => requireXgboost(machine({}))).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error);
  });

  it('names a file asked for that is not there, though there are others', () => {
    const search = searchXgboost(machine(wheel(own, '3.2.0'), { XGBOOST_LIB: '/typo.so' }));
    expect(search).toMatchObject({ found: false });
    expect('reason' in search && search.reason).toMatch(/\/typo\.so \(found by XGBOOST_LIB\).*missing/);
  });
});

const folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-native-'));
const withLibrary = (file: string): NativeSystem => thisMachine({ ...process.env, XGBOOST_LIB: file });

/** A library that says it is XGBoost of some version; undefined without a C compiler. */
function fakeLibrary(name: string, body: string): string | undefined {
  const source = path.join(folder, `${name}.c`);
  const library = path.join(folder, `${name}.so`);
  writeFileSync(source, body);
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, source], { stdio: 'ignore' });
    return library;
  } catch {
    return undefined;
  }
}

const versioned = (a: number, b: number, c: number): string =>
  `void XGBoostVersion(int *a, int *b, int *c) { *a = ${a}; *b = ${b}; *c = ${c}; }
   int XGBuildInfo(const char **out) { *out = "{\\"USE_CUDA\\": true}"; return 0; }`;
const old = fakeLibrary('old', versioned(1, 7, 4));

describe('a real file named by XGBOOST_LIB', () => {
  it('that is text is refused as such', () => {
    const file = path.join(folder, 'text.so');
    writeFileSync(file, 'not a library');
    const search = searchXgboost(withLibrary(file));
    expect('reason' in search && search.reason).toContain(`${file} (found by XGBOOST_LIB) cannot be used`);
    expect('reason' in search && search.reason).toContain('not a shared library');
  });

  it('that begins like a library but is cut off is refused, and this process lives on', () => {
    const file = path.join(folder, 'cut.so');
    writeFileSync(file, elf);
    expect(searchXgboost(withLibrary(file)).found).toBe(false);
  });

  it.skipIf(old === undefined)('of an old version is asked for its version and refused', () => {
    const search = searchXgboost(withLibrary(old as string));
    expect('reason' in search && search.reason).toContain('is libxgboost 1.7.4; 2.0.0 or newer is needed');
  });

  it.skipIf(old === undefined)('of a good version is taken, and its build is read', () => {
    const file = fakeLibrary('new', versioned(2, 1, 3)) as string;
    expect(searchXgboost(withLibrary(file))).toEqual({
      found: true,
      version: '2.1.3',
      path: file,
      origin: 'XGBOOST_LIB',
    });
    expect(inspectXgboost(thisMachine(), file)).toEqual({ version: '2.1.3', build: { USE_CUDA: true } });
  });

  it.skipIf(old === undefined)('of another library, or one that crashes, is refused', () => {
    const other = fakeLibrary('other', 'int nothing(void) { return 0; }') as string;
    const crash = fakeLibrary('crash', '__attribute__((constructor)) void die(void) { __builtin_trap(); }') as string;
    const reasonOf = (file: string): string => {
      const search = searchXgboost(withLibrary(file));
      return search.found ? 'found' : search.reason;
    };
    expect(reasonOf(other)).toMatch(/cannot be used: .*XGBoostVersion/);
    expect(reasonOf(crash)).toContain('cannot be used: loading it ends the process');
  });

  it.skipIf(old === undefined)('decides what the requirement of stages answers', async () => {
    const before = process.env['XGBOOST_LIB'];
    try {
      process.env['XGBOOST_LIB'] = old;
      expect(await xgboostRequirement.probe()).toMatchObject({ found: false });
      process.env['XGBOOST_LIB'] = fakeLibrary('fresh', versioned(3, 0, 0)) as string;
      expect(await xgboostRequirement.probe()).toMatchObject({ found: true, version: '3.0.0' });
    } finally {
      if (before === undefined) delete process.env['XGBOOST_LIB'];
      else process.env['XGBOOST_LIB'] = before;
    }
  });
});

describe('this machine', () => {
  it('answers undefined where a file or program is missing', () => {
    const system = thisMachine();
    expect(system.readText(path.join(folder, 'none'))).toBeUndefined();
    expect(system.readStart(folder, 4)).toBeUndefined();
    expect(system.stamp(path.join(folder, 'none'))).toBeUndefined();
    expect(system.run('no-such-program', [])).toBeUndefined();
    expect(system.run('sh', ['-c', 'exit 3'])).toBeUndefined();
  });

  it('gives a file a new stamp when it changes, through links too', () => {
    const system = thisMachine();
    mkdirSync(path.join(folder, 'links'), { recursive: true });
    const [file, link] = [path.join(folder, 'links/file'), path.join(folder, 'links/link')];
    writeFileSync(file, 'one');
    if (!existsSync(link)) symlinkSync(file, link);
    const before = system.stamp(link);
    writeFileSync(file, 'three');
    expect(system.stamp(link)).not.toBe(before);
  });
});

describe('the doctor', () => {
  it('says of each library whether it is there, and how to get it where it is not', async () => {
    const facts = await probeLibraries({}, machine({}));
    expect(facts.map(({ name }) => name)).toEqual(['glibc', 'XGBoost', 'CUDA', 'OpenBLAS', 'TensorFlow.js']);
    for (const { found, detail, fix } of facts) {
      expect(found).toBe(false);
      expect(detail).not.toBe('');
      expect(fix).not.toBe('');
    }
  });

  it('finds what is there', async () => {
    const files = {
      ...wheel(own, '3.2.0'),
      '/cuda/lib64/libnvrtc.so.12': true as const,
      '/usr/lib/x86_64-linux-gnu/libopenblas.so.0': true as const,
      '/usr/lib/x86_64-linux-gnu/libcuda.so.1': true as const,
      '/fathom/node_modules/@tensorflow/tfjs-node-gpu/package.json': '{"version": "4.22.0"}',
      '/fathom/node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node': true as const,
    };
    const answers: Record<string, string> = {
      getconf: 'glibc 2.36\n',
      // One answer for all questions: each takes what it asked for.
      [process.execPath]: JSON.stringify({
        version: '3.2.0',
        build: { USE_CUDA: true },
        config: 'OpenBLAS 0.3.29 DYNAMIC_ARCH',
        core: 'Zen',
        driverVersion: '13.0',
        nvrtcVersion: '12.9',
        gpus: [{ name: 'NVIDIA H200', architecture: 'sm_90', memoryMb: 143771 }],
      }),
    };
    const facts = await probeLibraries(
      {},
      machine(files, { CUDA_HOME: '/cuda' }, (program) => answers[program]),
    );
    expect(facts.every(({ found }) => found)).toBe(true);
    expect(facts.map(({ detail }) => detail).join('\n')).toMatch(
      /glibc 2\.36\n3\.2\.0 with CUDA, .*\nNVIDIA H200 \(sm_90, 143771 MB\); driver for CUDA 13\.0, NVRTC 12\.9 \(\/cuda\/lib64\/libnvrtc\.so\.12\)\n0\.3\.29 with kernels for Zen, .*libopenblas.*\n4\.22\.0, .*tfjs-node-gpu/,
    );
  });
});

describe('CUDA', () => {
  const driver = { '/usr/lib/x86_64-linux-gnu/libcuda.so.1': true as const };
  const gpu = JSON.stringify({
    driverVersion: '13.0',
    nvrtcVersion: '13.2',
    gpus: [{ name: 'NVIDIA H200', architecture: 'sm_90', memoryMb: 143771 }],
  });
  const found = (files: Parameters<typeof machine>[0], env: Record<string, string> = {}, answer = gpu) =>
    searchCuda(machine(files, env, (program) => (program === process.execPath ? answer : undefined)));

  it('needs a driver, a compiler and a GPU, and says which is missing', () => {
    expect(found({})).toMatchObject({ found: false, reason: expect.stringMatching(/no CUDA driver/) });
    expect(found(driver)).toMatchObject({ found: false, reason: expect.stringMatching(/no NVRTC/) });
    const both = { ...driver, '/usr/lib/x86_64-linux-gnu/libnvrtc.so.12': true as const };
    expect(found(both)).toMatchObject({ found: true, nvrtcVersion: '13.2' });
    expect(found(both, {}, gpu.replace(/\[.*\]/, '[]'))).toMatchObject({
      found: false,
      reason: expect.stringMatching(/finds no GPU/),
    });
    expect(found(both, {}, '{"error": "cuInit returns 803"}')).toMatchObject({
      found: false,
      reason: expect.stringMatching(/cuInit returns 803/),
    });
  });

  it('takes the compiler that was asked for before the toolkit, that before pip, that before the loader', () => {
    const files = {
      ...driver,
      '/cuda/lib64/libnvrtc.so.12': true as const,
      '/fathom/.fathom/native/nvrtc/nvidia/cu13/lib/libnvrtc.so.13': true as const,
      '/usr/lib/x86_64-linux-gnu/libnvrtc.so.12': true as const,
    };
    expect(found(files, { NVRTC_LIB: '/mine.so', CUDA_HOME: '/cuda' })).toMatchObject({ nvrtc: '/mine.so' });
    expect(found(files, { CUDA_HOME: '/cuda' })).toMatchObject({ nvrtc: '/cuda/lib64/libnvrtc.so.12' });
    expect(found(files)).toMatchObject({ nvrtc: expect.stringContaining('.fathom/native/nvrtc') });
  });
});

describe('TensorFlow.js', () => {
  const installed = '/fathom/node_modules/@tensorflow/tfjs-node';
  const built = '/fathom/.fathom/native/tensorflow/node_modules/@tensorflow/tfjs-node-gpu';
  const of = (folder: string, binding: boolean): Record<string, string | true> => ({
    [`${folder}/package.json`]: '{"version": "4.22.0"}',
    ...(binding ? { [`${folder}/lib/napi-v8/tfjs_binding.node`]: true as const } : {}),
  });

  it('counts only with its binding; the one that was built here goes before one that npm installed', () => {
    expect(searchTensorflow(machine({}))).toMatchObject({
      found: false,
      fix: expect.stringContaining('make tensorflow'),
    });
    expect(searchTensorflow(machine(of(built, false)))).toMatchObject({
      found: false,
      reason: expect.stringMatching(/has no binding/),
    });
    expect(searchTensorflow(machine({ ...of(built, false), ...of(installed, true) }))).toEqual({
      found: true,
      path: installed,
      version: '4.22.0',
    });
    const both = { ...of(built, true), ...of(installed, true) };
    expect(
      searchTensorflow(
        machine({ ...both, '/fathom/.fathom/native/tensorflow/library-version': 'tensorflow 2.21.0\n' }),
      ),
    ).toEqual({ found: true, path: built, version: '4.22.0 on tensorflow 2.21.0' });
  });
});
