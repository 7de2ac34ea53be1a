import { beforeAll, describe, expect, it } from 'vitest';
import { keepOf, Network, thresholdOf } from '../../../src/models/mtl/network.ts';
import {
  dropoutMask,
  type OracleState,
  oracleGradients,
  oracleUpdate,
  vectorsOf,
} from '../../../src/models/mtl/oracle.ts';
import type { NetworkShape } from '../../../src/models/mtl/shape.ts';
import { makeRng } from '../../../src/random/rng.ts';
import {
  buildKernels,
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

interface Comparison {
  loss: number;
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
    mutateOracle?: (state: OracleState) => void;
  },
): Comparison {
  const settings = options.update ?? update;
  const rng = makeRng('compare', JSON.stringify(shape), options.batch);
  const { x, y } = randomData(shape, options.batch * 4, rng, options.missing ?? 0.2);
  const network = new Network(shape, options.batch);
  network.initialise(makeRng('init'));
  network.seedDropout(makeRng('dropout'));
  network.loadData(x.length, flat(x), flat(y));
  const weights = shape.heads.map((_, h) => 0.5 + 0.25 * h);
  const dropout = shape.hidden.map(() => options.dropout);
  const worst: Comparison = { loss: 0, weights: 0, running: 0 };
  let state = readState(network);
  let moments = readMoments(network, 0, vectorsOf);
  const bits = Uint32Array.from(new Uint32Array(network.regionBytes('dropoutState').slice().buffer));
  const threshold = thresholdOf(options.dropout);
  for (let step = 0; step < options.steps; step++) {
    if (step % options.reload === 0) {
      state = readState(network);
      moments = readMoments(network, step, vectorsOf);
    }
    const first = (step % 4) * options.batch;
    const masks = shape.hidden.map((units, l) => {
      const padded = network.layout.layers[l]?.paddedUnits as number;
      return dropoutMask(bits, options.batch, units, padded, threshold, keepOf(threshold));
    });
    const batch = [x.slice(first, first + options.batch), y.slice(first, first + options.batch)] as const;
    const expected = oracleGradients(shape, state, ...batch, weights, masks);
    oracleUpdate(state, expected.gradient, moments, settings);
    network.gradients(rowsOf(options.batch, first), { dropout, weights });
    options.mutate?.(network, network.gradientNorm());
    for (const [c, loss] of expected.losses.entries())
      worst.loss = Math.max(worst.loss, Math.abs(loss - (network.losses[c] as number)) / options.batch);
    network.update(settings);
    const got = readState(network);
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

describe('a training step against the double-precision oracle', () => {
  for (const [name, shape] of Object.entries(shapes))
    it.each([
      { batch: 2, dropout: 0 },
      { batch: 17, dropout: 0.3 },
      { batch: 32, dropout: 0.5 },
    ])(`${name}, batch $batch, dropout $dropout`, ({ batch, dropout }) => {
      const worst = compare(shape, { steps: batch === 32 ? 200 : 40, reload: 5, batch, dropout });
      console.log(name, batch, worst);
      expect(worst.loss).toBeLessThan(1e-4);
      expect(worst.weights).toBeLessThan(1e-4);
      expect(worst.running).toBeLessThan(1e-4);
    });
});
