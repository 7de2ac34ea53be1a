/** The masks of the kernels' dropout (kernels/cuda/random.cuh): random bits as a function of counters alone. */
import type { Rng } from '../../../random/rng.ts';
import { padded } from '../layout.ts';
import type { NetworkShape } from '../shape.ts';
import type { MemberSettings } from '../stack.ts';

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

/** Whether each unit stays: rows x units, with `paddedUnits` to a row of the stream. */
function staying(
  seed: number,
  step: number,
  layer: number,
  rows: number,
  units: number,
  paddedUnits: number,
  threshold: number,
): boolean[][] {
  const key = mix(mix(seed ^ mix(step + 0x9e3779b9)) + Math.imul(layer, 0x85ebca6b));
  return Array.from({ length: rows }, (_, row) =>
    Array.from(
      { length: units },
      (__, unit) => mix(key + Math.imul(row * paddedUnits + unit, 0x9e3779b9)) >= threshold,
    ),
  );
}

/** The masks of a network, for the conformance suite: see `StackEngine.masks`. */
export function cudaMasks(shape: NetworkShape, settings: MemberSettings, dropout: Rng) {
  const seed = maskSeed(dropout);
  return (step: number, rows: number) =>
    shape.hidden.map((units, layer) => {
      const threshold = maskThreshold(settings.dropout[layer] ?? 0);
      if (threshold === 0) return undefined;
      const keep = 2 ** 32 / (2 ** 32 - threshold);
      const stays = staying(seed, step, layer, rows, units, padded(units), threshold);
      return stays.map((row) => row.map((kept) => (kept ? keep : 0)));
    });
}
