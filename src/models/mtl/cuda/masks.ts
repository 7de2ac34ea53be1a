/** The masks of the kernels' dropout (kernels/cuda/random.cuh): random bits as a function of counters alone. */

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
export function masksOf(
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
