import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/experiment/types.ts';
import { type Availability, placeStages, readyLevel } from '../../src/plan/nodes.ts';
import { allThere, definitions, experiment, stage, sweptExperiment } from './fake.ts';

const reason = 'nolib is not here';
const fix = 'install nolib';

function place(
  made: Experiment,
  missing: readonly string[] = [],
): ReturnType<typeof placeStages> & { levels: Record<string, number> } {
  const placed = placeStages(
    made,
    definitions,
    (one): Availability =>
      missing.includes(one.name) ? { missing: { reason, fix } } : { engine: null, version: null },
  );
  return { ...placed, levels: Object.fromEntries(placed.nodes.map((node) => [node.stage.name, node.level])) };
}

describe('levels', () => {
  it('put a stage one round after the last of its inputs', () => {
    const made = experiment([
      stage('a', 'source'),
      stage('b', 'use', { from: { one: 'a' } }),
      stage('c', 'use', { from: { one: 'a', more: 'b' } }),
      stage('d', 'source'),
    ]);
    expect(place(made).levels).toEqual({ a: 0, b: 1, c: 2, d: 0 });
  });

  it('give a swept stage two rounds, its trials and its refit', () => {
    const { nodes, levels } = place(sweptExperiment([1, 2]));
    expect(levels).toEqual({ data: 0, splits: 0, fit: 1, answer: 3 });
    expect(nodes.map(readyLevel)).toEqual([0, 0, 2, 3]);
    expect(nodes.map((node) => node.swept)).toEqual([false, false, true, false]);
  });
});

describe('folds and shards', () => {
  it('are counted by the input that makes them', () => {
    const { nodes } = place(
      experiment([
        stage('splits', 'folds', { params: { folds: 5 } }),
        stage('fit', 'fit', { from: { splits: 'splits.splits' }, each: 'fold' }),
      ]),
    );
    expect(nodes[1]).toMatchObject({ folds: 5, shards: undefined });
  });

  it('are inherited from a stage that fans out itself', () => {
    const { nodes } = place(
      experiment([
        stage('splits', 'shards', { params: { shards: 3 } }),
        stage('fit', 'fit', { from: { splits: 'splits.splits' }, each: 'shard' }),
        stage('next', 'use', { from: { one: 'fit' }, each: 'shard' }),
      ]),
    );
    expect(nodes.map((node) => node.shards)).toEqual([undefined, 3, 3]);
  });

  it('are refused where nothing makes them', () => {
    const made = experiment([stage('a', 'source'), stage('b', 'use', { from: { one: 'a' }, each: 'fold' })]);
    expect(() => place(made)).toThrow('stage "b" says each: fold, but none of its inputs makes folds');
  });
});

describe('what is missing', () => {
  const skip = { whenMissing: 'skip' } as const;

  it('stops the plan with reason and fix, unless the experiment says skip', () => {
    const made = experiment([stage('a', 'source'), stage('b', 'source')]);
    expect(() => place(made, ['b'])).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: `stage "b" (source): ${reason}`,
        hint: `${fix}; or set b.whenMissing=skip to run without it`,
      }),
    );
  });

  it('takes along whatever cannot do without it, and theirs', () => {
    const made = experiment([
      stage('a', 'source', skip),
      stage('b', 'use', { from: { one: 'a' } }),
      stage('c', 'compare', { from: { parts: 'b' } }),
      stage('d', 'source'),
    ]);
    const { levels, absent } = place(made, ['a']);
    expect(levels).toEqual({ d: 0 });
    expect(absent).toEqual([
      { stage: 'a', use: 'source', reason, fix },
      { stage: 'b', use: 'use', reason: 'needs "a", which is absent', fix },
      { stage: 'c', use: 'compare', reason: 'needs "b", which is absent', fix },
    ]);
  });

  it('drops out of a list that has others', () => {
    const made = experiment([
      stage('a', 'source', skip),
      stage('b', 'source'),
      stage('c', 'compare', { from: { parts: ['a', 'b'] } }),
    ]);
    const { nodes, absent } = place(made, ['a']);
    expect(nodes.at(-1)?.from['parts']?.map(({ source }) => source.stage)).toEqual(['b']);
    expect(absent.map((one) => one.stage)).toEqual(['a']);
  });

  it('leaves an optional input empty', () => {
    const made = experiment([
      stage('a', 'source', skip),
      stage('b', 'source'),
      stage('c', 'use', { from: { one: 'b', more: 'a' } }),
    ]);
    expect(Object.keys(place(made, ['a']).nodes.at(-1)?.from ?? {})).toEqual(['one']);
  });

  it('may be the swept stage: then there is no sweep', () => {
    const made = sweptExperiment([1, 2]);
    const stages = made.stages.map((one) => (one.name === 'fit' ? { ...one, ...skip } : one));
    const { levels, absent } = place({ ...made, stages }, ['fit']);
    expect(levels).toEqual({ data: 0, splits: 0, answer: 1 });
    expect(absent.map((one) => one.stage)).toEqual(['fit']);
  });
});

it('refuses a stage that no registry knows', () => {
  expect(() => placeStages(experiment([stage('a', 'source')]), new Map(), allThere)).toThrow('not in the registry');
});
