/** Runs one stage in this process, as a worker would: real context, real files, in a temporary folder. */
import { mkdtemp, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Figure } from '../../src/contract/figure.ts';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import type { Coordinates, StageDefinition, StageRun } from '../../src/contract/stage.ts';
import { makeContext, outputFile } from '../../src/run/context.ts';

export interface StageResult {
  readonly folder: string;
  path(port: string): string;
  bytes(port: string): Promise<Uint8Array>;
  json<T>(port: string): Promise<T>;
  metrics(port?: string): Promise<MetricsFile>;
  figures(port?: string): Promise<Figure[]>;
  readonly logs: readonly string[];
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'fathom-test-'));
}

/**
 * @param params as in the experiment file; defaults are filled in by the stage's own schema
 * @param inputs absolute paths of input files by port
 */
export async function runStage<P>(
  definition: StageDefinition<P>,
  run: StageRun<P>,
  options: {
    params: unknown;
    inputs?: Record<string, readonly string[]>;
    seed?: number;
    engine?: string;
    coordinates?: Coordinates;
    folder?: string;
    cancelled?: () => boolean;
    threads?: number;
  },
): Promise<StageResult> {
  const folder = options.folder ?? (await temporaryFolder());
  const params = definition.params.parse(options.params);
  const logs: string[] = [];
  const resources = { ...definition.resources(params), ...(options.threads ? { threads: options.threads } : {}) };
  const context = makeContext({
    params,
    engine: options.engine,
    coordinates: options.coordinates ?? {},
    seed: options.seed ?? 42,
    task: 'test',
    resources,
    inputs: Object.fromEntries(
      Object.entries(options.inputs ?? {}).map(([port, paths]) => [
        port,
        paths.map((file, i) => ({
          stage: path.basename(file).split('.')[0] ?? port,
          coordinates: { fold: i },
          task: `input-${i}`,
          path: file,
        })),
      ]),
    ),
    outputs: definition.outputs,
    folder,
    checkpointFile: path.join(folder, '.checkpoint'),
    scratchFolder: path.join(folder, '.scratch'),
    cancelled: options.cancelled ?? (() => false),
    progress: () => undefined,
    log: (line) => logs.push(line),
  });
  await run(context as never);
  const file = (port: string): string => {
    const declared = definition.outputs[port];
    if (declared === undefined) throw new Error(`no output ${port}`);
    return path.join(folder, outputFile(port, declared.kind));
  };
  const json = async <T>(port: string): Promise<T> => JSON.parse(await readFile(file(port), 'utf8')) as T;
  return {
    folder,
    path: file,
    bytes: (port) => readFile(file(port)),
    json,
    metrics: (port = 'metrics') => json<MetricsFile>(port),
    figures: (port = 'figures') => json<Figure[]>(port),
    logs,
  };
}
