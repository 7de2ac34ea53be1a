import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConformanceOptions,
  compareStack,
  type Differences,
  packRegion,
  randomState,
  type StackEngine,
  settingsOf,
} from '../../../src/models/mtl/conformance.ts';
import { counterMasks } from '../../../src/models/mtl/counter-masks.ts';
import { bytesOf, networksThatFit, stackMemory } from '../../../src/models/mtl/cuda/memory.ts';
import { CudaStack } from '../../../src/models/mtl/cuda/stack.ts';
import { emptySums } from '../../../src/models/mtl/losses.ts';
import { Network } from '../../../src/models/mtl/network.ts';
import type { NetworkShape } from '../../../src/models/mtl/shape.ts';
import { largestBatch, memberRegions, partsOf, type Stack, type StepReport } from '../../../src/models/mtl/stack.ts';
import { Workspace } from '../../../src/models/mtl/workspace.ts';
import { type Cuda, openCuda } from '../../../src/native/cuda.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { noCompiler, standIn } from './cuda.ts';
import { buildKernels, everyHead, flat, randomData } from './support.ts';

beforeAll(buildKernels);

const open: Cuda[] = [];
afterAll(() => {
  for (const cuda of open) cuda.close();
});

/** The CUDA engine on the stand-in driver; `change` plants a mistake in the kernels. */
function onHost(change?: readonly [string, string], ordinal = 0): StackEngine {
  return {
    make: (request) => {
      const rows = largestBatch(request.trainRows, request.batchSize);
      const cuda = openCuda(standIn(request.shape, rows, change), ordinal);
      open.push(cuda);
      return new CudaStack(cuda, new Uint8Array(1), request);
    },
    masks: counterMasks,
  };
}

const odd: NetworkShape = { inputs: 5, hidden: [13, 70], heads: everyHead };
const usual = { shape: odd, networks: 3, batchSize: 12, trainRows: 30, steps: 20, reload: 5, dropout: 0.3 };

