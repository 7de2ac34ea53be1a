/**
 * Training of a stack of networks: epochs of shuffled batches, measured on the validation rows, stopped and resumed
 * anywhere. What a network becomes does not depend on who is trained beside it.
 */
import { FathomError } from '../../errors.ts';
import type { Rng } from '../../random/rng.ts';
import { decodeContainer, encodeContainer } from './container.ts';
import { emptySums, headMeans, type LossSums, weightedLoss } from './losses.ts';
import type { Network } from './network.ts';
import { NetworkStack } from './network-stack.ts';
import { endEpoch, type ScheduleOptions, type ScheduleState, startSchedule } from './schedule.ts';
import { outputsOf } from './shape.ts';
import { batchStarts, initialWeights, type Stack, type StatePart } from './stack.ts';

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

/** One network of a stack: how it is trained, its random streams, where its checkpoints go. */
export interface Member {
  readonly options: TrainingOptions;
  /** Independent streams by purpose; equal purposes give equal streams. */
  rng(purpose: string): Rng;
  /** Members of equal keys have equal streams, and so share orders of rows. */
  readonly streams: string;
  /** Keeps a checkpoint: when cancelled, and at the end of an epoch once enough work has been done since the last. */
  save(checkpoint: Uint8Array): Promise<void>;
  readonly checkpoint?: Uint8Array | undefined;
}

