import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { merge } from '../../src/experiment/compose.ts';
import { parseFile } from '../../src/experiment/parse.ts';
import { Problems } from '../../src/experiment/problems.ts';
import { type Plain, type Tree, toPlain } from '../../src/experiment/tree.ts';
import { goodExperiment, load } from './support.ts';

function treeOf(value: unknown): Tree {
  const tree = parseFile('a.yaml', JSON.stringify(value), new Problems());
  if (tree === undefined) throw new Error('not YAML');
  return tree;
}

const merged = (...values: unknown[]): Plain => toPlain(values.map(treeOf).reduce((a, b) => merge(a, b)));

/** Maps in which a key always holds the same kind of value: where a map meets a number, the order of merging counts. */
const plain = fc.letrec((tie) => ({
  map: fc.record(
    {
      a: fc.integer(),
      b: fc.oneof(fc.string({ unit: 'grapheme-ascii', maxLength: 3 }), fc.array(fc.integer(), { maxLength: 3 })),
      m: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant({}), tie('map')),
      stages: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant({}), tie('map')),
    },
    { requiredKeys: [] },
  ),
})).map;

describe('merge', () => {
  test('is associative, has the empty map as its neutral element, and keeps what comes last', () => {
    fc.assert(
      fc.property(plain, plain, plain, (a, b, c) => {
        expect(toPlain(merge(merge(treeOf(a), treeOf(b)), treeOf(c)))).toEqual(
          toPlain(merge(treeOf(a), merge(treeOf(b), treeOf(c)))),
        );
        expect(merged(a, {})).toEqual(a);
        expect(merged({}, a)).toEqual(a);
        expect(merged(a, a)).toEqual(a);
      }),
    );
  });

  test('lists are replaced and maps are merged', () => {
    expect(merged({ a: [1, 2, 3], m: { x: 1, y: 2 } }, { a: [9], m: { y: 3 } })).toEqual({ a: [9], m: { x: 1, y: 3 } });
  });

  test('an axis of a search space is replaced', () => {
    const base = { sweep: { space: { rate: { uniform: [0, 1], step: 0.1 }, other: { choice: [1] } } } };
    expect(merged(base, { sweep: { space: { rate: { choice: [5] } } } })).toEqual({
      sweep: { space: { rate: { choice: [5] }, other: { choice: [1] } } },
    });
  });

  test('where use changes, parameters go and wiring stays', () => {
    const base = { stages: { m: { use: 'a.b', from: { x: 'y' }, each: 'fold', epochs: 3, engine: 'cuda' } } };
    expect(merged(base, { stages: { m: { use: 'a.c', rounds: 4 } } })).toEqual({
      stages: { m: { use: 'a.c', from: { x: 'y' }, each: 'fold', rounds: 4 } },
    });
    expect(
      merged({ sweep: { sampler: { use: 'sobol', trials: 8 } } }, { sweep: { sampler: { use: 'grid' } } }),
    ).toEqual({
      sweep: { sampler: { use: 'grid' } },
    });
  });
});

describe('base', () => {
  test('later files win, and each value remembers its own', async () => {
    const experiment = await load({
      'experiment.yaml': 'base: [bases/a.yaml, bases/b.yaml]\nname: top\nstages: { mtl: { epochs: 9 } }\n',
      'bases/a.yaml': 'base: ../common.yaml\nseed: 1\nstages: { mtl: { epochs: 7, dropout: 0.3 } }\n',
      'bases/b.yaml': 'seed: 2\n',
      'common.yaml': goodExperiment,
    });
    expect(experiment.name).toBe('top');
    expect(experiment.seed).toBe(2);
    expect(experiment.files).toEqual(['common.yaml', 'bases/a.yaml', 'bases/b.yaml', 'experiment.yaml']);
    const mtl = experiment.stages.find((stage) => stage.name === 'mtl');
    expect(mtl?.params).toMatchObject({ epochs: 9, dropout: 0.3, hidden: [8, 4] });
    expect(experiment.origins.get('stages.mtl.dropout')).toMatchObject({ file: 'bases/a.yaml', line: 3 });
    expect(experiment.origins.get('stages.mtl.hidden.0')).toMatchObject({ file: 'common.yaml' });
  });

  test('two bases may share a third', async () => {
    const experiment = await load({
      'experiment.yaml': 'base: [a.yaml, b.yaml]\n',
      'a.yaml': 'base: common.yaml\nseed: 5\n',
      'b.yaml': 'base: common.yaml\ntitle: B\n',
      'common.yaml': `seed: 1\n${goodExperiment}`,
    });
    // b brings the seed of common again, after a.
    expect(experiment.seed).toBe(1);
    expect(experiment.title).toBe('B');
  });
});
