/**
 * The same network in plain double-precision loops, written for reading, not for speed. Tests hold the kernels
 * against it; nothing else uses it.
 */
import { exp, log } from '../../numeric/elementary.ts';
import type { Rng } from '../../random/rng.ts';
import { padded } from './layout.ts';
import { keepOf, thresholdOf } from './network.ts';
import { firstOutputs, type HeadKind, type NetworkShape, outputFunction, outputsOf } from './shape.ts';

/** A matrix as rows. */
export type Matrix = number[][];

export interface OracleLayer {
  /** inputs x units */
  weight: Matrix;
  gamma: number[];
  beta: number[];
  runningMean: number[];
  runningVariance: number[];
}

export interface OracleState {
  readonly layers: OracleLayer[];
  /** units of the last layer x outputs */
  readonly headWeight: Matrix;
  readonly headBias: number[];
}

/** Trained values in a fixed order, as references: every entry is one vector that an optimiser may change in place. */
export function vectorsOf(state: OracleState): number[][] {
  return [
    ...state.layers.flatMap((layer) => [...layer.weight, layer.gamma, layer.beta]),
    ...state.headWeight,
    state.headBias,
  ];
}

export interface OracleResult {
  /** Weighted loss. */
  readonly loss: number;
  /** Per output column, as the kernels report them. */
  readonly losses: number[];
  readonly counts: number[];
  /** Same structure as the state; running statistics are empty. */
  readonly gradient: OracleState;
}

const EPSILON = 1e-5;

const zeros = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => new Array(columns).fill(0));

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const out: number[] = new Array((b[0] ?? []).length).fill(0);
    for (const [k, value] of row.entries())
      for (const [j, other] of (b[k] as number[]).entries()) out[j] = (out[j] as number) + value * other;
    return out;
  });
}

function transpose(a: Matrix): Matrix {
  return (a[0] ?? []).map((_, j) => a.map((row) => row[j] as number));
}

function columnSums(a: Matrix): number[] {
  return (a[0] ?? []).map((_, j) => a.reduce((sum, row) => sum + (row[j] as number), 0));
}

/** Loss of one output and its derivative by z. Not for `multiclass`. */
function lossOf(kind: HeadKind, z: number, target: number): [loss: number, slope: number] {
  const y = outputFunction(kind, z);
  const error = y - target;
  if (kind === 'binary') return [Math.max(z, 0) - target * z + log(1 + exp(-Math.abs(z))), error];
  let slope = 1;
  if (kind === 'tanh') slope = 1 - y * y;
  else if (kind === 'sigmoid') slope = y * (1 - y);
  else if (kind === 'relu') slope = z > 0 ? 1 : 0;
  return [error * error, 2 * error * slope];
}

/**
 * Loss and gradient of one batch, and the running statistics moved.
 *
 * @param masks per hidden layer rows x units: 0 where dropped, else the factor; undefined without dropout
 */
export function oracleGradients(
  shape: NetworkShape,
  state: OracleState,
  x: Matrix,
  y: Matrix,
  weights: readonly number[],
  masks: readonly (Matrix | undefined)[],
): OracleResult {
  const n = x.length;
  const inputs: Matrix[] = [];
  const normalised: Matrix[] = [];
  const deviations: number[][] = [];
  let a = x;
  for (const [l, layer] of state.layers.entries()) {
    inputs.push(a);
    const z = product(a, layer.weight);
    const mean = columnSums(z).map((sum) => sum / n);
    const squares = columnSums(z.map((row) => row.map((value, j) => (value - (mean[j] as number)) ** 2)));
    const deviation = squares.map((sum) => Math.sqrt(sum / n + EPSILON));
    for (const [j, m] of mean.entries()) {
      layer.runningMean[j] = 0.9 * (layer.runningMean[j] as number) + 0.1 * m;
      layer.runningVariance[j] = 0.9 * (layer.runningVariance[j] as number) + (0.1 * (squares[j] as number)) / (n - 1);
    }
    const hat = z.map((row) => row.map((value, j) => (value - (mean[j] as number)) / (deviation[j] as number)));
    normalised.push(hat);
    deviations.push(deviation);
    a = hat.map((row, i) =>
      row.map((value, j) => {
        const mask = masks[l]?.[i]?.[j] ?? 1;
        return Math.max(0, value * (layer.gamma[j] as number) + (layer.beta[j] as number)) * mask;
      }),
    );
  }
  const z = product(a, state.headWeight).map((row) => row.map((value, j) => value + (state.headBias[j] as number)));
  const { loss, losses, counts, slopes } = headLosses(shape, z, y, weights);

  const layers: OracleLayer[] = [];
  const headWeight = product(transpose(a), slopes);
  const headBias = columnSums(slopes);
  let d = product(slopes, transpose(state.headWeight));
  for (let l = state.layers.length - 1; l >= 0; l--) {
    const layer = state.layers[l] as OracleLayer;
    const hat = normalised[l] as Matrix;
    const deviation = deviations[l] as number[];
    const q = d.map((row, i) =>
      row.map((value, j) => {
        const positive = (hat[i]?.[j] as number) * (layer.gamma[j] as number) + (layer.beta[j] as number) > 0;
        return positive ? value * (masks[l]?.[i]?.[j] ?? 1) : 0;
      }),
    );
    const beta = columnSums(q);
    const gamma = columnSums(q.map((row, i) => row.map((value, j) => value * (hat[i]?.[j] as number))));
    const dz = q.map((row, i) =>
      row.map((value, j) => {
        const centred = value - (beta[j] as number) / n - ((hat[i]?.[j] as number) * (gamma[j] as number)) / n;
        return (centred * (layer.gamma[j] as number)) / (deviation[j] as number);
      }),
    );
    const weight = product(transpose(inputs[l] as Matrix), dz);
    layers.unshift({ weight, gamma, beta, runningMean: [], runningVariance: [] });
    d = product(dz, transpose(layer.weight));
  }
  return { loss, losses, counts, gradient: { layers, headWeight, headBias } };
}

