import { beforeAll, describe, expect, it } from 'vitest';
import { compileStack } from '../../../src/models/mtl/cuda/source.ts';
import type { NetworkShape } from '../../../src/models/mtl/shape.ts';
import { locateNvrtc } from '../../../src/native/find-cuda.ts';
import { compileCuda, nvrtcVersion, readResources } from '../../../src/native/nvrtc.ts';
import { thisMachine } from '../../../src/native/system.ts';
import { buildKernels, everyHead } from './support.ts';

beforeAll(buildKernels);

const nvrtc = locateNvrtc(thisMachine())?.path ?? '';
const reference: NetworkShape = { inputs: 37, hidden: [256, 256, 128], heads: everyHead };

describe.skipIf(nvrtc === '')(`NVRTC${nvrtc === '' ? ' (left out: there is none; run `make nvrtc`)' : ''}`, () => {
  it.each([
    [32, 'sm_90'],
    [33, 'sm_80'],
    [512, 'sm_90'],
  ])('compiles the kernels for batches of %i rows on %s, without a GPU', (rows, architecture) => {
    const { image, kernels } = compileStack(nvrtc, reference, rows, architecture);
    expect(String.fromCharCode(...image.subarray(1, 4))).toBe('ELF');
    const names = kernels.map(({ name }) => name);
    for (const name of [
      'forward0',
      'forward1',
      'forward2',
      'heads',
      'backwardHeads',
      'backward1',
      'backward0',
      'count',
    ])
      expect(names).toContain(name);
    expect(names.includes('gram')).toBe(rows === 32);
    for (const { name, registers, spilledBytes, sharedBytes } of kernels) {
      expect(registers, name).toBeGreaterThan(0);
      // 128 threads of at most 255 registers; a few words may spill where ptxas prefers more blocks.
      expect(spilledBytes, name).toBeLessThan(128);
      expect(sharedBytes, name).toBeLessThanOrEqual(48 << 10);
    }
  });

  it('says in the words of the compiler what is wrong with a source', () => {
    expect(nvrtcVersion(nvrtc)).toMatch(/^\d+\.\d+$/);
    expect(() => compileCuda(nvrtc, '__global__ void f() { nonsense; }', {}, 'sm_90')).toThrow(/nonsense/);
  });
});

it('reads what ptxas says of each kernel', () => {
  const log = `ptxas info    : Compiling entry function 'adam' for 'sm_90'
ptxas info    : Function properties for adam
    16 bytes stack frame, 12 bytes spill stores, 20 bytes spill loads
ptxas info    : Used 45 registers, used 1 barriers, 8832 bytes smem
ptxas info    : Compiling entry function 'heads' for 'sm_90'
ptxas info    : Used 64 registers`;
  expect(readResources(log)).toEqual([
    { name: 'adam', registers: 45, spilledBytes: 32, sharedBytes: 8832 },
    { name: 'heads', registers: 64, spilledBytes: 0, sharedBytes: 0 },
  ]);
});
