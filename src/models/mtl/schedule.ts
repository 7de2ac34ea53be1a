/** Decisions at the end of an epoch: learning rate, best weights, early stopping. Plain data, so that it resumes. */

export interface ScheduleOptions {
  /** Multiplies the learning rate when the loss has not fallen for more than `patience` epochs. */
  readonly plateau: { readonly factor: number; readonly patience: number };
  /** Stops after this many epochs without a new best; null never stops early. */
  readonly earlyStopping: { readonly patience: number } | null;
}

export interface ScheduleState {
  readonly learningRate: number;
  /** Lowest loss that the plateau rule has seen; null before the first epoch. */
  readonly plateauBest: number | null;
  readonly badEpochs: number;
  /** Epochs counted from 1; null before the first. */
  readonly bestEpoch: number | null;
  readonly bestLoss: number | null;
}

export interface ScheduleStep {
  readonly state: ScheduleState;
  /** The weights of this epoch are the best so far. */
  readonly improved: boolean;
  readonly stop: boolean;
}

/** As torch's ReduceLROnPlateau: a fall counts if it is more than this part of the best loss. */
const THRESHOLD = 1e-4;

export function startSchedule(learningRate: number): ScheduleState {
  return { learningRate, plateauBest: null, badEpochs: 0, bestEpoch: null, bestLoss: null };
}

/** @param loss validation loss of epoch `epoch`, or the training loss where there is no validation set */
export function endEpoch(
  state: ScheduleState,
  epoch: number,
  loss: number,
  { plateau, earlyStopping }: ScheduleOptions,
): ScheduleStep {
  const fell = state.plateauBest === null || loss < state.plateauBest * (1 - THRESHOLD);
  const waited = fell ? 0 : state.badEpochs + 1;
  const reduce = waited > plateau.patience;
  const improved = state.bestLoss === null || loss < state.bestLoss;
  const bestEpoch = improved ? epoch : (state.bestEpoch as number);
  return {
    state: {
      learningRate: reduce ? state.learningRate * plateau.factor : state.learningRate,
      plateauBest: fell ? loss : state.plateauBest,
      badEpochs: reduce ? 0 : waited,
      bestEpoch,
      bestLoss: improved ? loss : state.bestLoss,
    },
    improved,
    stop: earlyStopping !== null && epoch - bestEpoch >= earlyStopping.patience,
  };
}