function headLosses(shape: NetworkShape, z: Matrix, y: Matrix, weights: readonly number[]) {
  const outputs = outputsOf(shape);
  const losses: number[] = new Array(outputs).fill(0);
  const counts = columnSums(y.map((row) => row.map((target) => (Number.isNaN(target) ? 0 : 1))));
  const slopes = zeros(z.length, outputs);
  const firsts = firstOutputs(shape);
  let loss = 0;
  for (const [h, head] of shape.heads.entries()) {
    const first = firsts[h] as number;
    const columns = Array.from({ length: head.outputs }, (_, i) => first + i);
    let present = columns.reduce((sum, c) => sum + (counts[c] as number), 0);
    if (head.kind === 'multiclass') present /= head.outputs;
    if (present === 0) continue;
    const weight = (weights[h] ?? 1) / present;
    for (const [i, row] of z.entries()) {
      const targets = y[i] as number[];
      const slopesOfRow = slopes[i] as number[];
      if (head.kind === 'multiclass') {
        if (Number.isNaN(targets[first] as number)) continue;
        const sum = columns.reduce((total, c) => total + exp(row[c] as number), 0);
        for (const c of columns) {
          const probability = exp(row[c] as number) / sum;
          const target = targets[c] as number;
          slopesOfRow[c] = weight * (probability - target);
          if (target === 1) {
            losses[c] = (losses[c] as number) - log(probability);
            loss -= weight * log(probability);
          }
        }
        continue;
      }
      for (const c of columns) {
        const target = targets[c] as number;
        if (Number.isNaN(target)) continue;
        const [value, slope] = lossOf(head.kind, row[c] as number, target);
        losses[c] = (losses[c] as number) + value;
        loss += weight * value;
        slopesOfRow[c] = weight * slope;
      }
    }
  }
  return { loss, losses, counts, slopes };
}

/** Moments of Adam: one vector for each of `vectorsOf`. */
export interface OracleMoments {
  readonly first: number[][];
  readonly second: number[][];
  steps: number;
}

/** One step of Adam, in place. Returns the norm of the gradient before clipping. */
export function oracleUpdate(
  state: OracleState,
  gradient: OracleState,
  moments: OracleMoments,
  options: { learningRate: number; weightDecay: number; decoupled: boolean; clipNorm: number },
): number {
  const { learningRate, weightDecay, decoupled, clipNorm } = options;
  const gradients = vectorsOf(gradient);
  const norm = Math.sqrt(gradients.flat().reduce((sum, g) => sum + g * g, 0));
  const clip = Math.min(1, clipNorm / (norm + 1e-6));
  moments.steps++;
  const firstCorrection = 1 - 0.9 ** moments.steps;
  const secondCorrection = 1 - 0.999 ** moments.steps;
  for (const [k, values] of vectorsOf(state).entries()) {
    const first = moments.first[k] as number[];
    const second = moments.second[k] as number[];
    for (const [i, value] of values.entries()) {
      const g = (gradients[k]?.[i] as number) * clip + (decoupled ? 0 : weightDecay * value);
      const m = 0.9 * (first[i] as number) + 0.1 * g;
      const v = 0.999 * (second[i] as number) + 0.001 * g * g;
      first[i] = m;
      second[i] = v;
      const step = m / firstCorrection / (Math.sqrt(v / secondCorrection) + 1e-8);
      values[i] = value * (decoupled ? 1 - learningRate * weightDecay : 1) - learningRate * step;
    }
  }
  return norm;
}

/**
 * The masks that the kernels' dropout makes of a stream: see `kernels/activation.ts`. Moves `state` on.
 *
 * @param state four 32-bit words
 * @param paddedUnits units rounded up to a multiple of 8
 */
export function dropoutMask(
  state: Uint32Array,
  rows: number,
  units: number,
  paddedUnits: number,
  threshold: number,
  keep: number,
): Matrix | undefined {
  if (threshold === 0) return undefined;
  const mask = zeros(rows, units);
  for (let block = 0; block < rows; block += 16) {
    for (let j = 0; j < paddedUnits; j += 8) {
      for (let row = block; row < Math.min(rows, block + 16); row++) {
        for (let lane = 0; lane < 4; lane++) {
          let s = state[lane] as number;
          s ^= s << 13;
          s ^= s >>> 17;
          s ^= s << 5;
          state[lane] = s;
          for (const [half, bits] of [s & 0xffff, s >>> 16].entries()) {
            const unit = j + 2 * lane + half;
            if (unit < units && bits >= threshold) (mask[row] as number[])[unit] = keep;
          }
        }
      }
    }
  }
  return mask;
}

/** The masks of a network in the kernels' memory, for the conformance suite: see `StackEngine.masks`. */
export function networkMasks(shape: NetworkShape, { dropout }: { readonly dropout: readonly number[] }, rng: Rng) {
  const state = Uint32Array.from({ length: 4 }, () => 1 + rng.below(4294967295));
  return (_: number, rows: number) =>
    shape.hidden.map((units, layer) => {
      const threshold = thresholdOf(dropout[layer] ?? 0);
      return dropoutMask(state, rows, units, padded(units), threshold, keepOf(threshold));
    });
}