describe.skipIf(noCompiler !== undefined)(`CUDA's kernels on the CPU (${noCompiler ?? 'by g++'})`, () => {
  it.each<[string, Partial<ConformanceOptions>]>([
    ['small batches, the last one smaller', {}],
    ['no dropout, every target present', { dropout: 0, missing: 0 }],
    ['a last batch that takes the row left over', { trainRows: 25 }],
    ['a batch of a tile and one row', { batchSize: 32, trainRows: 65, steps: 8 }],
    ['batches of 64', { batchSize: 64, trainRows: 128, steps: 6, networks: 2 }],
    ['batches larger than a tile', { batchSize: 150, trainRows: 310, steps: 6, networks: 2 }],
    ['one layer, one head', { shape: { inputs: 1, hidden: [1], heads: [{ kind: 'binary', outputs: 1 }] } }],
  ])('take the steps of the oracle: %s', (_, change) => {
    const worst = compareStack(onHost(), { ...usual, ...change });
    expect(worst.loss).toBeLessThan(1e-4);
    expect(worst.norm).toBeLessThan(1e-4);
    expect(worst.moments).toBeLessThan(1e-5);
    expect(worst.weights).toBeLessThan(1e-4);
    expect(worst.running).toBeLessThan(1e-4);
  });

  it.each<[string, readonly [string, string], keyof Differences, number]>([
    // Adam divides by the size of the gradient, so this shows only in the norm: losses and weights barely move.
    [
      'a gradient 2 % too large',
      ['outputs[(size_t)r * OUTPUTS + column] = slope;', 'outputs[(size_t)r * OUTPUTS + column] = slope *= 1.02f;'],
      'norm',
      1e-2,
    ],
    [
      'the scale of dropout lost on the way back',
      ['activations[at] > 0 ? t.c[r][local] * keep : 0.f', 'activations[at] > 0 ? t.c[r][local] : 0.f'],
      'norm',
      1e-2,
    ],
    [
      'a term of batch normalisation lost on the way back',
      [' - (z[at] - mean) * inverse * meanProduct', ''],
      'norm',
      1e-2,
    ],
    ['no clipping', ['fminf(1.f, m.clipNorm / (normOf(s, network, parts) + 1e-6f))', '1.f'], 'moments', 1e-3],
    [
      'no correction of the moments',
      ['m.learningRate * root / -expm1f(t * LOG_BETA1)', 'm.learningRate'],
      'weights',
      1e-3,
    ],
    ['a running variance divided by n', ['moments.squares / (n - 1)', 'moments.squares / n'], 'running', 1e-3],
    [
      'a missing target taken for a present one',
      ['if (kind != PADDING && target == target)', 'if (kind != PADDING)'],
      'norm',
      1e-2,
    ],
    ['a missing barrier', ['      addSlice(s);\n      __syncthreads();', '      addSlice(s);'], 'norm', 1e-2],
  ])('fail with %s', (_, change, key, least) => {
    const worst = compareStack(onHost(change), { ...usual, steps: 10 })[key];
    expect(worst > least || Number.isNaN(worst)).toBe(true);
  });

  it('give the same bytes in any order of threads and blocks, alone and in company', () => {
    const trained = (networks: readonly number[], ordinal: number): Uint8Array[] => {
      const stack = randomStack(onHost(undefined, ordinal), networks);
      const numbers = networks.map((_, i) => i);
      train(stack, numbers, 0, 3);
      const regions = numbers.map((i) => bytes(stack, i));
      stack.free();
      return regions;
    };
    const [first, second, third] = trained([0, 1, 2], 0);
    expect(trained([0, 1, 2], 1)).toEqual([first, second, third]);
    expect(trained([1], 0)).toEqual([second]);
    expect(first).not.toEqual(second);
  });

  it('let networks drop out of a stack, and leave them as they were', () => {
    const stack = randomStack(onHost(), [0, 1, 2]);
    const alone = randomStack(onHost(), [2]);
    train(stack, [0, 1, 2], 0, 2);
    const before = bytes(stack, 1);
    train(stack, [2, 0], 2, 3);
    train(alone, [0], 0, 3);
    expect(bytes(stack, 1)).toEqual(before);
    expect(bytes(stack, 2)).toEqual(bytes(alone, 0));
    stack.free();
    alone.free();
  });

  it('predict and measure as the other engines do with the same weights', () => {
    const stack = randomStack(onHost(), [0, 1]);
    train(stack, [0, 1], 0, 3);
    const network = new Network(new Workspace(odd, 32));
    network.loadData(data.rows, data.features, data.targets);
    for (const region of ['parameters', 'running'] as const) network.region(region).set(stack.read(1, region));
    const rows = Uint32Array.from({ length: 29 }, (_, i) => 28 - i);
    const [first, sums] = [emptySums(14), emptySums(14)];
    stack.measure([0, 1], rows, [first, sums]);
    network.measure(rows);
    for (const [c, loss] of network.losses.entries()) {
      expect(Math.abs(loss - (sums.losses[c] as number))).toBeLessThan(1e-3);
      expect(sums.counts[c]).toBe(network.counts[c]);
    }
    const predicted = stack.predict(1, rows);
    const expected = network.predict(rows);
    expect(predicted.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) expect(Math.abs(value - (predicted[i] as number))).toBeLessThan(1e-4);
    stack.free();
  });

  it('say that a network has diverged, and train the others on', () => {
    const stack = randomStack(onHost(), [0, 1]);
    stack.write(0, 'parameters', new Float32Array(stack.layout.parameters).fill(Number.NaN));
    const reports = train(stack, [0, 1], 0, 3);
    expect(reports.map((report) => report.diverged)).toEqual([true, false]);
    stack.free();
  });

  it('are refused where they do not fit, with the number that would', () => {
    const cuda = openCuda(standIn(odd, 12));
    const request = { shape: odd, networks: 1_000_000, batchSize: 12, trainRows: 30, ...data };
    expect(() => new CudaStack(cuda, new Uint8Array(1), request)).toThrow(/1000000 networks need [\d.]+ GB on the GPU/);
    const memory = stackMemory(odd, 12, data.rows);
    const fitting = networksThatFit(memory, cuda.freeBytes());
    expect(bytesOf(memory, fitting)).toBeLessThan(cuda.freeBytes());
    expect(bytesOf(memory, fitting + 1)).toBeGreaterThan(0.94 * cuda.freeBytes());
    expect(partsOf(10, 4)).toEqual([3, 3, 4]);
    // Another process may take the memory between the question and the answer.
    expect(() => cuda.allocate(2 ** 50)).toThrow(
      expect.objectContaining({
        code: 'task',
        message: expect.stringMatching(/^CUDA: cuMemAlloc_v2: .*\(2\)$/) as string,
        hint: expect.stringContaining('too little free memory') as string,
      }) as Error,
    );
    cuda.close();
  });
});

const order = Uint32Array.from({ length: 30 }, (_, i) => (i * 7) % 30);
const data = (() => {
  const { x, y } = randomData(odd, 30, makeRng('cuda'), 0.2);
  return { rows: 30, features: flat(x), targets: flat(y) };
})();

/** A stack whose networks are those of the given seeds. */
function randomStack(engine: StackEngine, seeds: readonly number[]): Stack {
  const stack = engine.make({ shape: odd, networks: seeds.length, batchSize: 12, trainRows: 30, ...data });
  for (const [i, seed] of seeds.entries()) {
    const state = randomState(odd, seed);
    stack.write(i, 'parameters', packRegion(odd, state, 'parameters'));
    stack.write(i, 'running', packRegion(odd, state, 'running'));
    stack.configure(i, settingsOf(seed, odd, usual));
    stack.seedDropout(i, makeRng('dropout', seed));
  }
  return stack;
}

function train(stack: Stack, networks: readonly number[], from: number, to: number): StepReport[] {
  const sums = networks.map(() => emptySums(14));
  return stack.train(
    networks,
    networks.map(() => order),
    from,
    to,
    sums,
  );
}

function bytes(stack: Stack, network: number): Uint8Array {
  return Buffer.concat(memberRegions.map((region) => Buffer.from(stack.read(network, region).buffer)));
}
