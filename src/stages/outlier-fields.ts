/** Parameters and outputs that anomaly stages share. */
import { z } from 'zod';
import { output } from '../contract/stage.ts';
import { type GroupingParams, groupingFields } from './grouping-fields.ts';

const percentile = z.strictObject({
  percentile: z.number().min(0).max(100).describe('Rows above this percentile of the scores are anomalous'),
});
const contamination = z.strictObject({
  contamination: z.number().gt(0).lt(1).describe('Share of rows that are anomalous'),
});

export const anomalyFields = {
  ...groupingFields,
  threshold: z
    .union([percentile, contamination])
    .default({ percentile: 95 })
    .describe('Where anomalies begin: { percentile: 95 }, or { contamination: 0.05 }; strictly above it.'),
  anomalousValues: z
    .array(z.string())
    .nonempty()
    .optional()
    .describe('Values of the truth that are anomalies. Default: 1, where the truth is 0 or 1.'),
};

export interface AnomalyParams extends GroupingParams {
  readonly threshold: z.infer<typeof percentile> | z.infer<typeof contamination>;
  readonly anomalousValues?: readonly string[] | undefined;
}

export const anomalyOutputs = {
  scores: output('table', 'id, time, score (higher is more unusual) and whether it is above the threshold', {
    orderBy: ['id', 'time'],
  }),
  model: output('model', 'Features, scale, model and threshold as JSON; scores later rows'),
  metrics: output('metrics', 'Threshold and anomalies; area under the ROC curve against the truth'),
  figures: output('figures', 'Distribution of the scores, the most unusual rows'),
};
