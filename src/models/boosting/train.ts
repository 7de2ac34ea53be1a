/** Trains a booster round by round, and stops when the validation loss no longer gets better. */
import { FathomError } from '../../errors.ts';
import { isAtLeast, OLDEST_XGBOOST, XGBOOST_FIX } from '../../native/find.ts';
import { Booster, type Parameters } from './booster.ts';
import type { Matrix } from './matrix.ts';
import type { Xgboost } from './xgboost-c.ts';

export interface TrainOptions {
  readonly parameters: Parameters;
  /** Most rounds. */
  readonly rounds: number;
  /** Stop after this many rounds without a better validation loss; 0: never. */
  readonly earlyStoppingRounds: number;
  /** True where the metric is a score, of which more is better, such as NDCG. */
  readonly maximize?: boolean;
  readonly training: Matrix;
  readonly validation?: Matrix | undefined;
  /** Continue from here; see `canResume`. */
  readonly from?: TrainingState | undefined;
  /** Called after every round; may throw to stop. `state` is made when asked for. */
  readonly afterRound?: (done: number, state: () => TrainingState) => void | Promise<void>;
}

/** All of a training so far. */
export interface TrainingState {
  readonly model: Uint8Array;
  readonly trainingLoss: readonly number[];
  readonly validationLoss: readonly number[];
}

export interface Trained {
  readonly booster: Booster;
  /** Rounds that predictions use: those of the best validation loss, or all without early stopping. */
  readonly bestRounds: number;
  /** Losses after each round, from the first. Their metric is the objective's own: log loss, RMSE. */
  readonly trainingLoss: readonly number[];
  readonly validationLoss: readonly number[];
}

/**
 * True if training that continues from a state gives the same trees as one undisturbed. XGBoost cannot save its random
 * numbers, so this holds only where it draws none; otherwise start over.
 */
export function canResume(parameters: Parameters): boolean {
  const drawn = ['subsample', 'colsample_bytree', 'colsample_bynode'].some((name) => (parameters[name] ?? 1) !== 1);
  return !drawn && parameters['booster'] !== 'dart' && parameters['device'] === 'cpu';
}

/** Refuses a GPU that the library could not use: any build would take the CPU instead, with no more than a warning. */
export function checkDevice(xgboost: Pick<Xgboost, 'path' | 'version' | 'hasCuda'>, device: unknown): void {
  if (!`${device}`.startsWith('cuda')) return;
  if (!isAtLeast(xgboost.version, OLDEST_XGBOOST))
    throw new FathomError(
      'unavailable',
      `${xgboost.path} is libxgboost ${xgboost.version}, which does not know \`device: cuda\``,
      { hint: XGBOOST_FIX },
    );
  if (!xgboost.hasCuda)
    throw new FathomError('unavailable', `${xgboost.path} (version ${xgboost.version}) was built without CUDA`, {
      hint: 'set `device: cpu`, or run `make native XGBOOST_PACKAGE=xgboost` for a build with CUDA',
    });
}

/**
 * The caller frees the booster. Attributes `best_iteration` (from 0) and `best_score` are those that XGBoost's Python
 * package writes and reads.
 */
export async function train(xgboost: Xgboost, options: TrainOptions): Promise<Trained> {
  const { parameters, rounds, earlyStoppingRounds, training, validation, from, afterRound } = options;
  if (earlyStoppingRounds > 0 && validation === undefined)
    throw new FathomError('internal', 'early stopping needs a validation matrix');
  checkDevice(xgboost, parameters['device']);
  const wantsCuda = `${parameters['device']}`.startsWith('cuda');
  /** Later rounds of DART scale the trees of earlier ones, so the best round is kept as it was. */
  const keepsBest = parameters['booster'] === 'dart' && earlyStoppingRounds > 0;
  let kept: Uint8Array | undefined;
  const isBetter = (a: number, b: number): boolean => (options.maximize === true ? a > b : a < b);
  const matrices = validation === undefined ? [training] : [training, validation];
  if (from !== undefined && !canResume(parameters))
    throw new FathomError('internal', 'training that draws random numbers cannot continue from a saved state');
  let booster =
    from === undefined
      ? Booster.create(xgboost, parameters, matrices)
      : Booster.load(xgboost, from.model, parameters, matrices);
  const trainingLoss: number[] = [...(from?.trainingLoss ?? [])];
  const validationLoss: number[] = [...(from?.validationLoss ?? [])];
  let best = validationLoss.reduce(
    (first, loss, round) => (isBetter(loss, validationLoss[first] as number) ? round : first),
    0,
  );
  const state = (): TrainingState => ({ model: booster.toJson(), trainingLoss, validationLoss });
  const hasStopped = (): boolean => earlyStoppingRounds > 0 && trainingLoss.length - 1 - best >= earlyStoppingRounds;
  try {
    const first = trainingLoss.length;
    for (let round = first; round < rounds && !hasStopped(); round++) {
      booster.update(round, training);
      // Without a usable GPU XGBoost warns and goes on with the CPU.
      if (wantsCuda && round === first && !booster.device().startsWith('cuda'))
        throw new FathomError('unavailable', `XGBoost was asked for CUDA but trains on ${booster.device()}`, {
          hint: 'set `device: cpu`, or run where `nvidia-smi` shows a GPU',
        });
      const [ofTraining, ofValidation] = booster.evaluate(round, matrices);
      trainingLoss.push(ofTraining as number);
      if (ofValidation !== undefined) {
        if (!Number.isFinite(ofValidation))
          throw new FathomError('task', `the validation loss is ${ofValidation} after round ${round + 1}`, {
            hint: 'look for labels or weights that are not numbers, or lower learningRate',
          });
        validationLoss.push(ofValidation);
        if (isBetter(ofValidation, validationLoss[best] as number)) best = round;
        if (keepsBest && best === round) kept = booster.toJson();
      }
      await afterRound?.(round + 1, state);
    }
    if (kept !== undefined) {
      const best = Booster.load(xgboost, kept, parameters, matrices);
      booster.free();
      booster = best;
    }
    if (earlyStoppingRounds > 0) {
      booster.setAttribute('best_iteration', String(best));
      booster.setAttribute('best_score', String(validationLoss[best]));
    }
  } catch (error) {
    booster.free();
    throw error;
  }
  return {
    booster,
    bestRounds: earlyStoppingRounds > 0 ? best + 1 : rounds,
    trainingLoss,
    validationLoss,
  };
}
