import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { StageContext, StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import type { Booster } from '../../models/boosting/booster.ts';
import { decodeState, encodeState } from '../../models/boosting/checkpoint.ts';
import { importanceBars, learningCurves } from '../../models/boosting/figures.ts';
import {
  baselineOf,
  checkTrainable,
  type FoldRows,
  readTarget,
  rowsOfFold,
  selectRows,
  type Target,
} from '../../models/boosting/fold.ts';
import { type Matrix, makeMatrix } from '../../models/boosting/matrix.ts';
import { measureSet, type SetPredictions, tabulate } from '../../models/boosting/outcome.ts';
import { lossNames, xgboostParameters } from '../../models/boosting/parameters.ts';
import { canResume, type Trained, train } from '../../models/boosting/train.ts';
import { loadXgboost, type Xgboost } from '../../models/boosting/xgboost-c.ts';
import { namesOf, predictionColumns } from '../../models/predictions.ts';
import { isAtLeast, OLDEST_XGBOOST, requireXgboost, XGBOOST_FIX } from '../../native/find.ts';
import { columnsOf, type Frame, readFrame } from '../../tables/frame.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { BoostingParams } from '../train-boosting.ts';

/** Rounds between checkpoints. */
const CHECKPOINT_ROUNDS = 100;

const run: StageRun<BoostingParams> = async (context) => {
  const { params } = context;
  const [features, splits] = [context.input('features'), context.input('splits')];
  const frame = await readFrame(features.path, features.shared);
  const fold = context.coordinates.fold ?? 0;
  const target = readTarget(frame, params.target, params.objective);
  const rows = rowsOfFold(await readFrame(splits.path, splits.shared), fold, target);
  const trainRows =
    params.fitOn === 'train' ? rows.train : Uint32Array.from([...rows.train, ...rows.validation]).sort();
  checkTrainable(target, trainRows, fold);
  const xgboost = openXgboost();
  const { booster, heldOut, ...trained } = await trainFold(
    context,
    xgboost,
    frame,
    target,
    { ...rows, train: trainRows },
    fold,
  );
  try {
    await writeFile(context.outputPath('model'), booster.toJson());
    const names = namesOf(frame);
    const tables = tabulate(target, baselineOf(frame, target, trainRows, params.baselineColumn), heldOut);
    await writeParquet(context.outputPath('predictions'), predictionColumns(names, fold, tables));
    const [validation, test] = (['validation', 'test'] as const).map((set) =>
      measureSet(target, tables, set, names, context.rng, params.resamples),
    );
    await context.writeMetrics('metrics', {
      scalars: {
        'validation.score': validation?.score ?? null,
        'validation.loss': validation?.loss ?? null,
        'test.score': test?.score ?? null,
        'test.loss': test?.loss ?? null,
        ...(params.objective === 'multiclass'
          ? { 'validation.accuracy': validation?.accuracy ?? null, 'test.accuracy': test?.accuracy ?? null }
          : {}),
        'train.loss': trained.trainingLoss[trained.bestRounds - 1] ?? null,
        bestRound: trained.bestRounds,
        rounds: trained.trainingLoss.length,
        'train.rows': trainRows.length,
        'validation.rows': rows.validation.length,
        'test.rows': rows.test.length,
      },
      metrics: [...(validation?.metrics ?? []), ...(test?.metrics ?? [])],
      notes: notesOf(params, xgboost, rows, fold),
    });
    await context.writeFigures('figures', [
      learningCurves({
        target: target.name,
        fold,
        loss: lossNames[params.objective],
        ...trained,
        stopsEarly: params.earlyStoppingRounds > 0,
      }),
      importanceBars(booster, target.name, fold),
    ]);
  } finally {
    booster.free();
  }
};

export default run;

/** The library that the plan found; asked again, since this may be another machine. */
function openXgboost(): Xgboost {
  const { path } = requireXgboost();
  const xgboost = loadXgboost(path);
  if (!isAtLeast(xgboost.version, OLDEST_XGBOOST))
    throw new FathomError(
      'unavailable',
      `${path} is libxgboost ${xgboost.version}; ${OLDEST_XGBOOST} or newer is needed`,
      { hint: XGBOOST_FIX },
    );
  return xgboost;
}

/** Trains one fold and predicts its held-out rows. The caller frees the booster. */
async function trainFold(
  context: StageContext<BoostingParams>,
  xgboost: Xgboost,
  frame: Frame,
  target: Target,
  /** `train` holds all rows to train on. */
  rows: FoldRows,
  fold: number,
): Promise<Trained & { heldOut: SetPredictions[] }> {
  const { params } = context;
  const withValidation = params.fitOn === 'train+validation';
  if (params.earlyStoppingRounds > 0 && rows.validation.length === 0)
    throw new FathomError('data', `fold ${fold} has no validation row to stop training by`, {
      hint: 'set `earlyStoppingRounds: 0`, or let the splitter keep some rows for validation',
    });
  const open: Matrix[] = [];
  const matrixOf = (which: Uint32Array): Matrix => {
    const matrix = makeMatrix(xgboost, selectRows(frame, target, which), params.nthread);
    open.push(matrix);
    return matrix;
  };
  let booster: Booster | undefined;
  try {
    const training = matrixOf(rows.train);
    const validation = withValidation || rows.validation.length === 0 ? undefined : matrixOf(rows.validation);
    const parameters = xgboostParameters(
      params.objective,
      target.classes.length,
      training.featureNames,
      params,
      context.seed,
    );
    const resumable = canResume(parameters);
    const saved = resumable ? await context.checkpoint.load() : undefined;
    const trained = await train(xgboost, {
      parameters,
      rounds: params.rounds,
      earlyStoppingRounds: params.earlyStoppingRounds,
      training,
      validation,
      from: saved === undefined ? undefined : decodeState(saved),
      afterRound: async (done, state) => {
        context.progress(done, params.rounds, 'rounds');
        // Lets a request to stop come in: training itself never gives way to the event loop.
        await setImmediate();
        if (resumable && (done % CHECKPOINT_ROUNDS === 0 || context.cancelled()))
          await context.checkpoint.save(encodeState(state()));
        context.throwIfCancelled();
      },
    });
    booster = trained.booster;
    booster.setAttribute('fathom', JSON.stringify(describe(frame, target)));
    const heldOut: SetPredictions[] = [];
    if (validation !== undefined)
      heldOut.push({
        set: 'validation',
        rows: rows.validation,
        predicted: booster.predict(validation, trained.bestRounds),
      });
    if (rows.test.length > 0)
      heldOut.push({
        set: 'test',
        rows: rows.test,
        predicted: booster.predict(matrixOf(rows.test), trained.bestRounds),
      });
    return { ...trained, heldOut };
  } catch (error) {
    booster?.free();
    throw error;
  } finally {
    for (const matrix of open) matrix.free();
  }
}

/** What the model needs to be read by itself. */
function describe(frame: Frame, target: Target): Record<string, unknown> {
  return {
    target: target.name,
    objective: target.objective,
    ...(target.objective === 'multiclass' ? { classes: target.classes } : {}),
    features: columnsOf(frame, 'feature').map(({ name, unit }) => (unit === undefined ? { name } : { name, unit })),
  };
}

function notesOf(params: BoostingParams, xgboost: Xgboost, rows: FoldRows, fold: number): string[] {
  const threads = params.nthread === 1 ? '1 thread' : `${params.nthread} threads`;
  return [
    `Fold ${fold} was trained by XGBoost ${xgboost.version} on ${params.device}, ${threads}.`,
    ...(rows.unlabelled === 0
      ? []
      : [`${rows.unlabelled} rows of fold ${fold} have no ${params.target} and were left out.`]),
    ...(params.fitOn === 'train' ? [] : ['The validation rows were trained on, so only the test rows are measured.']),
  ];
}
