import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Products } from '../../../src/kernels/kernels.ts';
import { keepOf, Network, thresholdOf } from '../../../src/models/mtl/network.ts';
import { dropoutMask, oracleGradients, oracleUpdate, vectorsOf } from '../../../src/models/mtl/oracle.ts';
import { headKinds, type NetworkShape } from '../../../src/models/mtl/shape.ts';
import { Workspace } from '../../../src/models/mtl/workspace.ts';
import { makeRng } from '../../../src/random/rng.ts';
import {
  buildKernels,
  describeEngines,
  everyHead,
  flat,
  largestDifference,
  randomData,
  readMoments,
  readState,
  rowsOf,
} from './support.ts';

beforeAll(buildKernels);

const update = { learningRate: 1e-3, weightDecay: 1e-5, decoupled: false, clipNorm: 1 };
const shapes: Record<string, NetworkShape> = {
  'odd widths': { inputs: 5, hidden: [13, 7], heads: everyHead },
  'widths of 4 and 8': { inputs: 8, hidden: [16, 4, 8], heads: everyHead },
  'one layer, one head': { inputs: 1, hidden: [1], heads: [{ kind: 'binary', outputs: 1 }] },
};

/** Largest absolute differences; those of gradients and first moments before the weights could drift apart. */
interface Comparison {
  loss: number;
  gradient: number;
  moments: number;
  weights: number;
  running: number;
}

/** Trains `steps` batches on both sides; the oracle takes over the kernels' state every `reload` steps. */
function compare(
  shape: NetworkShape,
  options: {
    steps: number;
    reload: number;
    batch: number;
    dropout: number;
    missing?: number;
    update?: typeof update;
    mutate?: (network: Network, gradientNorm: number) => void;
    oracleUpdate?: typeof update;
    seedOfMasks?: string;
    products?: Products | undefined;
  },
): Comparison {
  const settings = options.update ?? update;
  const rng = makeRng('compare', JSON.stringify(shape), options.batch);
  const { x, y } = randomData(shape, options.batch * 4, rng, options.missing ?? 0.2);
  const network = new Network(new Workspace(shape, options.batch, options.products));
  network.initialise(makeRng('init'));
  network.seedDropout(makeRng('dropout'));
  network.loadData(x.length, flat(x), flat(y));
  const weights = shape.heads.map((_, h) => 0.5 + 0.25 * h);
  const dropout = shape.hidden.map(() => options.dropout);
  const worst: Comparison = { loss: 0, gradient: 0, moments: 0, weights: 0, running: 0 };
  let state = readState(network);
  let moments = readMoments(network, 0, vectorsOf);
  if (options.seedOfMasks !== undefined) network.seedDropout(makeRng(options.seedOfMasks));
  const bits = Uint32Array.from(new Uint32Array(network.regionBytes('dropoutState').slice().buffer));
  network.seedDropout(makeRng('dropout'));
  const threshold = thresholdOf(options.dropout);
  for (let step = 0; step < options.steps; step++) {
    if (step % options.reload === 0) {
      state = readState(network);
      moments = readMoments(network, step, vectorsOf);
    }
    const from = (step % 4) * options.batch;
    const masks = shape.hidden.map((units, l) => {
      const padded = network.layout.layers[l]?.paddedUnits as number;
      return dropoutMask(bits, options.batch, units, padded, threshold, keepOf(threshold));
    });
    const batch = [x.slice(from, from + options.batch), y.slice(from, from + options.batch)] as const;
    const expected = oracleGradients(shape, state, ...batch, weights, masks);
    oracleUpdate(state, expected.gradient, moments, options.oracleUpdate ?? settings);
    network.gradients(rowsOf(options.batch, from), { dropout, weights });
    options.mutate?.(network, network.gradientNorm());
    const gradient = vectorsOf(readState(network, 'gradient'));
    worst.gradient = Math.max(worst.gradient, largestDifference(gradient, vectorsOf(expected.gradient)));
    for (const [c, loss] of expected.losses.entries())
      worst.loss = Math.max(worst.loss, Math.abs(loss - (network.losses[c] as number)) / options.batch);
    network.update(settings);
    const got = readState(network);
    const first = vectorsOf(readState(network, 'first'));
    worst.moments = Math.max(worst.moments, largestDifference(first, moments.first));
    worst.weights = Math.max(worst.weights, largestDifference(vectorsOf(got), vectorsOf(state)));
    for (const [l, layer] of got.layers.entries()) {
      const other = state.layers[l] as (typeof got.layers)[number];
      const difference = largestDifference(
        [layer.runningMean, layer.runningVariance],
        [other.runningMean, other.runningVariance],
      );
      worst.running = Math.max(worst.running, difference);
    }
  }
  return worst;
}

