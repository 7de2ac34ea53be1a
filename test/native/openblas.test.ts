import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadOpenblas } from '../../src/native/blas.ts';
import { inspectOpenblas } from '../../src/native/inspect.ts';
import {
  locateOpenblas,
  openblasRequirement,
  readConfig,
  requireOpenblas,
  searchOpenblas,
} from '../../src/native/openblas.ts';
import { type NativeSystem, thisMachine } from '../../src/native/system.ts';

const own = '/fathom/.fathom/native/openblas/scipy_openblas32/lib';
const debian = '/usr/lib/x86_64-linux-gnu/libopenblas.so.0';

/** A machine of files by path: text, or `true` for a library; `answer` is what libraries say of themselves. */
function machine(
  files: Record<string, string | true>,
  env: Record<string, string> = {},
  answer?: object,
): NativeSystem {
  return {
    env,
    root: '/fathom',
    exists: (file) => file in files,
    readText: (file) => (typeof files[file] === 'string' ? files[file] : undefined),
    readStart: (file) =>
      files[file] === undefined
        ? undefined
        : files[file] === true
          ? Uint8Array.from([0x7f, 0x45, 0x4c, 0x46])
          : new TextEncoder().encode(files[file]).subarray(0, 4),
    stamp: (file) => (file in files ? file : undefined),
    run: () => (answer === undefined ? undefined : JSON.stringify(answer)),
  };
}

const wheel = (version: string): Record<string, string | true> => ({
  [`${own}/libscipy_openblas.so`]: true,
  [`${own}/pkgconfig/scipy-openblas.pc`]: `libdir=x\nversion=${version}\nextralib=-lm\nVersion: \${version}\n`,
});

describe('the places of OpenBLAS', () => {
  it('are asked in order', () => {
    const files = { ...wheel('0.3.34'), '/conda/lib/libopenblas.so.0': true, [debian]: true } as const;
    const env = { OPENBLAS_LIB: '/mine.so', CONDA_PREFIX: '/conda' };
    const ask = (drop: string[], variables: Record<string, string>): string | undefined =>
      locateOpenblas(
        machine(
          Object.fromEntries(Object.entries(files).filter(([file]) => !drop.some((d) => file.startsWith(d)))),
          variables,
        ),
      )?.path;
    const { OPENBLAS_LIB: _, ...rest } = env;
    expect(ask([], env)).toBe('/mine.so');
    expect(ask([], rest)).toBe(`${own}/libscipy_openblas.so`);
    expect(ask(['/fathom'], rest)).toBe('/conda/lib/libopenblas.so.0');
    expect(ask(['/fathom'], {})).toBe(debian);
    expect(ask(['/fathom', '/usr'], {})).toBeUndefined();
  });
});

describe('the version of OpenBLAS', () => {
  it('is read from the wheel, without starting anything', () => {
    expect(searchOpenblas(machine(wheel('0.3.34.481.3')))).toEqual({
      found: true,
      version: '0.3.34.481.3',
      path: `${own}/libscipy_openblas.so`,
      origin: '`make native`',
    });
  });

  it('is asked of any other library', () => {
    const config = 'OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64';
    expect(searchOpenblas(machine({ [debian]: true }, {}, { config, core: 'SkylakeX' }))).toMatchObject({
      found: true,
      version: '0.3.21',
    });
  });

  it.each([
    ['OpenBLAS 0.3.3 SkylakeX', /is OpenBLAS 0\.3\.3; 0\.3\.21 or newer is needed/],
    ['OpenBLAS 0.3.29 USE64BITINT DYNAMIC_ARCH', /cannot be used: it is built for 64-bit sizes/],
    ['Another library', /cannot be used: it says of itself "Another library"/],
  ])('"%s" is refused', (config, reason) => {
    const search = searchOpenblas(machine({ [debian]: true }, {}, { config, core: 'x' }));
    expect('reason' in search && search.reason).toMatch(reason);
    expect('fix' in search && search.fix).toMatch(/make native.*OPENBLAS_LIB/);
  });

  it('may have a prefix and any number of parts', () => {
    expect(readConfig('OpenBLAS v0.3.29.dev DYNAMIC_ARCH')).toEqual({ version: '0.3.29' });
  });
});

describe('a machine without a usable OpenBLAS', () => {
  it('says so, with the way out', () => {
    expect(searchOpenblas(machine({}))).toMatchObject({ found: false, reason: expect.stringContaining('0.3.21') });
    expect(() => requireOpenblas(machine({}))).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error);
  });

  it('names a file asked for that is not there, is text, or crashes, though there are others', () => {
    const files = { ...wheel('0.3.34'), '/text.so': 'text', '/crash.so': true } as const;
    const reasonOf = (file: string): string => {
      const search = searchOpenblas(machine(files, { OPENBLAS_LIB: file }));
      return search.found ? 'found' : search.reason;
    };
    expect(reasonOf('/typo.so')).toMatch(/\/typo\.so \(found by OPENBLAS_LIB\) cannot be used: the file is missing/);
    expect(reasonOf('/text.so')).toContain('not a shared library');
    expect(reasonOf('/crash.so')).toContain('loading it ends the process');
  });
});

describe('a real library', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-openblas-'));

  it('of another kind is refused when it is asked and when it is loaded', () => {
    const [source, library] = [path.join(folder, 'other.c'), path.join(folder, 'other.so')];
    writeFileSync(source, 'int nothing(void) { return 0; }');
    try {
      execFileSync('gcc', ['-shared', '-fPIC', '-o', library, source], { stdio: 'ignore' });
    } catch {
      // No C compiler: a file that is no library takes the same way.
      writeFileSync(library, Uint8Array.from([0x7f, 0x45, 0x4c, 0x46]));
    }
    expect(searchOpenblas(thisMachine({ ...process.env, OPENBLAS_LIB: library })).found).toBe(false);
    expect(() => loadOpenblas(library)).toThrow(/other\.so cannot be loaded as OpenBLAS/);
  });

  const found = searchOpenblas(thisMachine());
  const title = found.found ? 'that is here' : `that is not here: ${found.reason}`;
  it.skipIf(!found.found)(`${title} says the same of itself by its files, asked apart, and loaded`, async () => {
    if (!found.found) return;
    const inspected = inspectOpenblas(thisMachine(), found.path);
    if ('error' in inspected) throw new Error(inspected.error);
    const loaded = loadOpenblas(found.path);
    expect(readConfig(inspected.config)).toEqual({ version: found.version });
    expect(loaded).toMatchObject({ version: found.version, core: inspected.core });
    expect(loadOpenblas(found.path)).toBe(loaded);
    expect(await openblasRequirement.probe()).toEqual({ found: true, version: found.version, path: found.path });
  });
});
