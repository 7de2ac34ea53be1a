/** What the stages on trees do alike: rows of a fold in, model, predictions, scores and pictures out. */
import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { z } from 'zod';
import type { Figure } from '../../contract/figure.ts';
import type { StageContext } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import type { Booster, Parameters } from '../../models/boosting/booster.ts';
import { decodeState, encodeState } from '../../models/boosting/checkpoint.ts';
import { constantFeatures, type Features, readFeatures } from '../../models/boosting/features.ts';
import { learningCurves } from '../../models/boosting/figures.ts';
import {
  baselineOf,
  checkTrainable,
  type FoldRows,
  readTarget,
  rowsOfFold,
  type Target,
  takeData,
} from '../../models/boosting/fold.ts';
import { importanceFigures } from '../../models/boosting/importance-figures.ts';
import { measureImportance } from '../../models/boosting/importance-held-out.ts';
import { type Matrix, makeMatrix } from '../../models/boosting/matrix.ts';
import { finished, writeCard } from '../../models/boosting/model-file.ts';
import { measureSet, type SetPredictions, tabulate } from '../../models/boosting/outcome.ts';
import { orderByQuery, type Queries, readQueries } from '../../models/boosting/queries.ts';
import { canResume, type Trained, train } from '../../models/boosting/train.ts';
import { loadXgboost, type Xgboost } from '../../models/boosting/xgboost-c.ts';
import { namesOf, predictionColumns } from '../../models/predictions.ts';
import { isAtLeast, OLDEST_XGBOOST, requireXgboost, XGBOOST_FIX } from '../../native/find.ts';
import { type Frame, readFrame } from '../../tables/frame.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { treeFields } from '../tree-fields.ts';

/** Rounds between checkpoints. */
const CHECKPOINT_ROUNDS = 100;

/** What trees of all kinds are told; see `treeFields`. */
type TreeParams = z.infer<z.ZodObject<typeof treeFields>> & {
  readonly objective: Target['objective'];
  readonly maxDepth: number;
};

export interface TreeSettings {
  readonly kind: 'boosting' | 'forest';
  readonly rounds: number;
  readonly earlyStoppingRounds: number;
  readonly lossName: string;
  readonly marginUnit: string;
  readonly ranking:
    | { readonly query: string | undefined; readonly grades: number | undefined; readonly top: number | undefined }
    | undefined;
  readonly parametersFor: (target: Target, features: Features) => Parameters;
}

/** All that one fold is trained and measured with. */
interface Fold {
  readonly number: number;
  readonly frame: Frame;
  readonly features: Features;
  readonly target: Target;
  /** `train` holds all rows to train on; rows to rank are in the order of their queries. */
  readonly rows: FoldRows;
  readonly ranking: { readonly queries: Queries; readonly top: number | undefined } | undefined;
}

export async function trainTrees(context: StageContext<TreeParams>, settings: TreeSettings): Promise<void> {
  const { params } = context;
  const fold = await readFold(context, settings);
  const { frame, target, rows, ranking } = fold;
  checkTrainable(target, rows.train, fold.number);
  const xgboost = openXgboost();
  const { booster, heldOut, missing, device, ...trained } = await trainFold(context, settings, xgboost, fold);
  try {
    await writeFile(context.outputPath('model'), booster.toJson());
    const names = namesOf(frame);
    const tables = tabulate(target, baselineOf(frame, target, rows.train, params.baselineColumn), heldOut);
    await writeParquet(context.outputPath('predictions'), predictionColumns(names, fold.number, tables));
    const [validation, test] = (['validation', 'test'] as const).map((set) =>
      measureSet(target, tables, set, names, context.rng, params.resamples, ranking),
    );
    // A sweep that is still choosing has no use for what it costs.
    const isFinal = context.coordinates.trial === undefined || context.coordinates.refit === true;
    const importance =
      isFinal && params.permutations > 0
        ? measureImportance({
            xgboost,
            booster,
            features: fold.features,
            target,
            sets: heldOut,
            ranking,
            rounds: trained.bestRounds,
            depth: params.maxDepth,
            repeats: params.permutations,
            mostRows: params.importanceRows,
            threads: params.nthread,
            rng: context.rng,
            finish: (values) =>
              finished({ kind: settings.kind, objective: target.objective }, values, target.classes.length),
            marginUnit: settings.marginUnit,
          })
        : undefined;
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
        'train.rows': rows.train.length,
        'validation.rows': rows.validation.length,
        'test.rows': rows.test.length,
        ...(importance === undefined ? {} : { 'shap.largestError': importance.shap.error }),
      },
      metrics: [...(validation?.metrics ?? []), ...(test?.metrics ?? [])],
      notes: notesOf(params, xgboost, fold, device, missing),
    });
    const curves: Figure[] =
      settings.kind === 'forest'
        ? []
        : [
            learningCurves({
              target: target.name,
              fold: fold.number,
              loss: settings.lossName,
              ...trained,
              stopsEarly: settings.earlyStoppingRounds > 0,
              maximize: ranking !== undefined,
            }),
          ];
    const pictures = importanceFigures({
      booster,
      names: fold.features.names,
      target: target.name,
      fold: fold.number,
      heldOut: importance,
    });
    await context.writeFigures('figures', [...curves, ...pictures]);
  } finally {
    booster.free();
  }
}