describeEngines('a training step against the double-precision oracle', (products) => {
  for (const [name, shape] of Object.entries(shapes))
    it.each([
      { batch: 2, dropout: 0 },
      { batch: 17, dropout: 0.3 },
      { batch: 32, dropout: 0.5 },
    ])(`${name}, batch $batch, dropout $dropout`, ({ batch, dropout }) => {
      const worst = compare(shape, { steps: batch === 32 ? 200 : 40, reload: 5, batch, dropout, products });
      expect(worst.loss).toBeLessThan(1e-4);
      expect(worst.weights).toBeLessThan(1e-4);
      expect(worst.running).toBeLessThan(1e-4);
    });
});

describeEngines('any shape', (products) => {
  it('takes steps as the oracle does', () => {
    const width = fc.integer({ min: 1, max: 40 });
    const heads = fc.array(
      fc.record({ kind: fc.constantFrom(...headKinds), outputs: fc.integer({ min: 2, max: 5 }) }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(
        width,
        fc.array(width, { minLength: 1, maxLength: 3 }),
        heads,
        fc.integer({ min: 12, max: 40 }),
        fc.constantFrom(0, 0.2),
        (inputs, hidden, kinds, batch, missing) => {
          const clipped = { ...update, clipNorm: 0.1 };
          const options = { steps: 6, reload: 2, batch, dropout: 0.25, missing, update: clipped, products };
          const worst = compare({ inputs, hidden, heads: kinds }, options);
          expect(worst.loss).toBeLessThan(1e-4);
          expect(worst.gradient).toBeLessThan(1e-3);
          expect(worst.weights).toBeLessThan(1e-3);
          expect(worst.running).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the comparison catches', () => {
  const shape: NetworkShape = { inputs: 5, hidden: [13, 7], heads: everyHead };
  const options = { steps: 20, reload: 5, batch: 17, dropout: 0.3 };
  const clipped = { ...update, clipNorm: 0.05 };

  it('nothing where nothing is wrong, clipped or not', () => {
    const right = compare(shape, { ...options, update: clipped });
    expect(right.gradient).toBeLessThan(1e-5);
    expect(right.moments).toBeLessThan(1e-6);
    expect(right.weights).toBeLessThan(1e-5);
    expect(
      compare(shape, { ...options, update: { ...update, decoupled: true, weightDecay: 0.5 } }).weights,
    ).toBeLessThan(1e-5);
  });

  // Adam divides by the size of the gradient, so a factor on all of it barely moves the weights by itself: the
  // comparison of the clipped norm must notice.
  it('a gradient that is 2 % too large under clipping', () => {
    const norms: number[] = [];
    const mutate = (network: Network, norm: number): void => {
      const gradient = network.region('gradient');
      for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * 1.02;
      norms.push(network.gradientNorm() / norm);
    };
    const worst = compare(shape, { ...options, update: { ...update, clipNorm: 1e9 }, mutate });
    expect(norms.every((ratio) => Math.abs(ratio - 1.02) < 1e-5)).toBe(true);
    expect(worst.gradient).toBeGreaterThan(1e-3);
  });

  it('a clip that is 2 % too loose', () => {
    const loose = { ...clipped, clipNorm: clipped.clipNorm * 1.02 };
    expect(compare(shape, { ...options, update: clipped, oracleUpdate: loose }).moments).toBeGreaterThan(2e-5);
    expect(compare(shape, { ...options, update: clipped }).moments).toBeLessThan(1e-6);
  });

  it('decay of the weights instead of the gradient', () => {
    const decay = { ...update, weightDecay: 0.5 };
    const worst = compare(shape, { ...options, update: decay, oracleUpdate: { ...decay, decoupled: true } });
    expect(worst.weights).toBeGreaterThan(1e-4);
  });

  it('a dropout mask of another seed', () => {
    expect(compare(shape, { ...options, seedOfMasks: 'other' }).gradient).toBeGreaterThan(1e-2);
  });

  it('running variance divided by n instead of n - 1', () => {
    const mutate = (network: Network): void => {
      for (const { runningVariance, paddedUnits } of network.layout.layers) {
        const values = network.region('running');
        for (let j = runningVariance; j < runningVariance + paddedUnits; j++) values[j] = (values[j] as number) * 0.99;
      }
    };
    expect(compare(shape, { ...options, mutate }).running).toBeGreaterThan(1e-4);
  });
});

describeEngines('a network', (products, engine) => {
  const shape: NetworkShape = { inputs: 5, hidden: [13, 7], heads: everyHead };

  function trained(batch: number): Network {
    const { x, y } = randomData(shape, 64, makeRng('data'), 0.2);
    const network = new Network(new Workspace(shape, batch, products));
    network.initialise(makeRng('init'));
    network.seedDropout(makeRng('dropout'));
    network.loadData(64, flat(x), flat(y));
    for (let step = 0; step < 30; step++) {
      network.gradients(rowsOf(32, (step % 2) * 32), { dropout: [0.3, 0.3], weights: shape.heads.map(() => 1) });
      network.update(update);
    }
    return network;
  }

  it('keeps its padding at zero', () => {
    const network = trained(32);
    const values = network.region('parameters').slice();
    for (const { region, rows, columns, offset, stride } of network.layout.tensors)
      if (region === 'parameters')
        for (let i = 0; i < rows; i++) values.fill(0, offset + i * stride, offset + i * stride + columns);
    expect(values.every((value) => value === 0)).toBe(true);
  });

  it('predicts a row the same alone and in company', () => {
    const network = trained(32);
    const width = network.layout.heads.paddedOutputs;
    const together = network.predict(rowsOf(32)).slice();
    for (let row = 0; row < 32; row++) {
      const alone = network.predict(rowsOf(1, row)).slice();
      const among = together.slice(row * width, (row + 1) * width);
      // OpenBLAS takes another kernel for a single row: the same value to rounding.
      if (engine === 'wasm') expect(alone).toEqual(among);
      else for (const [c, value] of alone.entries()) expect(Math.abs(value - (among[c] as number))).toBeLessThan(1e-5);
    }
  });

  it('gives outputs within the range of their heads, classes that sum to 1', () => {
    const network = trained(32);
    const width = network.layout.heads.paddedOutputs;
    const outputs = network.predict(rowsOf(32));
    for (let row = 0; row < 32; row++) {
      const at = [...outputs.subarray(row * width, row * width + 14)];
      expect(at.slice(0, 6).every((value) => value > -1 && value < 1)).toBe(true);
      expect(at[9]).toBeGreaterThanOrEqual(0);
      expect(at[6]).toBeGreaterThan(0);
      expect(at[10]).toBeLessThan(1);
      expect(at.slice(11).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    }
  });

  it('measures the loss that its predictions have', () => {
    const network = trained(32);
    const { y } = randomData(shape, 64, makeRng('data'), 0.2);
    const width = network.layout.heads.paddedOutputs;
    const outputs = network.predict(rowsOf(32)).slice();
    network.measure(rowsOf(32));
    const expected = new Array(14).fill(0);
    for (let row = 0; row < 32; row++)
      for (let c = 0; c < 14; c++) {
        const target = y[row]?.[c] as number;
        const value = outputs[row * width + c] as number;
        if (Number.isNaN(target)) continue;
        if (c < 10) expected[c] += (value - target) ** 2;
        else if (c === 10) expected[c] -= Math.log(target === 1 ? value : 1 - value);
        else if (target === 1) expected[c] -= Math.log(value);
      }
    for (let c = 0; c < 14; c++) expect(network.losses[c]).toBeCloseTo(expected[c], 3);
  });

  it('stays finite for outputs far out, where a plain logarithm would overflow', () => {
    const extreme: NetworkShape = {
      inputs: 1,
      hidden: [8],
      heads: [
        { kind: 'binary', outputs: 1 },
        { kind: 'multiclass', outputs: 2 },
      ],
    };
    const network = new Network(new Workspace(extreme, 2, products));
    network.initialise(makeRng('init'));
    const { heads } = network.layout;
    network.region('parameters').set([500, -500, 500], heads.bias);
    network.loadData(2, Float32Array.of(1, 2), Float32Array.of(0, 1, 0, 1, 0, 1));
    network.gradients(rowsOf(2), { dropout: [0], weights: [1, 1] });
    expect(network.losses[0]).toBeCloseTo(500, -1);
    expect(network.losses[1]).toBeCloseTo(1000, -1);
    expect(network.losses[2]).toBeCloseTo(0, 1);
    expect(Number.isFinite(network.gradientNorm())).toBe(true);
  });
});
