/** Trains a booster round by round, and stops when the validation loss has stopped falling. */
import { FathomError } from '../../errors.ts';
import { Booster, type Parameters } from './booster.ts';
import type { Matrix } from './matrix.ts';
import type { Xgboost } from './xgboost-c.ts';

export interface TrainOptions {
  readonly parameters: Parameters;
  /** Most rounds. */
  readonly rounds: number;
  /** Stop after this many rounds without a lower validation loss; 0: never. */
  readonly earlyStoppingRounds: number;
  readonly training: Matrix;
  readonly validation?: Matrix | undefined;
  /** Called after every round; may throw to stop. */
  readonly afterRound?: (done: number) => void | Promise<void>;
}

export interface Trained {
  readonly booster: Booster;
  /** Rounds that predictions use: those of the lowest validation loss, or all without early stopping. */
  readonly bestRounds: number;
  /** Losses after each round, from the first. Their metric is the objective's own: log loss, RMSE. */
  readonly trainingLoss: readonly number[];
  readonly validationLoss: readonly number[];
}

/**
 * The caller frees the booster. Attributes `best_iteration` (from 0) and `best_score` are those that XGBoost's Python
 * package writes and reads.
 */
export async function train(xgboost: Xgboost, options: TrainOptions): Promise<Trained> {
  const { parameters, rounds, earlyStoppingRounds, training, validation, afterRound } = options;
  if (earlyStoppingRounds > 0 && validation === undefined)
    throw new FathomError('internal', 'early stopping needs a validation matrix');
  const wantsCuda = `${parameters['device']}`.startsWith('cuda');
  if (wantsCuda && !xgboost.hasCuda)
    throw new FathomError('unavailable', `${xgboost.path} (version ${xgboost.version}) was built without CUDA`, {
      hint: 'set `device: cpu`, or run `make native XGBOOST_PACKAGE=xgboost` for a build with CUDA',
    });
  const matrices = validation === undefined ? [training] : [training, validation];
  const booster = Booster.create(xgboost, parameters, matrices);
  const trainingLoss: number[] = [];
  const validationLoss: number[] = [];
  let best = -1;
  try {
    for (let round = 0; round < rounds; round++) {
      booster.update(round, training);
      // Without a usable GPU XGBoost warns and goes on with the CPU.
      if (round === 0 && wantsCuda && !booster.device().startsWith('cuda'))
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
        if (best < 0 || ofValidation < (validationLoss[best] as number)) best = round;
      }
      await afterRound?.(round + 1);
      if (earlyStoppingRounds > 0 && round - best >= earlyStoppingRounds) break;
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