async function readFold(context: StageContext<TreeParams>, settings: TreeSettings): Promise<Fold> {
  const { params } = context;
  const [inputs, splits] = [context.input('features'), context.input('splits')];
  const frame = await readFrame(inputs.path, inputs.shared);
  const number = context.coordinates.fold ?? 0;
  const queries = settings.ranking === undefined ? undefined : readQueries(frame, settings.ranking.query);
  const target = readTarget(
    frame,
    params.target,
    params.objective,
    queries === undefined ? undefined : { queries, grades: settings.ranking?.grades },
  );
  const sets = rowsOfFold(await readFrame(splits.path, splits.shared), number, target);
  const order = (rows: Uint32Array): Uint32Array => (queries === undefined ? rows : orderByQuery(rows, queries));
  const train = params.fitOn === 'train' ? sets.train : Uint32Array.from([...sets.train, ...sets.validation]).sort();
  return {
    number,
    frame,
    features: readFeatures(frame),
    target,
    rows: { ...sets, train: order(train), validation: order(sets.validation), test: order(sets.test) },
    ranking: queries === undefined ? undefined : { queries, top: settings.ranking?.top },
  };
}

/** The library that the plan found; asked again, since this may be another machine. */
export function openXgboost(): Xgboost {
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
  context: StageContext<TreeParams>,
  settings: TreeSettings,
  xgboost: Xgboost,
  fold: Fold,
): Promise<Trained & { heldOut: SetPredictions[]; missing: number; device: string }> {
  const { params } = context;
  const { frame, features, target, rows } = fold;
  if (settings.earlyStoppingRounds > 0 && rows.validation.length === 0)
    throw new FathomError('data', `fold ${fold.number} has no validation row to stop training by`, {
      hint: 'set `earlyStoppingRounds: 0`, or let the splitter keep some rows for validation',
    });
  const open: Matrix[] = [];
  let missing = 0;
  const matrixOf = (which: Uint32Array): Matrix => {
    const taken = takeData(frame, features, target, which, {
      weightColumn: params.weight,
      queries: fold.ranking?.queries,
      oneHot: settings.kind === 'forest',
    });
    missing += taken.missing;
    const matrix = makeMatrix(xgboost, taken.data, params.nthread);
    open.push(matrix);
    return matrix;
  };
  let booster: Booster | undefined;
  try {
    const training = matrixOf(rows.train);
    const validation =
      params.fitOn === 'train+validation' || rows.validation.length === 0 ? undefined : matrixOf(rows.validation);
    const parameters = settings.parametersFor(target, features);
    const resumable = canResume(parameters);
    const saved = resumable ? await context.checkpoint.load() : undefined;
    const trained = await train(xgboost, {
      parameters,
      rounds: settings.rounds,
      earlyStoppingRounds: settings.earlyStoppingRounds,
      maximize: fold.ranking !== undefined,
      training,
      validation,
      from: saved === undefined ? undefined : decodeState(saved),
      afterRound: async (done, state) => {
        context.progress(done, settings.rounds, 'rounds');
        // Lets a request to stop come in: training itself never gives way to the event loop.
        await setImmediate();
        if (resumable && (done % CHECKPOINT_ROUNDS === 0 || context.cancelled()))
          await context.checkpoint.save(encodeState(state()));
        context.throwIfCancelled();
      },
    });
    const done = trained.booster;
    booster = done;
    writeCard(done, settings.kind, target, features);
    const predict = (set: 'validation' | 'test', which: Uint32Array, matrix: Matrix): SetPredictions => ({
      set,
      rows: which,
      predicted: finished(
        { kind: settings.kind, objective: target.objective },
        done.predict(matrix, trained.bestRounds),
        target.classes.length,
      ),
    });
    const heldOut: SetPredictions[] = [];
    if (validation !== undefined) heldOut.push(predict('validation', rows.validation, validation));
    if (rows.test.length > 0) heldOut.push(predict('test', rows.test, matrixOf(rows.test)));
    return { ...trained, heldOut, missing, device: done.device() };
  } catch (error) {
    booster?.free();
    throw error;
  } finally {
    for (const matrix of open) matrix.free();
  }
}

function notesOf(params: TreeParams, xgboost: Xgboost, fold: Fold, device: string, missing: number): string[] {
  const { rows, number, features } = fold;
  const threads = params.nthread === 1 ? '1 thread' : `${params.nthread} threads`;
  const constant = constantFeatures(features, rows.train);
  const values = features.names.length * (rows.train.length + rows.validation.length + rows.test.length);
  return [
    `Fold ${number} was trained by XGBoost ${xgboost.version} on ${device}, ${threads}.`,
    ...(rows.unlabelled === 0
      ? []
      : [`${rows.unlabelled} rows of fold ${number} have no ${params.target} and were left out.`]),
    ...(missing === 0
      ? []
      : [
          `${missing} of ${values} values of features in fold ${number} are missing; each split sends them to the side that fits the training rows better.`,
        ]),
    ...(constant.length === 0 ? [] : [`Constant in training and so never split on: ${constant.join(', ')}.`]),
    ...(params.fitOn === 'train' ? [] : ['The validation rows were trained on, so only the test rows are measured.']),
  ];
}