/** What training touches outside itself. */
export interface TrainingHooks {
  /** True once training should stop; asked after every turn. */
  cancelled(): boolean;
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

/** Where the training of one network stands; with the state of the network it is all there is to know. */
interface Position {
  epoch: number;
  /** Batches done in this epoch. */
  batch: number;
  schedule: ScheduleState;
  sums: LossSums;
  history: EpochRecord[];
  stopped: boolean;
}

/** A member under way. */
interface Course {
  /** Number of its network in the stack. */
  readonly network: number;
  readonly member: Member;
  readonly best: { readonly parameters: Float32Array; readonly running: Float32Array };
  position: Position;
  failure: FathomError | undefined;
}

/**
 * Trains every member from scratch, or on from its checkpoint, and leaves the best weights in the networks. Resuming
 * gives the same bytes as an undisturbed run. Undefined if cancelled: then the last checkpoints say where to go on.
 *
 * @param train rows of the networks' data to learn from, at least 2
 * @param validation rows that choose the learning rate and the epoch; empty: all epochs run, the last weights stay
 * @param members one for each network; they agree in batch size, epochs and schedule
 * @returns for each member what came of it: a network that diverges fails alone
 */
export async function trainStack(
  stack: Stack,
  train: Uint32Array,
  validation: Uint32Array,
  members: readonly Member[],
  hooks: TrainingHooks,
): Promise<(TrainingResult | FathomError)[] | undefined> {
  const courses = members.map((member, network): Course => {
    const best = {
      parameters: new Float32Array(stack.layout.parameters),
      running: new Float32Array(stack.layout.running),
    };
    const course: Course = {
      network,
      member,
      best,
      position: startPosition(stack, member.options),
      failure: undefined,
    };
    if (member.checkpoint === undefined) begin(stack, course);
    else restore(stack, course, member.checkpoint);
    return course;
  });
  // A kill between two members' checkpoints leaves them at different places: each place is a group of its own.
  for (const group of grouped(courses))
    if (!(await trainGroup(stack, train, validation, group, hooks))) return undefined;
  return courses.map(({ network, best, position, failure }) => {
    if (failure !== undefined) return failure;
    const { bestEpoch, bestLoss } = position.schedule;
    if (bestEpoch !== null) {
      stack.write(network, 'parameters', best.parameters);
      stack.write(network, 'running', best.running);
    }
    return { history: position.history, bestEpoch: bestEpoch ?? position.epoch - 1, bestLoss };
  });
}

/** Trains one network; see `trainStack`. */
export async function trainNetwork(
  network: Network,
  train: Uint32Array,
  validation: Uint32Array,
  options: TrainingOptions,
  hooks: TrainingHooks & Pick<Member, 'rng' | 'save'>,
  checkpoint?: Uint8Array,
): Promise<TrainingResult | undefined> {
  const stack = new NetworkStack([network], train.length, options.batchSize);
  const member = { options, rng: hooks.rng, save: hooks.save, streams: '', checkpoint };
  const results = await trainStack(stack, train, validation, [member], hooks);
  const result = results?.[0];
  if (result instanceof FathomError) throw result;
  return result;
}

function grouped(courses: readonly Course[]): Course[][] {
  const groups = new Map<string, Course[]>();
  for (const course of courses) {
    const { epoch, batch } = course.position;
    const key = `${epoch}/${batch}`;
    groups.set(key, [...(groups.get(key) ?? []), course]);
  }
  return [...groups.values()];
}

/** True once all have ended; false if cancelled. */
async function trainGroup(
  stack: Stack,
  train: Uint32Array,
  validation: Uint32Array,
  courses: readonly Course[],
  hooks: TrainingHooks,
): Promise<boolean> {
  const [first] = courses as [Course];
  const { epochs, batchSize } = first.member.options;
  const batches = batchStarts(train.length, batchSize).length;
  let { epoch, batch } = first.position;
  let unsavedWork = 0;
  const alive = (): Course[] => courses.filter(({ position, failure }) => !position.stopped && failure === undefined);
  const save = async (): Promise<false> => {
    for (const course of alive()) await course.member.save(snapshot(stack, course));
    return false;
  };
  for (let active = alive(); epoch <= epochs && active.length > 0; active = alive()) {
    hooks.progress(epoch - 1, epochs);
    const orders = ordersOf(active, epoch, train);
    for (const course of active) configure(stack, course);
    while (batch < batches) {
      const to = Math.min(batches, batch + stack.turn);
      const reports = stack.train(
        active.map((course) => course.network),
        active.map((course) => orders.get(course.member.streams) as Uint32Array),
        batch,
        to,
        active.map((course) => course.position.sums),
      );
      for (const [i, course] of active.entries()) {
        if (reports[i]?.diverged === true) course.failure = diverged(course.position);
        course.position.batch = to;
      }
      batch = to;
      active = alive();
      if (hooks.cancelled()) return save();
    }
    const measured = measureRows(stack, active, validation, hooks);
    if (measured === undefined) return save();
    for (const [i, course] of active.entries()) finishEpoch(stack, course, measured[i] as LossSums);
    epoch++;
    batch = 0;
    unsavedWork += active.length * train.length * stack.layout.trained;
    if (unsavedWork >= CHECKPOINT_WORK) {
      await save();
      unsavedWork = 0;
    }
  }
  hooks.progress(epochs, epochs);
  return true;
}

/** The order of rows in an epoch, by the members' streams. */
function ordersOf(courses: readonly Course[], epoch: number, train: Uint32Array): Map<string, Uint32Array> {
  const orders = new Map<string, Uint32Array>();
  for (const { member } of courses)
    if (!orders.has(member.streams))
      orders.set(member.streams, member.rng(`shuffle-${epoch}`).shuffle(Uint32Array.from(train)));
  return orders;
}

function startPosition(stack: Stack, options: TrainingOptions): Position {
  const sums = emptySums(outputsOf(stack.shape));
  return { epoch: 1, batch: 0, schedule: startSchedule(options.learningRate), sums, history: [], stopped: false };
}

function begin(stack: Stack, { network, member }: Course): void {
  const { parameters, running } = initialWeights(stack.shape, stack.layout, member.rng('weights'));
  stack.write(network, 'parameters', parameters);
  stack.write(network, 'running', running);
  stack.seedDropout(network, member.rng('dropout'));
}

function configure(stack: Stack, { network, member, position }: Course): void {
  stack.configure(network, { ...member.options, learningRate: position.schedule.learningRate });
}

/** Records the epoch, moves the schedule, keeps the weights if they are the best. */
function finishEpoch(stack: Stack, course: Course, measured: LossSums): void {
  const { shape } = stack;
  const { network, position, best } = course;
  const { options } = course.member;
  const trainLoss = weightedLoss(headMeans(shape, position.sums), options.weights);
  const headLosses = headMeans(shape, measured);
  const validationLoss = weightedLoss(headLosses, options.weights);
  const { learningRate } = position.schedule;
  position.history.push({ epoch: position.epoch, learningRate, trainLoss, validationLoss, headLosses });
  const watched = validationLoss ?? trainLoss;
  if (watched === null || !Number.isFinite(watched)) {
    course.failure = diverged(position);
    return;
  }
  const withValidation = validationLoss !== null;
  const step = endEpoch(position.schedule, position.epoch, watched, {
    plateau: options.plateau,
    earlyStopping: withValidation ? options.earlyStopping : null,
  });
  // Without a validation set there is no judge of epochs: the last one counts.
  position.schedule = withValidation ? step.state : { ...step.state, bestEpoch: position.epoch, bestLoss: null };
  if (step.improved || !withValidation) {
    best.parameters.set(stack.read(network, 'parameters'));
    best.running.set(stack.read(network, 'running'));
  }
  position.stopped = step.stop;
  position.epoch++;
  position.batch = 0;
  position.sums = emptySums(outputsOf(shape));
}

/** Losses of rows for every course, part by part; undefined if cancelled on the way. */
function measureRows(
  stack: Stack,
  courses: readonly Course[],
  rows: Uint32Array,
  hooks: Pick<TrainingHooks, 'cancelled'>,
): LossSums[] | undefined {
  const sums = courses.map(() => emptySums(outputsOf(stack.shape)));
  const networks = courses.map(({ network }) => network);
  for (let first = 0; first < rows.length; first += stack.measuredAtOnce) {
    if (hooks.cancelled()) return undefined;
    stack.measure(networks, rows.subarray(first, first + stack.measuredAtOnce), sums);
  }
  return sums;
}

function diverged(position: Position): FathomError {
  return new FathomError('task', `training diverged in epoch ${position.epoch}, batch ${position.batch + 1}`, {
    hint: 'lower learningRate, or look for extreme values among the features and targets',
  });
}

function snapshot(stack: Stack, { network, best, position: { sums, ...position } }: Course): Uint8Array {
  const array = ({ name, bytes }: StatePart) => ({ name, type: 'U8' as const, shape: [bytes.byteLength], bytes });
  return encodeContainer({
    metadata: { ...position, losses: [...sums.losses], counts: [...sums.counts] },
    arrays: [
      ...stack.state(network),
      { name: 'bestParameters', bytes: new Uint8Array(best.parameters.buffer) },
      { name: 'bestRunning', bytes: new Uint8Array(best.running.buffer) },
    ].map(array),
  });
}

function restore(stack: Stack, course: Course, checkpoint: Uint8Array): void {
  const { metadata, arrays } = decodeContainer(checkpoint, 'checkpoint');
  const stored = (name: string, length: number): Uint8Array => {
    const found = arrays.find((array) => array.name === name);
    if (found?.bytes.length !== length)
      throw new FathomError('internal', `the checkpoint is of another network: ${name} does not fit`);
    return found.bytes;
  };
  const { network, best } = course;
  const parts = stack.state(network).map(({ name, bytes }) => ({ name, bytes: stored(name, bytes.length) }));
  stack.restore(network, parts);
  for (const [name, values] of [
    ['bestParameters', best.parameters],
    ['bestRunning', best.running],
  ] as const)
    new Uint8Array(values.buffer).set(stored(name, values.byteLength));
  const { losses, counts, ...position } = metadata as Omit<Position, 'sums'> & { losses: number[]; counts: number[] };
  course.position = { ...position, sums: { losses: Float64Array.from(losses), counts: Float64Array.from(counts) } };
}
