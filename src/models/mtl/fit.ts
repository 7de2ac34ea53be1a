/** Fits multi-task networks to a frame: data in, trained models and held-out predictions out. */
import { FathomError } from '../../errors.ts';
import { columnNamed, type Frame, numbersOf } from '../../tables/frame.ts';
import { type encodeModel, inOwnUnits } from './model.ts';
import { applyScaler, constantFeatures, featureNames, fitScaler } from './scaler.ts';
import { partsOf, type Stack, type StackMaker } from './stack.ts';
import { encodeTargets, type Head, type HeadRequest, shapeOfHead } from './targets.ts';
import { type Member, type TrainingHooks, type TrainingResult, trainStack } from './training.ts';

/** What the networks of one stack have in common. */
export interface FitRequest {
  readonly hidden: readonly number[];
  readonly heads: readonly HeadRequest[];
  /** Feature column that holds a target's past value, by target: its baseline. */
  readonly baselineColumns: Readonly<Record<string, string>>;
  /** The engine that was chosen. */
  readonly stacks: StackMaker;
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
  readonly model: Parameters<typeof encodeModel>[0];
  /** Parameters that were trained. */
  readonly trained: number;
  /** Training rows that have at least one label; the others were left out. */
  readonly trainRows: number;
  readonly unlabelledTrainRows: number;
  /** Missing feature values that stand at the training mean: all rows together, and by feature. */
  readonly imputed: readonly { readonly feature: string; readonly count: number }[];
  /** Features that have one value in all training rows. */
  readonly constantFeatures: readonly string[];
  readonly predictions: readonly Predictions[];
}

/**
 * Trains networks side by side and predicts the held-out rows; undefined if cancelled. Errors name what is wrong with
 * the data; what is wrong with one network stands in its place.
 */
export async function fitStack(
  frame: Frame,
  parts: Parts,
  request: FitRequest,
  members: readonly Member[],
  hooks: TrainingHooks,
): Promise<(Fit | FathomError)[] | undefined> {
  if (parts.train.length === 0)
    throw new FathomError('data', 'the split has no training rows', {
      hint: 'use fewer folds, a shorter purge, or more data',
    });
  const names = featureNames(frame);
  const { heads, matrix, actual } = encodeTargets(frame, request.heads, parts.train);
  const train = parts.train.filter((row) => actual.some((values) => !Number.isNaN(values[row] as number)));
  if (train.length < 2)
    throw new FathomError('data', `only ${train.length} training row has a label; batch normalisation needs two`, {
      hint: 'use fewer folds, a shorter purge, or more data',
    });
  const constant = constantFeatures(frame, names, train);
  const features = fitScaler(frame, names, train).map((feature) =>
    constant.includes(feature.name) ? { ...feature, mean: null } : feature,
  );
  const { values, imputed } = applyScaler(frame, features);
  const wanted = {
    shape: { inputs: names.length, hidden: request.hidden, heads: heads.map(shapeOfHead) },
    networks: members.length,
    batchSize: (members[0] as Member).options.batchSize,
    trainRows: train.length,
    features: values,
    targets: matrix,
  };
  const fits: (Fit | FathomError)[] = [];
  const capacity = Math.max(1, request.stacks.capacity?.(wanted) ?? members.length);
  for (const networks of partsOf(members.length, capacity)) {
    const stack = request.stacks.make({ ...wanted, networks });
    try {
      const part = members.slice(fits.length, fits.length + networks);
      const results = await trainStack(stack, train, parts.validation, part, hooks);
      if (results === undefined) return undefined;
      for (const [k, result] of results.entries()) {
        if (hooks.cancelled()) return undefined;
        if (result instanceof FathomError) {
          fits.push(result);
          continue;
        }
        const { shape, layout } = stack;
        const learned = { parameters: stack.read(k, 'parameters'), running: stack.read(k, 'running') };
        fits.push({
          ...result,
          model: { network: { shape, layout, region: (name) => learned[name] }, features, heads },
          trained: layout.trained,
          trainRows: train.length,
          unlabelledTrainRows: parts.train.length - train.length,
          imputed: names.map((feature, j) => ({ feature, count: imputed[j] as number })),
          constantFeatures: constant,
          predictions: predictionsOf(frame, parts, request, stack, k, heads, actual),
        });
      }
    } finally {
      stack.free();
    }
  }
  return fits;
}

function predictionsOf(
  frame: Frame,
  parts: Parts,
  request: FitRequest,
  stack: Stack,
  network: number,
  heads: readonly Head[],
  actual: readonly Float64Array[],
): Predictions[] {
  const columns = heads.flatMap((head, h) => head.outputs.map((output) => ({ ...output, head: h })));
  return (['validation', 'test'] as const).flatMap((set) => {
    const rows = parts[set];
    const predicted = inOwnUnits(heads, stack.predict(network, rows), stack.layout.heads.paddedOutputs);
    return columns.map(({ target, head, trainingMean }, c) => {
      const known: number[] = [];
      for (let i = 0; i < rows.length; i++) if (!Number.isNaN(actual[c]?.[rows[i] as number])) known.push(i);
      const at = Uint32Array.from(known, (i) => rows[i] as number);
      return {
        head,
        target,
        set,
        rows: at,
        actual: Float64Array.from(at, (row) => actual[c]?.[row] as number),
        predicted: Float64Array.from(known, (i) => predicted[c]?.[i] as number),
        baseline: baselineFor(frame, request.baselineColumns[target], at, trainingMean ?? 0),
      };
    });
  });
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
