import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { InputArtifact, StageContext, StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { constantLoss, headCurves, learningCurves, measurePredictions, overallScore } from '../../models/mtl/assess.ts';
import type { Cuts } from '../../models/mtl/cuts.ts';
import { type Fit, type FitRequest, fitStack, type Parts } from '../../models/mtl/fit.ts';
import { encodeModel } from '../../models/mtl/model.ts';
import { networkStacks } from '../../models/mtl/network-stack.ts';
import type { StackMaker } from '../../models/mtl/stack.ts';
import type { Member, TrainingOptions } from '../../models/mtl/training.ts';
import { namesOf, predictionColumns, type RowNames, type TargetPredictions } from '../../models/predictions.ts';
import { packageRoot } from '../../paths.ts';
import { columnNamed, columnsOf, type Frame, readFrame } from '../../tables/frame.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { MtlParams } from '../train-mtl.ts';

const run: StageRun<MtlParams> = async (context) => {
  const { params } = context;
  const fold = context.coordinates.fold ?? 0;
  const features = context.input('features');
  const splits = context.input('splits');
  const frame = await frameOf(features);
  const parts = partsOf(await frameOf(splits), frame, fold, params.fitOn);
  const { training, ...request } = requestOf(params);
  const engine = await openEngine(context.engine);
  const member: StackMember = {
    options: training,
    rng: (purpose) => context.rng(purpose),
    streams: String(context.seed),
    save: (bytes) => context.checkpoint.save(bytes),
    checkpoint: await context.checkpoint.load(),
    progress: (done, total) => context.progress(done, total, 'epochs'),
  };
  const fit = await context.together<StackMember, Fit | FathomError | undefined>(member, async (members) => {
    const fits = await fitStack(frame, parts, { ...request, stacks: engine.stacks }, members, {
      cancelled: () => context.cancelled(),
      progress: (done, total) => {
        for (const one of members) one.progress(done, total);
      },
    });
    return fits ?? members.map(() => undefined);
  });
  if (fit === undefined) {
    context.throwIfCancelled();
    throw new FathomError('interrupted', 'stopped on request');
  }
  if (fit instanceof FathomError) throw fit;
  const last = fit.history.at(-1);
  context.log(
    `${fit.trainRows} training rows, ${fit.history.length} epochs, best ${fit.bestEpoch}, validation loss ${last?.validationLoss ?? 'none'}`,
  );
  engine.tell(context);
  await writeFile(context.outputPath('model'), encodeModel(fit.model));
  const names = namesOf(frame);
  await writePredictions(context.outputPath('predictions'), names, fit, fold);
  const { weights } = training;
  const constant = constantLoss(fit, 'validation', weights);
  const purposes = (purpose: string) => context.rng(purpose);
  await context.writeMetrics('metrics', {
    scalars: {
      'validation.score': overallScore(fit, 'validation', weights),
      'validation.loss': fit.bestLoss,
      'validation.constantLoss': constant,
      'test.score': overallScore(fit, 'test', weights),
      epochs: fit.history.length,
      bestEpoch: fit.bestEpoch,
      parameters: fit.trained,
      trainRows: fit.trainRows,
      imputedValues: fit.imputed.reduce((sum, { count }) => sum + count, 0),
    },
    metrics: measurePredictions(fit, names, purposes, params.resamples),
    notes: [...engine.notes, ...notesOf(fit, frame)],
  });
  const heads = headCurves(fit, fold);
  await context.writeFigures('figures', [learningCurves(fit, constant, fold), ...(heads === undefined ? [] : [heads])]);
};

export default run;

/** What each task brings to the stack that it is trained in. */
interface StackMember extends Member {
  progress(done: number, total: number): void;
}

/** Frames that tasks of this process have read, newest last: those of a stack share theirs. Artifacts never change. */
const framesOfProcess = new Map<string, Promise<Frame>>();
const FRAMES_KEPT = 2;

function frameOf({ path, shared }: InputArtifact): Promise<Frame> {
  const frame = framesOfProcess.get(path) ?? readFrame(path, shared);
  framesOfProcess.delete(path);
  framesOfProcess.set(path, frame);
  for (const old of [...framesOfProcess.keys()].slice(0, -FRAMES_KEPT)) framesOfProcess.delete(old);
  return frame;
}

/** Where networks are trained. */
interface Engine {
  readonly stacks: StackMaker;
  /** What the bytes depend on besides the inputs. */
  readonly notes: readonly string[];
  /** Says in the log what depends on the moment. */
  tell(context: Pick<StageContext, 'log'>): void;
}

/** Looked for once, for all tasks of a process. */
let cutsOfProcess: Cuts | undefined;
let cudaOfProcess: Promise<Engine> | undefined;

/** Native code is loaded only here, and only if it is asked for: then this is a process of its own. */
function openEngine(engine: string | undefined): Promise<Engine> {
  if (engine === 'openblas') return openOpenblas();
  if (engine === 'tensorflow') return openTensorflow();
  if (engine !== 'cuda') return Promise.resolve({ stacks: networkStacks(), notes: [], tell: () => {} });
  cudaOfProcess ??= openGpu();
  return cudaOfProcess;
}

async function openTensorflow(): Promise<Engine> {
  const { tensorflowStacks } = await import('../../models/mtl/tensorflow/engine.ts');
  const { stacks, version } = tensorflowStacks();
  return {
    stacks,
    notes: [`Trained by TensorFlow.js ${version}: the last digits may differ on another machine.`],
    tell: () => {},
  };
}

async function openGpu(): Promise<Engine> {
  const [{ requireCuda }, { cudaStacks }] = await Promise.all([
    import('../../native/find-cuda.ts'),
    import('../../models/mtl/cuda/engine.ts'),
  ]);
  const { driver, nvrtc, nvrtcVersion } = requireCuda();
  const { cuda, ...stacks } = cudaStacks(driver, nvrtc);
  const what = `${cuda.name} (${cuda.architecture}), NVRTC ${nvrtcVersion}, FP32, TF32 off`;
  return {
    stacks,
    notes: [`Trained on ${what}: the last digits may differ on another GPU.`],
    tell: ({ log }) => log(`trained on ${what}`),
  };
}

async function openOpenblas(): Promise<Engine> {
  const [{ requireOpenblas }, { loadOpenblas }, { Cuts }, { cutsFileName, keptCuts }, { openblasProducts }] =
    await Promise.all([
      import('../../native/openblas.ts'),
      import('../../native/blas.ts'),
      import('../../models/mtl/cuts.ts'),
      import('../../models/mtl/kept-cuts.ts'),
      import('../../models/mtl/openblas.ts'),
    ]);
  const openblas = loadOpenblas(requireOpenblas().path);
  const file = path.join(packageRoot, '.fathom/cuts', cutsFileName(os.cpus()[0]?.model ?? '', openblas));
  const cuts = cutsOfProcess ?? new Cuts(openblas, cpuMicroseconds, keptCuts(file));
  cutsOfProcess = cuts;
  return {
    stacks: networkStacks(openblasProducts(openblas, cuts)),
    notes: [
      `Matrix products by OpenBLAS ${openblas.version} with its kernels for ${openblas.core}: the last digits may differ on another CPU.`,
    ],
    tell: ({ log }) => {
      const found = cuts.describe();
      if (found.length > 0)
        log(
          `products cut otherwise than by rule, with the same bits, kept in ${file} (rows x columns x depth, share of the time): ${found.join('; ')}`,
        );
    },
  };
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function requestOf(params: MtlParams): Omit<FitRequest, 'stacks'> & { readonly training: TrainingOptions } {
  const { hidden, dropout, lossWeights, baselineColumns } = params;
  const heads = params.heads.map(({ target, kind, weight, name }) => {
    const targets = [target].flat();
    const label = name ?? targets.join('+');
    return { name: label, kind, targets, weight: lossWeights[label] ?? weight };
  });
  const names = heads.map((head) => head.name);
  const targets = heads.flatMap((head) => head.targets);
  for (const [i, target] of targets.entries())
    if (targets.indexOf(target) !== i)
      throw new FathomError('experiment', `target "${target}" stands in two heads; one suffices`);
  for (const name of Object.keys(lossWeights))
    if (!names.includes(name))
      throw new FathomError('experiment', `lossWeights names "${name}"; the heads are ${names.join(', ')}`);
  for (const target of Object.keys(baselineColumns))
    if (!targets.includes(target))
      throw new FathomError('experiment', `baselineColumns names "${target}"; the targets are ${targets.join(', ')}`);
  if (Array.isArray(dropout) && dropout.length !== hidden.length)
    throw new FathomError('experiment', `dropout has ${dropout.length} rates for ${hidden.length} hidden layers`);
  return {
    hidden,
    heads,
    baselineColumns,
    training: {
      learningRate: params.learningRate,
      weightDecay: params.weightDecay,
      decoupled: params.decoupledDecay,
      clipNorm: params.clipNorm,
      dropout: Array.isArray(dropout) ? dropout : hidden.map(() => dropout),
      weights: heads.map((head) => head.weight),
      batchSize: params.batchSize,
      epochs: params.epochs,
      plateau: params.plateau,
      earlyStopping: params.earlyStopping,
    },
  };
}

function partsOf(splits: Frame, frame: Frame, fold: number, fitOn: MtlParams['fitOn']): Parts {
  if (splits.rows !== frame.rows)
    throw new FathomError('data', `the split has ${splits.rows} rows, the features have ${frame.rows}`, {
      hint: 'both must come from the same frame',
    });
  const column = columnNamed(splits, `fold${fold}`);
  if (column.type !== 'category')
    throw new FathomError('data', `column "fold${fold}" holds numbers, not parts of the split`);
  const rowsIn = (...names: string[]): Uint32Array => {
    const codes = new Set(names.map((name) => column.labels.indexOf(name)).filter((code) => code >= 0));
    return Uint32Array.from(Array.from(column.codes.keys()).filter((row) => codes.has(column.codes[row] as number)));
  };
  const everything = fitOn === 'train+validation';
  return {
    train: everything ? rowsIn('train', 'validation') : rowsIn('train'),
    validation: everything ? new Uint32Array(0) : rowsIn('validation'),
    test: rowsIn('test'),
  };
}

/** One row a target and predicted row, as every model writes them. */
async function writePredictions(path: string, names: RowNames, fit: Fit, fold: number): Promise<void> {
  const targets = [...new Set(fit.predictions.map(({ target }) => target))];
  const predictions = targets.map((target): TargetPredictions => {
    const parts = fit.predictions.filter((part) => part.target === target);
    const places = parts
      .flatMap((part) => Array.from(part.rows, (row, i) => ({ row, i, part })))
      .sort((a, b) => a.row - b.row);
    return {
      target,
      rows: Uint32Array.from(places, ({ row }) => row),
      sets: places.map(({ part }) => part.set),
      actual: Float64Array.from(places, ({ part, i }) => part.actual[i] as number),
      predicted: Float64Array.from(places, ({ part, i }) => part.predicted[i] as number),
      baseline: Float64Array.from(places, ({ part, i }) => part.baseline.predicted[i] as number),
      baselineLabel: (parts[0] as (typeof parts)[number]).baseline.label,
    };
  });
  await writeParquet(path, predictionColumns(names, fold, predictions));
}

function notesOf(fit: Fit, frame: Frame): string[] {
  const notes: string[] = [];
  const imputed = fit.imputed.filter(({ count }) => count > 0);
  if (imputed.length > 0) {
    const total = imputed.reduce((sum, { count }) => sum + count, 0);
    const worst = imputed.reduce((a, b) => (b.count > a.count ? b : a));
    notes.push(
      `${total} missing feature values in ${imputed.length} features stand at their training mean; most in ${worst.feature} (${worst.count} of ${frame.rows} rows).`,
    );
  }
  const unknown = fit.model.features.filter(({ name, mean }) => mean === null && !fit.constantFeatures.includes(name));
  if (unknown.length > 0)
    notes.push(`Never present in training and so without effect: ${unknown.map((f) => f.name).join(', ')}.`);
  if (fit.constantFeatures.length > 0)
    notes.push(`Constant in training and so without effect: ${fit.constantFeatures.join(', ')}.`);
  for (const { name, kind, outputs } of fit.model.heads) {
    const seen = outputs.filter(({ trainingMean }) => trainingMean !== null && trainingMean > 0);
    const only =
      kind === 'multiclass' ? seen.length === 1 : kind === 'binary' && [0, 1].includes(outputs[0]?.trainingMean ?? -1);
    if (only) notes.push(`Head "${name}" has one class in all training rows: it can learn nothing else.`);
  }
  if (fit.unlabelledTrainRows > 0)
    notes.push(`${fit.unlabelledTrainRows} training rows have no label of any head and were left out.`);
  if (columnsOf(frame, 'weight').length > 0) notes.push('Sample weights of the frame are not used by this stage.');
  return notes;
}
