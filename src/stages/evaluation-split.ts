import { z } from 'zod';
import { defineStage, input, output } from '../contract/stage.ts';
import { countCombinations } from '../evaluation/combinatorial.ts';
import { duration, moment } from '../tables/time-schemas.ts';

const spanOrNone = z.union([duration, z.literal('0d')]);

export const splitParams = z.strictObject({
  scheme: z
    .enum(['walk-forward', 'purged-k-fold', 'combinatorial-purged', 'group-k-fold', 'k-fold'])
    .default('walk-forward')
    .describe(
      'walk-forward: each block of dates is tested by what was known before it. purged-k-fold: blocks of dates, later rows train too. combinatorial-purged: every choice of testBlocks of so many blocks (`folds` counts blocks). group-k-fold: whole groups. k-fold: shuffled rows.',
    ),
  folds: z.int().min(1).max(100).default(5).describe('Number of folds; combinatorial-purged: of blocks of dates'),
  testBlocks: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe('combinatorial-purged: blocks that one fold tests, 2 if left out; the folds are all ways to choose them'),
  validationFraction: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.2)
    .describe('Part of the training rows that validates: the last dates, or whole groups; 0 for none'),
  purge: z
    .boolean()
    .default(true)
    .describe('In time schemes, take out training rows whose label span [time, labelEnd] meets a held-out period'),
  embargo: spanOrNone
    .default('1d')
    .describe(
      'Time after a held-out period in which no row trains (where later rows train at all), e.g. 1d; 0d for none',
    ),
  disjointGroups: z
    .boolean()
    .default(false)
    .describe('In time schemes, also keep each group (wallet) on one side only'),
  group: z
    .string()
    .optional()
    .describe('Column of what must not straddle sets; default: the column with the role group'),
  label: z.string().optional().describe('Column of classes that k-fold spreads evenly over the folds'),
  boundaries: z
    .array(moment)
    .min(2)
    .optional()
    .describe('walk-forward: folds + 1 moments that bound the test blocks; default: equally many dates a block'),
  trainSpan: duration
    .optional()
    .describe('walk-forward: length of a rolling training window, e.g. 365d; default: all that came before'),
  minTrainRows: z.int().min(1).default(1).describe('Fewest training rows a fold may have'),
  minTestRows: z.int().min(1).default(1).describe('Fewest test rows a fold may have'),
});

export type SplitParams = z.infer<typeof splitParams>;

export default defineStage<SplitParams>({
  name: 'evaluation.split',
  version: 1,
  summary:
    'Splits rows into training, validation and test sets in time or by group, with purge, embargo and leak checks.',
  params: splitParams,
  inputs: { features: input('frame', 'Rows to split: roles time, labelEnd, group, id and label are read') },
  outputs: {
    splits: output('frame', 'One column a fold (fold0, fold1, ...): none, train, validation, test or purged'),
    metrics: output('metrics', 'Rows of each set and the leak checks'),
    figures: output('figures', 'The folds in time and in numbers'),
  },
  isolation: 'thread',
  runs: 'evaluation-split',
  resources: () => ({ threads: 1, memoryMb: 1024, gpus: 0 }),
  elements: ({ scheme, folds, testBlocks = 2 }) => ({
    fold: scheme === 'combinatorial-purged' ? countCombinations(folds, testBlocks) : folds,
  }),
});
