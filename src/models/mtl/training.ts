/** Training of one network: epochs of shuffled batches, measured on the validation rows, stopped and resumed anywhere. */
import { FathomError } from '../../errors.ts';
import type { Rng } from '../../random/rng.ts';
import { decodeContainer, encodeContainer } from './container.ts';
import { addSums, emptySums, headMeans, type LossSums, weightedLoss } from './losses.ts';
import { type Network, stateRegions } from './network.ts';
import { endEpoch, type ScheduleOptions, type ScheduleState, startSchedule } from './schedule.ts';
import { outputsOf } from './shape.ts';

export interface TrainingOptions extends ScheduleOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly decoupled: boolean;
  readonly clipNorm: number;
  /** Rate after each hidden layer. */
  readonly dropout: readonly number[];
  /** Weight of each head in the loss. */
  readonly weights: readonly number[];
  /** Rows of a batch, at least 2. A last batch of one row joins the one before it. */
  readonly batchSize: number;
  readonly epochs: number;
}

/** What training touches outside itself. */
export interface TrainingHooks {
  /** Independent streams by purpose; equal purposes give equal streams. */
  rng(purpose: string): Rng;
  /** True once training should stop; asked after every batch. */
  cancelled(): boolean;
  /** Keeps a checkpoint: when cancelled, and at the end of an epoch once enough work has been done since the last. */
  save(checkpoint: Uint8Array): Promise<void>;
  progress(epochs: number, total: number): void;
}

/**
 * Work worth a checkpoint, in parameters times rows: about a third of a second. Short epochs of small networks would
 * otherwise write more than they compute, hundreds of them at once to a cluster's file system.
 */
const CHECKPOINT_WORK = 2e9;

/** One point of the learning curves. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  /** Mean over the epoch's batches, dropout on. */
  readonly trainLoss: number | null;
  /** With the running statistics and without dropout; null without validation targets. */
  readonly validationLoss: number | null;
  readonly headLosses: readonly (number | null)[];
}

export interface TrainingResult {
  readonly history: readonly EpochRecord[];
  /** Epoch whose weights were kept, from 1. */
  readonly bestEpoch: number;
  readonly bestLoss: number | null;
}

/** Where training stands; with the regions of the network it is the whole state. */
interface Position {
  epoch: number;
  /** Batches done in this epoch. */
  batch: number;
  schedule: ScheduleState;
  sums: LossSums;
  history: EpochRecord[];
  stopped: boolean;
}

/**
 * Trains from scratch, or on from a checkpoint, and leaves the best weights in the network. Resuming gives the same
 * bytes as an undisturbed run. Undefined if cancelled: then the last checkpoint saved says where to go on.
 *
 * @param train rows of the network's data to learn from, at least 2
 * @param validation rows that choose the learning rate and the epoch; empty: all epochs run, the last weights stay
 */
export async function trainNetwork(
  network: Network,
  train: Uint32Array,
  validation: Uint32Array,
  options: TrainingOptions,
  hooks: TrainingHooks,
  checkpoint?: Uint8Array,
): Promise<TrainingResult | undefined> {
  const best = {
    parameters: new Float32Array(network.layout.parameters),
    running: new Float32Array(network.layout.running),
  };
  const position = checkpoint === undefined ? start(network, options, hooks) : restore(network, best, checkpoint);
  const starts = batchStarts(train.length, options.batchSize);
  const save = (): Promise<void> => hooks.save(snapshot(network, best, position));
  const settings = { dropout: options.dropout, weights: options.weights };
  let unsavedWork = 0;

  while (position.epoch <= options.epochs && !position.stopped) {
    hooks.progress(position.epoch - 1, options.epochs);
    const order = hooks.rng(`shuffle-${position.epoch}`).shuffle(Uint32Array.from(train));
    while (position.batch < starts.length) {
      const rows = order.subarray(starts[position.batch], starts[position.batch + 1] ?? train.length);
      network.gradients(rows, settings);
      addSums(position.sums, network);
      const norm = network.update({ ...options, learningRate: position.schedule.learningRate });
      if (!Number.isFinite(norm)) throw diverged(position);
      position.batch++;
      if (hooks.cancelled()) {
        await save();
        return undefined;
      }
    }
    const measured = measureRows(network, validation, hooks);
    if (measured === undefined) {
      await save();
      return undefined;
    }
    finishEpoch(network, best, position, measured, options);
    unsavedWork += train.length * network.layout.trained;
    if (unsavedWork >= CHECKPOINT_WORK) {
      await save();
      unsavedWork = 0;
    }
  }
  hooks.progress(options.epochs, options.epochs);
  if (position.schedule.bestEpoch !== null) {
    network.region('parameters').set(best.parameters);
    network.region('running').set(best.running);
  }
  const { bestEpoch, bestLoss } = position.schedule;
  return { history: position.history, bestEpoch: bestEpoch ?? position.epoch - 1, bestLoss };
}

