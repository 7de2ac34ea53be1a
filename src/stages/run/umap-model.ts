/** The file that holds a UMAP map: what was laid out, in which scale, where it lies, and how that was done. */
import { z } from 'zod';
import { FathomError } from '../../errors.ts';
import { type FeatureSpace, featureSpaceSchema, parseModel } from '../../models/feature-space.ts';
import type { UmapOptions } from '../../projections/umap.ts';
import type { UmapMap } from '../../projections/umap-transform.ts';

const schema = z.strictObject({
  schema: z.literal('fathom.umap'),
  version: z.literal(1),
  space: featureSpaceSchema,
  options: z.strictObject({
    neighbours: z.int().min(2),
    minDist: z.number().min(0),
    spread: z.number().positive(),
    epochs: z.union([z.literal('auto'), z.int().min(1)]),
    learningRate: z.number().positive(),
    negativeSamples: z.int().min(1),
    start: z.enum(['spectral', 'pca']),
    mostLeaves: z.int().min(1).nullable(),
  }),
  rows: z.int().min(1),
  /** Doubles, lowest byte first, in base64: one row after the other in the scale of the space. */
  values: z.base64(),
  /** The same: x and y of each row. */
  points: z.base64(),
});

export interface UmapModel {
  readonly space: FeatureSpace;
  readonly options: UmapOptions;
  readonly map: UmapMap;
}

export function writeUmapModel({ space, options, map }: UmapModel): string {
  const { neighbours, minDist, spread, epochs, learningRate, negativeSamples, start, mostLeaves } = options;
  const model: z.infer<typeof schema> = {
    schema: 'fathom.umap',
    version: 1,
    space,
    options: { neighbours, minDist, spread, epochs, learningRate, negativeSamples, start, mostLeaves },
    rows: map.matrix.rows,
    values: encode(map.matrix.values),
    points: encode(map.points),
  };
  return `${JSON.stringify(model)}\n`;
}

/** Refuses a file that is cut off, of another kind or of another version. */
export function readUmapModel(text: string): UmapModel {
  const { space, options, rows, values, points } = parseModel(schema, 'UMAP', text);
  const columns = space.features.length;
  const matrix = { rows, columns, values: decode(values) };
  const map = { matrix, points: decode(points) };
  if (matrix.values.length !== rows * columns || map.points.length !== 2 * rows)
    throw new FathomError(
      'data',
      `no UMAP model: ${rows} rows of ${columns} features were announced, others are there`,
    );
  return { space, options, map };
}

function encode(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function decode(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float64Array(new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % 8))).buffer);
}
