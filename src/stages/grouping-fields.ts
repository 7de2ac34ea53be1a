/** Parameters and inputs that clustering and anomaly stages share. */
import { z } from 'zod';
import { input } from '../contract/stage.ts';
import { projectionFields } from './projection-fields.ts';

export const groupingFields = {
  features: z
    .array(z.string())
    .nonempty()
    .optional()
    .describe('Columns to compare rows by. Default: all columns of role feature.'),
  asOf: projectionFields.asOf.describe(
    'Rows to take by the time column: those of the last time, all, or the newest known at a date or time (UTC).',
  ),
  maxRows: z
    .int()
    .min(1)
    .max(200_000)
    .default(20_000)
    .describe('Above this many rows a seeded random sample is taken.'),
  truth: z
    .string()
    .optional()
    .describe('Column with what each row is known to be; never learned from, only compared with in the end.'),
  resamples: z.int().min(1).max(10_000).default(500).describe('Resamples of whole wallets behind the interval.'),
};

export const standardizeField = {
  standardize: z
    .boolean()
    .default(true)
    .describe('Scale every feature to mean 0 and standard deviation 1 over the rows taken.'),
};

export interface GroupingParams {
  readonly features?: readonly string[] | undefined;
  readonly asOf: string;
  readonly maxRows: number;
  readonly truth?: string | undefined;
  readonly resamples: number;
}

export const groupingInputs = {
  features: input('frame', 'Rows with columns of role feature, and id, time and group where known.'),
};

export const kMeansFields = {
  starts: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('Runs of k-means from different starts; the best one is taken.'),
  maxIterations: z
    .int()
    .min(1)
    .default(300)
    .describe('Most iterations of one run; with mini-batches, as many passes over the rows.'),
  batchRows: z
    .int()
    .min(1)
    .optional()
    .describe('Rows of a mini-batch, for very many rows. Default: every iteration goes through all rows.'),
};
