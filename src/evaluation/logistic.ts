/** Logistic regression with few coefficients: how often something happens, by what is known before. */
import { FathomError } from '../errors.ts';
import { exp, log, sigmoid } from '../numeric/elementary.ts';

export interface LogisticRows {
  /** Row by row, `width` values each; a constant is a column of ones. */
  readonly x: Float64Array;
  readonly width: number;
  /** Weight of each row. */
  readonly weight: Float64Array;
  /** Of that weight, what happened. */
  readonly happened: Float64Array;
}

/** A pull towards stated coefficients, so that the fit exists however few the rows. */
export interface Prior {
  readonly mean: readonly number[];
  /** Weight of the prior on each coefficient, in units of the information of one row. */
  readonly strength: number;
}

/**
 * Maximum likelihood by Newton's method (iteratively reweighted least squares), or the mode of the posterior under a
 * normal prior. Source: McCullagh and Nelder (1989), chapter 4.
 */
export function fitLogistic(rows: LogisticRows, prior: Prior): number[] {
  const { width } = rows;
  const beta = [...prior.mean];
  for (let round = 0; round < 60; round++) {
    const { score, information } = derivatives(rows, beta);
    for (let j = 0; j < width; j++) {
      score[j] = (score[j] as number) + prior.strength * ((prior.mean[j] as number) - (beta[j] as number));
      information[j * width + j] = (information[j * width + j] as number) + prior.strength;
    }
    const step = solve(information, score, width);
    const size = Math.max(...step.map(Math.abs));
    // The likelihood is concave: a step that goes too far is halved until it no longer goes down.
    const before = objective(rows, beta, prior);
    const least = before - 1e-12 * Math.abs(before);
    let scale = size > 4 ? 4 / size : 1;
    const moved = (): number[] => beta.map((value, j) => value + scale * (step[j] as number));
    while (scale > 1e-9 && objective(rows, moved(), prior) < least) scale /= 2;
    if (size < 1e-9 || scale <= 1e-9) return beta;
    beta.splice(0, width, ...moved());
  }
  throw new FathomError('data', 'a logistic regression does not converge', {
    hint: 'fewer groups, or more resolved markets',
  });
}

/**
 * Standard errors of the coefficients that allow rows of one cluster any dependence (sandwich), with the factor
 * G / (G - 1) for G clusters. NaN below two. Source: Liang and Zeger (1986), Biometrika 73.
 */
export function clusteredErrors(
  rows: LogisticRows,
  beta: readonly number[],
  cluster: Int32Array,
  clusters: number,
): number[] {
  const { width } = rows;
  const { information } = derivatives(rows, beta);
  const scores = new Float64Array(clusters * width);
  forEachRow(rows, beta, (row, residual) => {
    const at = (cluster[row] as number) * width;
    for (let j = 0; j < width; j++)
      scores[at + j] = (scores[at + j] as number) + residual * (rows.x[row * width + j] as number);
  });
  return Array.from({ length: width }, (_, j) => {
    const unit = Array.from({ length: width }, (_, k) => Number(k === j));
    const line = solve(information.slice(), unit, width);
    let squares = 0;
    for (let c = 0; c < clusters; c++) {
      let influence = 0;
      for (let k = 0; k < width; k++) influence += (line[k] as number) * (scores[c * width + k] as number);
      squares += influence * influence;
    }
    return clusters < 2 ? NaN : Math.sqrt((squares * clusters) / (clusters - 1));
  });
}

/** Logarithm of likelihood times prior, but for a constant. */
function objective({ x, width, weight, happened }: LogisticRows, beta: readonly number[], prior: Prior): number {
  let total = 0;
  for (let row = 0; row < weight.length; row++) {
    if (weight[row] === 0) continue;
    let eta = 0;
    for (let j = 0; j < width; j++) eta += (beta[j] as number) * (x[row * width + j] as number);
    const softplus = Math.max(0, eta) + log(1 + exp(-Math.abs(eta)));
    total += (happened[row] as number) * eta - (weight[row] as number) * softplus;
  }
  for (let j = 0; j < width; j++)
    total -= (prior.strength / 2) * ((beta[j] as number) - (prior.mean[j] as number)) ** 2;
  return total;
}

function forEachRow(
  { x, width, weight, happened }: LogisticRows,
  beta: readonly number[],
  visit: (row: number, residual: number, fitted: number) => void,
): void {
  for (let row = 0; row < weight.length; row++) {
    if (weight[row] === 0) continue;
    let eta = 0;
    for (let j = 0; j < width; j++) eta += (beta[j] as number) * (x[row * width + j] as number);
    const fitted = sigmoid(eta);
    visit(row, (happened[row] as number) - (weight[row] as number) * fitted, fitted);
  }
}

/** First and negative second derivatives of the log-likelihood; the matrix row by row. */
function derivatives(rows: LogisticRows, beta: readonly number[]): { score: number[]; information: number[] } {
  const { x, width, weight } = rows;
  const score = new Array<number>(width).fill(0);
  const information = new Array<number>(width * width).fill(0);
  forEachRow(rows, beta, (row, residual, fitted) => {
    const curvature = (weight[row] as number) * fitted * (1 - fitted);
    for (let j = 0; j < width; j++) {
      const value = x[row * width + j] as number;
      if (value === 0) continue;
      score[j] = (score[j] as number) + residual * value;
      for (let k = 0; k < width; k++)
        information[j * width + k] =
          (information[j * width + k] as number) + curvature * value * (x[row * width + k] as number);
    }
  });
  return { score, information };
}

/** Gaussian elimination with partial pivoting; `matrix` is overwritten. A singular one is an error. */
function solve(matrix: number[], right: readonly number[], width: number): number[] {
  const b = [...right];
  const at = (i: number, j: number): number => matrix[i * width + j] as number;
  for (let column = 0; column < width; column++) {
    let pivot = column;
    for (let i = column + 1; i < width; i++) if (Math.abs(at(i, column)) > Math.abs(at(pivot, column))) pivot = i;
    if (!(Math.abs(at(pivot, column)) > 1e-300))
      throw new FathomError('data', 'a logistic regression has no unique answer', {
        hint: 'a column is constant or repeats others',
      });
    if (pivot !== column) {
      for (let j = 0; j < width; j++)
        [matrix[column * width + j], matrix[pivot * width + j]] = [at(pivot, j), at(column, j)];
      [b[column], b[pivot]] = [b[pivot] as number, b[column] as number];
    }
    for (let i = column + 1; i < width; i++) {
      const factor = at(i, column) / at(column, column);
      if (factor === 0) continue;
      for (let j = column; j < width; j++) matrix[i * width + j] = at(i, j) - factor * at(column, j);
      b[i] = (b[i] as number) - factor * (b[column] as number);
    }
  }
  for (let i = width - 1; i >= 0; i--) {
    let sum = b[i] as number;
    for (let j = i + 1; j < width; j++) sum -= at(i, j) * (b[j] as number);
    b[i] = sum / at(i, i);
  }
  return b;
}
