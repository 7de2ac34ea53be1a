/** What a trained network makes of rows before its heads: the activations of its last hidden layer. */
import type { Weights } from './model.ts';

const EPSILON = 1e-5;

/**
 * @param features standardised, rows x inputs, row-major
 * @returns one array a unit of the last hidden layer, a value a row; running statistics, no dropout
 */
export function encodeRows(weights: Weights, features: Float32Array): Float32Array[] {
  const { shape, layout } = weights;
  const parameters = weights.region('parameters');
  const running = weights.region('running');
  const rows = features.length / shape.inputs;
  let inputs = shape.inputs;
  let activations = features;
  for (const [l, units] of shape.hidden.entries()) {
    const layer = layout.layers[l] as (typeof layout.layers)[number];
    const next = new Float32Array(rows * units);
    const [scale, shift] = [new Float64Array(units), new Float64Array(units)];
    for (let unit = 0; unit < units; unit++) {
      const variance = running[layer.runningVariance + unit] as number;
      scale[unit] = (parameters[layer.gamma + unit] as number) / Math.sqrt(variance + EPSILON);
      const mean = running[layer.runningMean + unit] as number;
      shift[unit] = (parameters[layer.beta + unit] as number) - mean * (scale[unit] as number);
    }
    const z = new Float64Array(units);
    for (let row = 0; row < rows; row++) {
      z.fill(0);
      for (let i = 0; i < inputs; i++) {
        const value = activations[row * inputs + i] as number;
        // Half of all activations are zero.
        if (value === 0) continue;
        const first = layer.weight + i * layer.paddedUnits;
        for (let unit = 0; unit < units; unit++)
          z[unit] = (z[unit] as number) + value * (parameters[first + unit] as number);
      }
      for (let unit = 0; unit < units; unit++)
        next[row * units + unit] = Math.max(0, (z[unit] as number) * (scale[unit] as number) + (shift[unit] as number));
    }
    activations = next;
    inputs = units;
  }
  return Array.from({ length: inputs }, (_, unit) =>
    Float32Array.from({ length: rows }, (__, row) => activations[row * inputs + unit] as number),
  );
}
