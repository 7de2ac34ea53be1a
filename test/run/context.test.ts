import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputArtifact, StageContext } from '../../src/contract/stage.ts';
import { type ContextOptions, encodeJson, makeContext, outputFile } from '../../src/run/context.ts';
import { temporaryFolder } from '../support/stage.ts';

const artifact = (stage: string): InputArtifact => ({ stage, coordinates: {}, task: stage, path: `/${stage}` });

async function context(changes: Partial<ContextOptions> = {}): Promise<StageContext & { folder: string }> {
  const folder = await temporaryFolder();
  const made = makeContext({
    params: { x: 1 },
    engine: 'wasm',
    coordinates: { fold: 1 },
    seed: 42,
    task: 'test.stage/fold 1',
    resources: { threads: 1, memoryMb: 10, gpus: 0 },
    inputs: { one: [artifact('a')], none: [], two: [artifact('b'), artifact('c')] },
    outputs: { metrics: { kind: 'metrics' }, table: { kind: 'table' }, figures: { kind: 'figures' } },
    folder,
    checkpointFile: path.join(folder, 'checkpoints/task'),
    scratchFolder: path.join(folder, 'scratch/task'),
    cancelled: () => false,
    progress: () => undefined,
    log: () => undefined,
    ...changes,
  });
  return { ...made, folder };
}

describe('inputs', () => {
  it('are one, none or many, as the port says', async () => {
    const { input, optionalInput, inputs } = await context();
    expect(input('one').stage).toBe('a');
    expect(optionalInput('one')?.stage).toBe('a');
    expect(optionalInput('none')).toBeUndefined();
    expect(optionalInput('nowhere')).toBeUndefined();
    expect(inputs('two').map(({ stage }) => stage)).toEqual(['b', 'c']);
    expect(inputs('nowhere')).toEqual([]);
  });

  it('that are not what the stage takes them for are a bug, said by name', async () => {
    const { input, optionalInput } = await context();
    const bug = (message: string): unknown => expect.objectContaining({ code: 'internal', message });
    expect(() => input('none')).toThrow(bug('input "none" is not connected'));
    expect(() => input('two')).toThrow(bug('input "two" holds 2 artifacts, not one'));
    expect(() => optionalInput('two')).toThrow(bug('input "two" holds 2 artifacts, not one'));
  });
});

describe('outputs', () => {
  it('have a file each, named by port and kind', async () => {
    const { folder, outputPath, writeMetrics } = await context();
    expect(outputPath('table')).toBe(path.join(folder, 'table.parquet'));
    await writeMetrics('metrics', { scalars: { a: 1, b: null } });
    expect(await readFile(path.join(folder, outputFile('metrics', 'metrics')), 'utf8')).toBe(
      '{"scalars":{"a":1,"b":null}}\n',
    );
  });

  it('that are not declared are refused', async () => {
    const { outputPath, writeJson } = await context();
    expect(() => outputPath('other')).toThrow('no output "other" is declared');
    await expect(writeJson('other', {})).rejects.toThrow('no output "other" is declared');
  });

  it('refuse numbers that JSON has not, by name, and write nothing', async () => {
    const { writeMetrics, folder } = await context();
    await expect(writeMetrics('metrics', { scalars: { auc: Number.NaN } })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('"auc" is NaN'),
    });
    expect(existsSync(path.join(folder, 'metrics.json'))).toBe(false);
    expect(() => encodeJson([1, { deep: [Number.NEGATIVE_INFINITY] }])).toThrow('"0" is -Infinity');
    expect(encodeJson({ a: [1, null, 'x'], b: undefined })).toBe('{"a":[1,null,"x"]}\n');
  });
});

describe('random numbers', () => {
  const draws = ({ rng }: StageContext, purpose: string): number[] => {
    const source = rng(purpose);
    return Array.from({ length: 4 }, () => source.uint32());
  };
  it('are the same for the same seed, task and purpose, and for no other', async () => {
    const first = draws(await context(), 'shuffle');
    expect(draws(await context(), 'shuffle')).toEqual(first);
    for (const other of [
      draws(await context(), 'dropout'),
      draws(await context({ seed: 43 }), 'shuffle'),
      draws(await context({ task: 'test.stage/fold 2' }), 'shuffle'),
    ])
      expect(other).not.toEqual(first);
  });

  it('begin again with each call', async () => {
    const made = await context();
    expect(draws(made, 'shuffle')).toEqual(draws(made, 'shuffle'));
  });
});

describe('checkpoints, scratch and stopping', () => {
  it('keep what was saved last, and have nothing at first', async () => {
    const { checkpoint } = await context();
    expect(await checkpoint.load()).toBeUndefined();
    await checkpoint.save(Uint8Array.of(1));
    await checkpoint.save(Uint8Array.of(2, 3));
    expect([...((await checkpoint.load()) ?? [])]).toEqual([2, 3]);
  });

  it('make a folder for spilling when it is asked for, not before', async () => {
    const { scratch, folder } = await context();
    expect(existsSync(path.join(folder, 'scratch'))).toBe(false);
    const first = await scratch();
    expect(existsSync(first)).toBe(true);
    expect(await scratch()).toBe(first);
  });

  it('throw an interruption once the run stops', async () => {
    let stopped = false;
    const { throwIfCancelled, cancelled } = await context({ cancelled: () => stopped });
    throwIfCancelled();
    stopped = true;
    expect(cancelled()).toBe(true);
    expect(throwIfCancelled).toThrow(expect.objectContaining({ code: 'interrupted' }));
  });

  it('count progress in steps unless told otherwise', async () => {
    const seen: unknown[] = [];
    const { progress } = await context({ progress: (...all) => seen.push(all) });
    progress(1, 2);
    progress(2, 2, 'epochs');
    expect(seen).toEqual([
      [1, 2, 'steps'],
      [2, 2, 'epochs'],
    ]);
  });
});
