/**
 * Holds a stack against the double-precision oracle, network by network and step by step: what every engine must pass,
 * in the tests and on the machine where it is to run (`fathom doctor`, `make gpu-check`).
 */

import { makeRng, type Rng } from '../../random/rng.ts';
import { layoutOf, type Tensor } from './layout.ts';
import { emptySums } from './losses.ts';
import {
  type Matrix,
  type OracleMoments,
  type OracleState,
  oracleGradients,
  oracleUpdate,
  vectorsOf,
} from './oracle.ts';
import { type HeadShape, type NetworkShape, outputsOf } from './shape.ts';
import { batchStarts, type MemberRegion, type MemberSettings, type Stack, type StackRequest } from './stack.ts';

/** One head of every kind. */
export const everyHead: readonly HeadShape[] = [
  { kind: 'tanh', outputs: 6 },
  { kind: 'sigmoid', outputs: 1 },
  { kind: 'regression', outputs: 2 },
  { kind: 'relu', outputs: 1 },
  { kind: 'binary', outputs: 1 },
  { kind: 'multiclass', outputs: 3 },
];

/** Random features and targets that suit the heads; a share of the targets is missing. */
export function randomData(shape: NetworkShape, rows: number, rng: Rng, missing: number): { x: Matrix; y: Matrix } {
  const x = Array.from({ length: rows }, () => Array.from({ length: shape.inputs }, () => Math.fround(rng.normal())));
  const y = Array.from({ length: rows }, () =>
    shape.heads.flatMap(({ kind, outputs }) => {
      if (kind === 'multiclass') {
        const own = rng.below(outputs);
        const absent = rng.uniform() < missing;
        return Array.from({ length: outputs }, (_, c) => (absent ? Number.NaN : Number(c === own)));
      }
      return Array.from({ length: outputs }, () => {
        if (rng.uniform() < missing) return Number.NaN;
        if (kind === 'binary') return rng.below(2);
        if (kind === 'tanh') return Math.fround(2 * rng.uniform() - 1);
        return Math.fround(kind === 'regression' ? rng.normal() : rng.uniform());
      });
    }),
  );
  return { x, y };
}

export function flat(matrix: Matrix): Float32Array {
  return Float32Array.from(matrix.flat());
}

/** Largest absolute difference of two states' trained values. */
export function largestDifference(a: number[][], b: number[][]): number {
  let largest = 0;
  for (const [k, values] of a.entries())
    for (const [i, value] of values.entries()) {
      const difference = Math.abs(value - (b[k]?.[i] as number));
      if (!(difference <= largest)) largest = difference;
    }
  return largest;
}

/** One engine of stacks under test. */
export interface StackEngine {
  make(request: StackRequest): Stack;
  /**
   * The masks of one network, whose stream of dropout was started with `dropout`: per step and hidden layer the factor
   * of every unit, rows x units, 0 where dropped; undefined without dropout. Steps are asked for one after the other.
   */
  masks(
    shape: NetworkShape,
    settings: MemberSettings,
    dropout: Rng,
  ): (step: number, rows: number) => (Matrix | undefined)[];
}

export interface ConformanceOptions {
  readonly shape: NetworkShape;
  readonly networks: number;
  readonly batchSize: number;
  readonly trainRows: number;
  readonly steps: number;
  /** The oracle's state is put into the stack anew every so many steps: free runs part at ReLUs near zero. */
  readonly reload: number;
  readonly dropout: number;
  readonly missing?: number;
  readonly clipNorm?: number;
}

/** Largest differences over all networks and steps; of the norm relative to it. */
export interface Differences {
  loss: number;
  norm: number;
  moments: number;
  weights: number;
  running: number;
}

export function settingsOf(
  k: number,
  shape: NetworkShape,
  options: Pick<ConformanceOptions, 'dropout' | 'clipNorm'>,
): MemberSettings {
  return {
    learningRate: 1e-3 * (1 + k),
    weightDecay: k % 2 === 1 ? 1e-2 : 1e-5,
    decoupled: k % 3 === 2,
    clipNorm: options.clipNorm ?? (k % 2 === 1 ? 0.1 : 1),
    dropout: shape.hidden.map(() => (options.dropout * (k + 2)) / (2 * k + 2)),
    weights: shape.heads.map((_, h) => 0.5 + 0.25 * ((h + k) % 3)),
  };
}

export function randomState(shape: NetworkShape, seed: number): OracleState {
  const rng = makeRng('state', seed);
  const matrix = (rows: number, columns: number): Matrix =>
    Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => Math.fround(rng.normal() / Math.sqrt(rows))),
    );
  let inputs = shape.inputs;
  const layers = shape.hidden.map((units) => {
    const layer = {
      weight: matrix(inputs, units),
      gamma: Array.from({ length: units }, () => Math.fround(1 + rng.normal() / 10)),
      beta: Array.from({ length: units }, () => Math.fround(rng.normal() / 10)),
      runningMean: new Array<number>(units).fill(0),
      runningVariance: new Array<number>(units).fill(1),
    };
    inputs = units;
    return layer;
  });
  const outputs = shape.heads.reduce((sum, head) => sum + head.outputs, 0);
  return { layers, headWeight: matrix(inputs, outputs), headBias: matrix(1, outputs)[0] as number[] };
}

const matricesOf = (state: OracleState, { name }: Tensor): Matrix => {
  const [part, index, ...rest] = name.split('.');
  if (part === 'heads') return index === 'weight' ? state.headWeight : [state.headBias];
  const layer = state.layers[Number(index)] as OracleState['layers'][number];
  const kind = rest.join('.');
  if (kind === 'weight') return layer.weight;
  if (kind === 'norm.weight') return [layer.gamma];
  if (kind === 'norm.bias') return [layer.beta];
  return [kind === 'norm.running_mean' ? layer.runningMean : layer.runningVariance];
};

