/** Parameters, inputs and outputs that all projections share. */
import { z } from 'zod';
import { input, output } from '../contract/stage.ts';

const utcTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;

export const projectionFields = {
  features: z
    .array(z.string())
    .nonempty()
    .optional()
    .describe('Columns to lay out by. Default: all columns of role feature.'),
  standardize: z
    .boolean()
    .default(true)
    .describe('Scale every feature to mean 0 and standard deviation 1 over the rows shown.'),
  asOf: z
    .string()
    .refine((text) => text === 'last' || text === 'all' || (utcTime.test(text) && !Number.isNaN(Date.parse(text))), {
      error: 'expected last, all, a date (2025-06-01) or a UTC time (2025-06-01T12:00:00Z)',
    })
    .default('last')
    .describe(
      'Rows to show by the time column: those of the last time, all, or the newest known at a date or time (UTC).',
    ),
  maxRows: z
    .int()
    .min(1)
    .max(200_000)
    .default(50_000)
    .describe('Above this many rows a seeded random sample is shown.'),
  colour: z
    .string()
    .optional()
    .describe('Column that colours the points first. Default: the first label with few categories.'),
  columns: z
    .array(z.string())
    .optional()
    .describe('Columns shown on hover and offered as colours. Default: labels, info and up to 6 features.'),
  qualityNeighbours: z.int().min(1).default(15).describe('Neighbours k of trustworthiness and neighbour preservation.'),
};

/** What the helpers that draw maps need of the parameters. */
export interface ProjectionParams {
  readonly features?: readonly string[] | undefined;
  readonly standardize: boolean;
  readonly asOf: string;
  readonly maxRows: number;
  readonly colour?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly qualityNeighbours: number;
}

export const projectionInputs = {
  features: input('frame', 'Rows to lay out: columns of role feature, with id, time, labels and info where known.'),
};

export const projectionOutputs = {
  embedding: output('table', 'id, time, x, y of every row shown.', { orderBy: ['id', 'time'] }),
  metrics: output('metrics', 'How much of the neighbourhoods the map keeps, beside principal components.'),
  figures: output('figures', 'The map.'),
};

/**
 * Memory for the lists of neighbours and the graph made of them, about 70 bytes an entry.
 * @param neighbours a row
 */
export function projectionMemoryMb(maxRows: number, neighbours: number): number {
  return 300 + Math.ceil((maxRows * (neighbours * 70 + 1000)) / 1e6);
}