interface BestWeights {
  readonly parameters: Float32Array;
  readonly running: Float32Array;
}

function start(network: Network, options: TrainingOptions, hooks: TrainingHooks): Position {
  network.initialise(hooks.rng('weights'));
  network.seedDropout(hooks.rng('dropout'));
  return {
    epoch: 1,
    batch: 0,
    schedule: startSchedule(options.learningRate),
    sums: emptySums(outputsOf(network.shape)),
    history: [],
    stopped: false,
  };
}

/** First rows of the batches. One row cannot be normalised, so a single last row joins the batch before it. */
export function batchStarts(rows: number, batchSize: number): number[] {
  const starts: number[] = [];
  for (let first = 0; first < rows; first += batchSize) starts.push(first);
  if (starts.length > 1 && rows - (starts.at(-1) as number) === 1) starts.pop();
  return starts;
}

/** Records the epoch, moves the schedule, keeps the weights if they are the best. */
function finishEpoch(
  network: Network,
  best: BestWeights,
  position: Position,
  measured: LossSums,
  options: TrainingOptions,
): void {
  const { shape } = network;
  const trainLoss = weightedLoss(headMeans(shape, position.sums), options.weights);
  const headLosses = headMeans(shape, measured);
  const validationLoss = weightedLoss(headLosses, options.weights);
  const { learningRate } = position.schedule;
  position.history.push({ epoch: position.epoch, learningRate, trainLoss, validationLoss, headLosses });
  const watched = validationLoss ?? trainLoss;
  if (watched === null || !Number.isFinite(watched)) throw diverged(position);
  const withValidation = validationLoss !== null;
  const step = endEpoch(position.schedule, position.epoch, watched, {
    plateau: options.plateau,
    earlyStopping: withValidation ? options.earlyStopping : null,
  });
  // Without a validation set there is no judge of epochs: the last one counts.
  position.schedule = withValidation ? step.state : { ...step.state, bestEpoch: position.epoch, bestLoss: null };
  if (step.improved || !withValidation) {
    best.parameters.set(network.region('parameters'));
    best.running.set(network.region('running'));
  }
  position.stopped = step.stop;
  position.epoch++;
  position.batch = 0;
  position.sums = emptySums(outputsOf(shape));
}

/** Losses of rows, batch by batch; undefined if cancelled on the way. */
function measureRows(
  network: Network,
  rows: Uint32Array,
  hooks: Pick<TrainingHooks, 'cancelled'>,
): LossSums | undefined {
  const sums = emptySums(outputsOf(network.shape));
  for (let first = 0; first < rows.length; first += network.maxRows) {
    if (hooks.cancelled()) return undefined;
    network.measure(rows.subarray(first, first + network.maxRows));
    addSums(sums, network);
  }
  return sums;
}

function diverged(position: Position): FathomError {
  return new FathomError('task', `training diverged in epoch ${position.epoch}, batch ${position.batch + 1}`, {
    hint: 'lower learningRate, or look for extreme values among the features and targets',
  });
}

function snapshot(network: Network, best: BestWeights, { sums, ...position }: Position): Uint8Array {
  const array = (name: string, values: Float32Array | Uint8Array) => ({
    name,
    type: 'U8' as const,
    shape: [values.byteLength],
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
  return encodeContainer({
    metadata: { ...position, losses: [...sums.losses], counts: [...sums.counts] },
    arrays: [
      ...stateRegions.map((region) => array(region, network.regionBytes(region))),
      array('bestParameters', best.parameters),
      array('bestRunning', best.running),
    ],
  });
}

function restore(network: Network, best: BestWeights, checkpoint: Uint8Array): Position {
  const { metadata, arrays } = decodeContainer(checkpoint, 'checkpoint');
  const copy = (name: string, target: Uint8Array): void => {
    const stored = arrays.find((array) => array.name === name);
    if (stored?.bytes.length !== target.length)
      throw new FathomError('internal', `the checkpoint is of another network: ${name} does not fit`);
    target.set(stored.bytes);
  };
  for (const region of stateRegions) copy(region, network.regionBytes(region));
  copy('bestParameters', new Uint8Array(best.parameters.buffer));
  copy('bestRunning', new Uint8Array(best.running.buffer));
  const { losses, counts, ...position } = metadata as Omit<Position, 'sums'> & { losses: number[]; counts: number[] };
  return { ...position, sums: { losses: Float64Array.from(losses), counts: Float64Array.from(counts) } };
}
