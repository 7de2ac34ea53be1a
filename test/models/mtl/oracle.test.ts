import { describe, expect, it } from 'vitest';
import {
  type Matrix,
  type OracleState,
  oracleGradients,
  oracleUpdate,
  vectorsOf,
} from '../../../src/models/mtl/oracle.ts';
import { type NetworkShape, outputsOf } from '../../../src/models/mtl/shape.ts';
import { makeRng, type Rng } from '../../../src/random/rng.ts';
import { everyHead, randomData } from './support.ts';

const shape: NetworkShape = { inputs: 4, hidden: [6, 5], heads: everyHead };
const weights = shape.heads.map((_, h) => 0.5 + h / 3);

function randomState(rng: Rng): OracleState {
  const values = (count: number, centre = 0): number[] =>
    Array.from({ length: count }, () => centre + rng.normal() * 0.4);
  const matrix = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => values(columns));
  let inputs = shape.inputs;
  const layers = shape.hidden.map((units) => {
    const weight = matrix(inputs, units);
    inputs = units;
    const zeros = new Array(units).fill(0);
    return { weight, gamma: values(units, 1), beta: values(units), runningMean: [...zeros], runningVariance: zeros };
  });
  return { layers, headWeight: matrix(inputs, outputsOf(shape)), headBias: values(outputsOf(shape)) };
}

describe('the oracle', () => {
  it('has the gradient that differences of its loss have', () => {
    const rng = makeRng('numeric');
    const state = randomState(rng);
    const { x, y } = randomData(shape, 9, rng, 0.2);
    const masks = shape.hidden.map((units) =>
      x.map(() => Array.from({ length: units }, () => (rng.uniform() < 0.3 ? 0 : 1 / 0.7))),
    );
    const lossNow = (): number => oracleGradients(shape, state, x, y, weights, masks).loss;
    const analytic = vectorsOf(oracleGradients(shape, state, x, y, weights, masks).gradient);
    const h = 1e-6;
    let compared = 0;
    for (const [k, values] of vectorsOf(state).entries()) {
      for (const [i, value] of values.entries()) {
        values[i] = value + h;
        const above = lossNow();
        values[i] = value - h;
        const below = lossNow();
        values[i] = value;
        expect(Math.abs((above - below) / (2 * h) - (analytic[k]?.[i] as number))).toBeLessThan(1e-7);
        compared++;
      }
    }
    expect(compared).toBe(4 * 6 + 12 + 6 * 5 + 10 + 5 * 14 + 14);
  });

  it('takes the first step of Adam: the learning rate against the sign of every gradient', () => {
    const state = randomState(makeRng('adam'));
    const before = vectorsOf(state).map((values) => [...values]);
    const gradient = randomState(makeRng('gradient'));
    const zeros = before.map((values) => values.map(() => 0));
    const moments = { first: zeros.map((v) => [...v]), second: zeros.map((v) => [...v]), steps: 0 };
    const options = { learningRate: 0.01, weightDecay: 0, decoupled: false, clipNorm: 1e9 };
    oracleUpdate(state, gradient, moments, options);
    for (const [k, values] of vectorsOf(state).entries())
      for (const [i, value] of values.entries()) {
        const g = vectorsOf(gradient)[k]?.[i] as number;
        expect(value - (before[k]?.[i] as number)).toBeCloseTo(-0.01 * Math.sign(g), 6);
      }
  });
});
