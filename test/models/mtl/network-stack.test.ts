import { beforeAll, expect, it } from 'vitest';
import { type Kernels, ownProducts, type Products } from '../../../src/kernels/kernels.ts';
import { type ConformanceOptions, compareStack, type StackEngine } from '../../../src/models/mtl/conformance.ts';
import { emptySums } from '../../../src/models/mtl/losses.ts';
import { networkStacks } from '../../../src/models/mtl/network-stack.ts';
import { networkMasks } from '../../../src/models/mtl/oracle.ts';
import type { NetworkShape } from '../../../src/models/mtl/shape.ts';
import { memberRegions, type Stack, type StackRequest } from '../../../src/models/mtl/stack.ts';
import { type Member, type TrainingOptions, trainStack } from '../../../src/models/mtl/training.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { buildKernels, describeEngines, everyHead, flat, randomData } from './support.ts';

beforeAll(buildKernels);

/** Targets that are there, by column. */
function countsOf(targets: readonly (readonly number[])[]): number[] {
  return (targets[0] ?? []).map((_, c) => targets.filter((row) => !Number.isNaN(row[c])).length);
}

const odd: NetworkShape = { inputs: 5, hidden: [13, 7], heads: everyHead };
const usual = { shape: odd, networks: 3, batchSize: 12, trainRows: 30, steps: 60, reload: 5, dropout: 0.3 };