/** Values of a state as a region lays them out. */
export function packRegion(shape: NetworkShape, state: OracleState, region: 'parameters' | 'running'): Float32Array {
  const layout = layoutOf(shape);
  const values = new Float32Array(layout[region]);
  for (const tensor of layout.tensors)
    if (tensor.region === region)
      for (const [row, list] of matricesOf(state, tensor).entries())
        values.set(list, tensor.offset + row * tensor.stride);
  return values;
}

function unpackRegion(shape: NetworkShape, values: Float32Array, region: 'parameters' | 'running'): Matrix {
  return layoutOf(shape)
    .tensors.filter((tensor) => tensor.region === region)
    .flatMap((tensor) =>
      Array.from({ length: tensor.rows }, (_, row) => {
        const at = tensor.offset + row * tensor.stride;
        return Array.from(values.subarray(at, at + tensor.columns));
      }),
    );
}

/** Moments as a state, so that `packRegion` can lay them out. */
function asState(shape: NetworkShape, vectors: readonly number[][]): OracleState {
  const state = randomState(shape, 0);
  for (const [i, vector] of vectorsOf(state).entries()) vector.splice(0, vector.length, ...(vectors[i] as number[]));
  return state;
}

export function compareStack(engine: StackEngine, options: ConformanceOptions): Differences {
  const { shape, networks, batchSize, trainRows } = options;
  const rng = makeRng('stack', JSON.stringify(shape), batchSize, networks);
  const { x, y } = randomData(shape, trainRows + 7, rng, options.missing ?? 0.2);
  const stack = engine.make({ shape, networks, batchSize, trainRows, features: flat(x), targets: flat(y) });
  const all = Array.from({ length: networks }, (_, k) => k);
  const settings = all.map((k) => settingsOf(k, shape, options));
  const states = all.map((k) => randomState(shape, k));
  const moments: OracleMoments[] = states.map((state) => ({
    first: vectorsOf(state).map((v) => v.map(() => 0)),
    second: vectorsOf(state).map((v) => v.map(() => 0)),
    steps: 0,
  }));
  // Two orders among all networks: some share one.
  const orders = [0, 1].map((i) =>
    makeRng('order', i).shuffle(Uint32Array.from({ length: trainRows }, (_, row) => row)),
  );
  const batches = batchStarts(trainRows, batchSize).length;
  const load = (): void => {
    for (const k of all) {
      const put = (region: MemberRegion, state: OracleState): void =>
        stack.write(k, region, packRegion(shape, state, region === 'running' ? 'running' : 'parameters'));
      put('parameters', states[k] as OracleState);
      put('running', states[k] as OracleState);
      put('first', asState(shape, moments[k]?.first as number[][]));
      put('second', asState(shape, moments[k]?.second as number[][]));
    }
  };
  const masks = all.map((k) => engine.masks(shape, settings[k] as MemberSettings, makeRng('dropout', k)));
  for (const k of all) {
    stack.configure(k, settings[k] as MemberSettings);
    stack.seedDropout(k, makeRng('dropout', k));
  }
  const worst: Differences = { loss: 0, norm: 0, moments: 0, weights: 0, running: 0 };
  const note = (key: keyof Differences, value: number): void => {
    if (!(value <= worst[key])) worst[key] = value;
  };
  for (let step = 0; step < options.steps; step++) {
    if (step % options.reload === 0) load();
    const batch = step % batches;
    const first = batch * batchSize;
    const sums = all.map(() => emptySums(outputsOf(shape)));
    const reports = stack.train(
      all,
      all.map((k) => orders[k % 2] as Uint32Array),
      batch,
      batch + 1,
      sums,
    );
    for (const k of all) {
      const order = orders[k % 2] as Uint32Array;
      const rows = order.subarray(first, batch === batches - 1 ? trainRows : first + batchSize);
      const own = settings[k] as MemberSettings;
      const state = states[k] as OracleState;
      const expected = oracleGradients(
        shape,
        state,
        Array.from(rows, (row) => x[row] as number[]),
        Array.from(rows, (row) => y[row] as number[]),
        own.weights,
        masks[k]?.(step, rows.length) ?? [],
      );
      const norm = oracleUpdate(state, expected.gradient, moments[k] as OracleMoments, own);
      const report = reports[k] as (typeof reports)[number];
      for (const [c, loss] of expected.losses.entries())
        note('loss', Math.abs(loss - (sums[k]?.losses[c] as number)) / rows.length);
      for (const [c, count] of expected.counts.entries())
        note('loss', Math.abs(count - (sums[k]?.counts[c] as number)));
      note('norm', Math.abs(report.norm / norm - 1));
      const read = (region: MemberRegion) =>
        unpackRegion(shape, stack.read(k, region), region === 'running' ? 'running' : 'parameters');
      note(
        'weights',
        largestDifference(
          read('parameters'),
          unpackRegion(shape, packRegion(shape, state, 'parameters'), 'parameters'),
        ),
      );
      note(
        'running',
        largestDifference(read('running'), unpackRegion(shape, packRegion(shape, state, 'running'), 'running')),
      );
      const expectedFirst = packRegion(shape, asState(shape, moments[k]?.first as number[][]), 'parameters');
      note('moments', largestDifference(read('first'), unpackRegion(shape, expectedFirst, 'parameters')));
    }
  }
  stack.free();
  return worst;
}
