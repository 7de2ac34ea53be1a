/** Fits a multi-task network to a frame: data in, trained model and held-out predictions out. */
import { FathomError } from '../../errors.ts';
import type { Products } from '../../kernels/kernels.ts';
import { columnNamed, type Frame, numbersOf } from '../../tables/frame.ts';
import type { MtlModel } from './model.ts';
import { predictRows } from './model.ts';
import { Network } from './network.ts';
import { applyScaler, featureNames, fitScaler } from './scaler.ts';
import { encodeTargets, type HeadRequest, shapeOfHead } from './targets.ts';
import {
  batchStarts,
  type TrainingHooks,
  type TrainingOptions,
  type TrainingResult,
  trainNetwork,
} from './training.ts';

export interface FitRequest {
  readonly hidden: readonly number[];
  readonly heads: readonly HeadRequest[];
  /** Feature column that holds a target's past value, by target: its baseline. */
  readonly baselineColumns: Readonly<Record<string, string>>;
  readonly training: TrainingOptions;
  /** Does the matrix products; the kernels' own if absent. */
  readonly products?: Products;
}

/** Rows of the frame by their part. */
export interface Parts {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

export type HeldOut = 'validation' | 'test';

/** Predictions of one output column for the labelled rows of one part. */
export interface Predictions {
  readonly head: number;
  readonly target: string;
  readonly set: HeldOut;
  readonly rows: Uint32Array;
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly baseline: { readonly label: string; readonly predicted: Float64Array };
}

export interface Fit extends TrainingResult {
  readonly model: MtlModel;
  /** Parameters that were trained. */
  readonly trained: number;
  /** Training rows that have at least one label; the others were left out. */
  readonly trainRows: number;
  readonly unlabelledTrainRows: number;
  /** Missing feature values that stand at the training mean: all rows together, and by feature. */
  readonly imputed: readonly { readonly feature: string; readonly count: number }[];
  readonly predictions: readonly Predictions[];
}

/** Rows that are measured at a time: small batches would pack the weights anew for a few rows. */
const MEASURED_ROWS = 256;

/** Trains and predicts the held-out rows; undefined if cancelled. Errors name what is wrong with the data. */
export async function fitMtl(
  frame: Frame,
  parts: Parts,
  request: FitRequest,
  hooks: TrainingHooks,
  checkpoint?: Uint8Array,
): Promise<Fit | undefined> {
  if (parts.train.length === 0)
    throw new FathomError('data', 'the split has no training rows', {
      hint: 'use fewer folds, a shorter purge, or more data',
    });
  const names = featureNames(frame);
  const { heads, matrix, actual } = encodeTargets(frame, request.heads, parts.train);
  const outputs = actual.length;
  const train = parts.train.filter((row) => actual.some((values) => !Number.isNaN(values[row] as number)));
  if (train.length < 2)
    throw new FathomError('data', `only ${train.length} training row has a label; batch normalisation needs two`, {
      hint: 'use fewer folds, a shorter purge, or more data',
    });
  const features = fitScaler(frame, names, train);
  const { values, imputed } = applyScaler(frame, features);
  const shape = { inputs: names.length, hidden: request.hidden, heads: heads.map(shapeOfHead) };
  const batch = largestBatch(train.length, request.training.batchSize);
  const network = new Network(shape, Math.max(batch, MEASURED_ROWS), request.products);
  network.loadData(frame.rows, values, matrix);
  const result = await trainNetwork(network, train, parts.validation, request.training, hooks, checkpoint);
  if (result === undefined) return undefined;

  const model = { network, features, heads };
  const columns = heads.flatMap((head, h) => head.outputs.map((output) => ({ ...output, head: h })));
  const predictions: Predictions[] = [];
  for (const set of ['validation', 'test'] as const) {
    const rows = parts[set];
    const predicted = predictRows(model, rows, hooks.cancelled);
    if (predicted === undefined) return undefined;
    for (let c = 0; c < outputs; c++) {
      const { target, head, trainingMean } = columns[c] as (typeof columns)[number];
      const known: number[] = [];
      for (let i = 0; i < rows.length; i++) if (!Number.isNaN(actual[c]?.[rows[i] as number])) known.push(i);
      const at = Uint32Array.from(known, (i) => rows[i] as number);
      predictions.push({
        head,
        target,
        set,
        rows: at,
        actual: Float64Array.from(at, (row) => actual[c]?.[row] as number),
        predicted: Float64Array.from(known, (i) => predicted[c]?.[i] as number),
        baseline: baselineFor(frame, request.baselineColumns[target], at, trainingMean ?? 0),
      });
    }
  }
  return {
    ...result,
    model,
    trained: network.layout.trained,
    trainRows: train.length,
    unlabelledTrainRows: parts.train.length - train.length,
    imputed: names.map((feature, j) => ({ feature, count: imputed[j] as number })),
    predictions,
  };
}

/** Rows of the largest batch, which may be one more than asked. */
function largestBatch(rows: number, batchSize: number): number {
  const starts = batchStarts(rows, batchSize);
  return starts.reduce((largest, first, i) => Math.max(largest, (starts[i + 1] ?? rows) - first), 0);
}

/** The training mean for every row, or the past value of the target where a column holds it. */
function baselineFor(
  frame: Frame,
  column: string | undefined,
  rows: Uint32Array,
  mean: number,
): { label: string; predicted: Float64Array } {
  if (column === undefined) return { label: 'training mean', predicted: new Float64Array(rows.length).fill(mean) };
  const values = numbersOf(columnNamed(frame, column));
  return {
    label: `past value (${column})`,
    predicted: Float64Array.from(rows, (row) => {
      const value = values[row] as number;
      return Number.isNaN(value) ? mean : value;
    }),
  };
}