describeEngines('a stack', (products) => {
  const engine: StackEngine = { make: networkStacks(products).make, masks: networkMasks };

  it.each<[string, Partial<ConformanceOptions>]>([
    ['small batches, the last one smaller', {}],
    ['no dropout, every target present', { dropout: 0, missing: 0 }],
    ['a last batch that takes the row left over', { trainRows: 25 }],
    ['one network, 200 steps', { networks: 1, steps: 200 }],
    ['one layer, one head', { shape: { inputs: 1, hidden: [1], heads: [{ kind: 'binary', outputs: 1 }] } }],
  ])('takes the steps of the oracle: %s', (_, change) => {
    const worst = compareStack(engine, { ...usual, ...change });
    expect(worst.loss).toBeLessThan(1e-4);
    expect(worst.norm).toBeLessThan(1e-4);
    expect(worst.moments).toBeLessThan(1e-5);
    expect(worst.weights).toBeLessThan(1e-4);
    expect(worst.running).toBeLessThan(1e-4);
  });

  const { x, y } = randomData(odd, 80, makeRng('turns'), 0.2);
  const request: StackRequest = {
    shape: odd,
    networks: 3,
    batchSize: 8,
    trainRows: 50,
    features: flat(x),
    targets: flat(y),
  };
  const options = (k: number): TrainingOptions => ({
    learningRate: 0.003 * (k + 1),
    weightDecay: 1e-4 * k,
    decoupled: false,
    clipNorm: 1,
    dropout: [0.1 * k, 0.2],
    weights: everyHead.map(() => 1),
    batchSize: 8,
    epochs: 12,
    plateau: { factor: 0.5, patience: 2 },
    earlyStopping: { patience: 3 },
  });
  const train = Uint32Array.from({ length: 50 }, (_, i) => i);
  const validation = Uint32Array.from({ length: 30 }, (_, i) => 50 + i);

  /** Trains the networks of the given numbers; `stopAfter` questions whether to stop are answered no. */
  async function trained(
    numbers: readonly number[],
    stopAfter = Number.POSITIVE_INFINITY,
    saved = new Map<number, Uint8Array>(),
  ) {
    const stack: Stack = networkStacks(products).make({ ...request, networks: numbers.length });
    const members = numbers.map(
      (k): Member => ({
        options: options(k),
        // Networks 0 and 1 are two trials of one replicate, network 2 belongs to another.
        rng: (purpose) => makeRng(k < 2 ? 'a' : 'b', purpose),
        streams: k < 2 ? 'a' : 'b',
        save: async (bytes) => void saved.set(k, bytes),
        checkpoint: saved.get(k),
      }),
    );
    let asked = 0;
    const hooks = { cancelled: () => ++asked > stopAfter, progress: () => {} };
    const results = await trainStack(stack, train, validation, members, hooks);
    return {
      results,
      saved,
      bytes: numbers.map((_, i) => memberRegions.map((region) => Buffer.from(stack.read(i, region).buffer))),
    };
  }

  it('gives each network the bytes that it gets alone, however early others stop', async () => {
    const together = await trained([0, 1, 2]);
    const epochs = together.results?.map((result) => ('history' in result ? result.history.length : 0)) ?? [];
    expect(new Set(epochs).size).toBeGreaterThan(1);
    for (const k of [0, 1, 2]) {
      const alone = await trained([k]);
      expect(alone.results?.[0]).toEqual(together.results?.[k]);
      expect(alone.bytes[0]).toEqual(together.bytes[k]);
    }
  });

  it('stopped at any turn goes on to the same bytes, also where checkpoints are of different places', async () => {
    const whole = await trained([0, 1, 2]);
    for (const stopAfter of [0, 3, 11]) {
      const { results, saved } = await trained([0, 1, 2], stopAfter);
      expect(results).toBeUndefined();
      const resumed = await trained([0, 1, 2], undefined, new Map(saved));
      expect(resumed.results).toEqual(whole.results);
      expect(resumed.bytes).toEqual(whole.bytes);
      saved.delete(1);
      expect((await trained([0, 1, 2], undefined, saved)).bytes).toEqual(whole.bytes);
    }
  });

  it('trains on where one network diverges, and says which', async () => {
    const stack = networkStacks(products).make({ ...request, networks: 2 });
    const members = [0, 1].map(
      (k): Member => ({
        options: { ...options(0), learningRate: k === 0 ? 1e30 : 1e-3 },
        rng: (purpose) => makeRng(purpose),
        streams: '',
        save: async () => {},
      }),
    );
    const hooks = { cancelled: () => false, progress: () => {} };
    const results = await trainStack(stack, train, validation, members, hooks);
    expect(results?.[0]).toMatchObject({ message: expect.stringMatching(/diverged in epoch 1/) });
    expect(results?.[1]).toMatchObject({ history: expect.any(Array) });
  });

  it('holds the data and the batch once, whatever the number of networks', () => {
    const rows = 4000;
    const shape: NetworkShape = { inputs: 40, hidden: [16], heads: [{ kind: 'regression', outputs: 1 }] };
    const features = new Float32Array(rows * 40);
    const large = { shape, batchSize: 512, trainRows: rows, features, targets: new Float32Array(rows) };
    const memoryOf = (networks: number): number => {
      let kernels: Kernels | undefined;
      const keep: Products = (those) => {
        kernels = those;
        return (products ?? ownProducts)(those);
      };
      const stack = networkStacks(keep).make({ ...large, networks });
      stack.free();
      return kernels?.memory.buffer.byteLength ?? 0;
    };
    const [one, many] = [memoryOf(1), memoryOf(64)];
    // What a network owns: parameters and two moments of 16 x 40 + 2 x 16 + 16 x 8 + 8 values, and the running ones.
    expect(many - one).toBeLessThan(64 * 4 * (3 * 816 + 32) + 64 * 1024 + 2 ** 17);
    expect(one).toBeGreaterThan(features.byteLength);
  });

  it('refuses to be of no networks', () => {
    expect(() => networkStacks(products).make({ ...request, networks: 0 })).toThrow(/a stack of 0 networks/);
  });

  it('says how many networks fit beside the data', () => {
    const { capacity } = networkStacks(products);
    const wide: NetworkShape = { inputs: 40, hidden: [2048, 2048], heads: [{ kind: 'regression', outputs: 1 }] };
    // 4.3 million parameters and their moments: 52 MB a network. 1,000 rows are nothing beside it.
    const few = { shape: wide, networks: 500, batchSize: 32, trainRows: 1000, targets: new Float32Array(0) };
    expect(capacity?.({ ...few, features: new Float32Array(40_000) })).toBe(82);
    expect(capacity?.({ ...request, networks: 1000 })).toBeGreaterThan(10_000);
  });

  it('measures and predicts every row', () => {
    const stack = networkStacks(products).make(request);
    const rows = Uint32Array.from({ length: 80 }, (_, i) => 79 - i);
    const whole = emptySums(14);
    stack.measure([0], rows, [whole]);
    expect([...whole.counts]).toEqual(countsOf(y));
    expect(stack.predict(0, rows).length).toBe(80 * stack.layout.heads.paddedOutputs);
  });
});
