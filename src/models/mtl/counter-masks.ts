/** Masks of dropout (as kernels/cuda/random.cuh): random bits as a function of counters alone. */
import type { Rng } from '../../random/rng.ts';
import { padded } from './layout.ts';
import type { NetworkShape } from './shape.ts';
import type { MemberSettings } from './stack.ts';

/** Names the stream of a network's masks. */
export function maskSeed(dropout: Rng): number {
  return dropout.below(2 ** 32 - 1);
}

/** A unit is dropped if its 32 random bits are below this. */
export function maskThreshold(rate: number): number {
  return Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));
}

function mix(value: number): number {
  let h = value >>> 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  h ^= h >>> 16;
  return h >>> 0;
}

/** Which units stay (1) and which are dropped (0), rows x units, and the factor of those that stay. */
export function staysOf(
  seed: number,
  step: number,
  layer: number,
  rows: number,
  units: number,
  rate: number,
): { readonly values: Float32Array; readonly keep: number } {
  const threshold = maskThreshold(rate);
  const key = mix(mix(seed ^ mix(step + 0x9e3779b9)) + Math.imul(layer, 0x85ebca6b));
  const stride = padded(units);
  const values = new Float32Array(rows * units);
  for (let row = 0; row < rows; row++)
    for (let unit = 0; unit < units; unit++)
      if (mix(key + Math.imul(row * stride + unit, 0x9e3779b9)) >= threshold) values[row * units + unit] = 1;
  return { values, keep: 2 ** 32 / (2 ** 32 - threshold) };
}

/** The masks of a network, for the conformance suite: see `StackEngine.masks`. */
export function counterMasks(shape: NetworkShape, settings: MemberSettings, dropout: Rng) {
  const seed = maskSeed(dropout);
  return (step: number, rows: number) =>
    shape.hidden.map((units, layer) => {
      const rate = settings.dropout[layer] ?? 0;
      if (rate === 0) return undefined;
      const { values, keep } = staysOf(seed, step, layer, rows, units, rate);
      return Array.from({ length: rows }, (_, row) =>
        Array.from(values.subarray(row * units, (row + 1) * units), (stays) => stays * keep),
      );
    });
}
