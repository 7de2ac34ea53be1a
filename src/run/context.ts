/** Builds the context a stage runs in, inside a worker or child process. */
import { writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Coordinates, InputArtifact, OutputKind, Resources, StageContext } from '../contract/stage.ts';
import { FathomError } from '../errors.ts';
import { makeRng } from '../random/rng.ts';
import { writeAtomically } from '../store/files.ts';
import { type Meeting, makeMeeting } from './meeting.ts';

/** File names of outputs in an artifact's folder. */
export const extensions: Record<OutputKind, string> = {
  table: '.parquet',
  frame: '.arrow',
  model: '.model',
  metrics: '.json',
  figures: '.json',
  json: '.json',
  folder: '',
};

/** File name of an output port. */
export function outputFile(port: string, kind: OutputKind): string {
  return `${port}${extensions[kind]}`;
}

export interface ContextOptions {
  readonly params: unknown;
  readonly engine: string | undefined;
  readonly coordinates: Coordinates;
  readonly seed: number;
  /** Identity of the task: random streams and checkpoints are keyed by it. */
  readonly task: string;
  readonly resources: Resources;
  readonly inputs: Readonly<Record<string, readonly InputArtifact[]>>;
  readonly outputs: Readonly<Record<string, { readonly kind: OutputKind }>>;
  /** Folder in which the outputs are made. */
  readonly folder: string;
  readonly checkpointFile: string;
  readonly scratchFolder: string;
  readonly cancelled: () => boolean;
  readonly progress: (done: number, total: number, unit: string) => void;
  readonly log: (line: string) => void;
  /** The stack that the task belongs to, and its place there; absent: it is alone. */
  readonly stack?: { readonly meeting: Meeting; readonly place: number };
}

/** JSON as Fathom writes it everywhere: equal values give equal bytes; NaN and infinities are refused. */
export function encodeJson(value: unknown): string {
  return `${JSON.stringify(value, (key, item) => {
    if (typeof item === 'number' && !Number.isFinite(item))
      throw new FathomError('internal', `"${key}" is ${item}: JSON has no such number; write null and say why`);
    return item;
  })}\n`;
}

export function makeContext(options: ContextOptions): StageContext {
  const { inputs, outputs, folder } = options;
  const portOf = (port: string): { readonly kind: OutputKind } => {
    const found = outputs[port];
    if (found === undefined) throw new FathomError('internal', `no output "${port}" is declared`);
    return found;
  };
  const outputPath = (port: string): string => path.join(folder, outputFile(port, portOf(port).kind));
  const writeJson = async (port: string, value: unknown): Promise<void> =>
    writeFileSync(outputPath(port), encodeJson(value));
  const optionalInput = (port: string): InputArtifact | undefined => {
    const list = inputs[port] ?? [];
    if (list.length > 1) throw new FathomError('internal', `input "${port}" holds ${list.length} artifacts, not one`);
    return list[0];
  };
  let scratchMade = false;
  return {
    params: options.params,
    engine: options.engine,
    coordinates: options.coordinates,
    seed: options.seed,
    resources: options.resources,
    optionalInput,
    input: (port) => {
      const found = optionalInput(port);
      if (found === undefined) throw new FathomError('internal', `input "${port}" is not connected`);
      return found;
    },
    inputs: (port) => inputs[port] ?? [],
    outputPath,
    writeMetrics: writeJson,
    writeFigures: writeJson,
    writeJson,
    rng: (purpose) => makeRng(options.seed, options.task, purpose),
    progress: (done, total, unit = 'steps') => options.progress(done, total, unit),
    checkpoint: {
      load: () =>
        readFile(options.checkpointFile).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw error;
        }),
      save: (bytes) => writeAtomically(options.checkpointFile, bytes),
    },
    cancelled: options.cancelled,
    throwIfCancelled: () => {
      if (options.cancelled()) throw new FathomError('interrupted', 'stopped on request');
    },
    together: (mine, work) => {
      const { meeting, place } = options.stack ?? { meeting: makeMeeting(1), place: 0 };
      return meeting.join(place, mine, work);
    },
    log: options.log,
    scratch: async () => {
      if (!scratchMade) await mkdir(options.scratchFolder, { recursive: true });
      scratchMade = true;
      return options.scratchFolder;
    },
  };
}
