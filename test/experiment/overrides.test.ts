// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { plainScalar } from '../../src/experiment/parse.ts';
import type { Experiment } from '../../src/experiment/types.ts';
import { errorOf, goodExperiment, load } from './support.ts';

const mtlOf = (experiment: Experiment) =>
  experiment.stages.find((stage) => stage.name === 'mtl')?.params as Record<string, unknown>;
const overridden = async (...overrides: string[]) => load(goodExperiment, { overrides });

describe('overrides', () => {
  test.each([
    ['mtl.epochs=5', { epochs: 5 }],
    ['stages.mtl.epochs=0x10', { epochs: 16 }],
    ['mtl.learningRate=1e-4', { learningRate: 1e-4 }],
    ['mtl.hidden=[1, 2]', { hidden: [1, 2] }],
    ['mtl.hidden.1=9', { hidden: [8, 9] }],
    ['+mtl.lossWeights={risk: 2, bot: 0.5}', { lossWeights: { risk: 2, bot: 0.5 } }],
    ['+mtl.lossWeights.risk=2', { lossWeights: { risk: 2 } }],
    ['++mtl.lossWeights.risk=2', { lossWeights: { risk: 2 } }],
    ['++mtl.hidden=[3]', { hidden: [3] }],
    ['~mtl.hidden', { hidden: [64, 32] }],
    ['mtl.schedule={plateau: {factor: 0.1}}', { schedule: { plateau: { factor: 0.1 } } }],
    ['mtl.optimizer="sgd"', { optimizer: 'sgd' }],
  ])('%s', async (override, expected) => {
    expect(mtlOf(await overridden(override))).toMatchObject(expected);
  });

  test('the last one wins', async () => {
    expect(mtlOf(await overridden('mtl.epochs=5', 'mtl.epochs=6'))).toMatchObject({ epochs: 6 });
  });

  test('reach references: what refers to a changed key changes with it', async () => {
    const text = goodExperiment.replace('folds: 3', "folds: '${mtl.epochs}'");
    const experiment = await load(text, { overrides: ['mtl.epochs=7'] });
    expect(experiment.stages.find((stage) => stage.name === 'splits')?.params).toMatchObject({ folds: 7 });
  });

  test('text needs no quotes, whatever stands in it', async () => {
    const experiment = await overridden('question=Is it: #1? {yes}', 'about=*all', 'title= a b ');
    expect(experiment.question).toBe('Is it: #1? {yes}');
    expect(experiment.about).toBe('*all');
    expect(experiment.title).toBe('a b');
  });

  test('values may contain an equals sign', async () => {
    expect((await overridden('title=a=b')).title).toBe('a=b');
  });

  test('a stage can be added and removed', async () => {
    const experiment = await overridden(
      '+extra={use: source.trades, dataset: x}'.replace('extra', 'stages.extra'),
      '~compare',
    );
    expect(experiment.stages.map((stage) => stage.name)).toEqual(['trades', 'profiles', 'splits', 'mtl', 'extra']);
  });

  test('an axis with dots in its name can be changed', async () => {
    const sweep = `sweep:
  stage: mtl
  metric: { name: validation.score, goal: maximize }
  space: { lossWeights.risk: { uniform: [0, 1] } }
  sampler: { use: random, trials: 4 }
`;
    const experiment = await load(goodExperiment + sweep, {
      overrides: [
        'sweep.space.lossWeights.risk={choice: [1, 2]}',
        '+sweep.space.lossWeights.bot={uniform: [0, 1]}',
        'sweep.sampler.trials=8',
        'sweep.replicates=2',
      ],
    });
    expect(experiment.sweep?.space).toEqual([
      { path: 'lossWeights.risk', distribution: { kind: 'choice', values: [1, 2] } },
      { path: 'lossWeights.bot', distribution: { kind: 'uniform', low: 0, high: 1 } },
    ]);
    expect(experiment.sweep).toMatchObject({ sampler: { use: 'random', trials: 8 }, replicates: 2 });
  });

  test('an override at the place of a value says the same as the value in the file', async () => {
    const value = fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom('1e3', '0o17', '12', '+7', '3.0'));
    await fc.assert(
      fc.asyncProperty(value, async (epochs) => {
        const text = goodExperiment.replace('hidden: [8, 4]', `epochs: ${epochs}`);
        const inFile = await load(text);
        expect(mtlOf(await overridden(`mtl.epochs=${epochs}`))['epochs']).toBe(mtlOf(inFile)['epochs']);
      }),
      { numRuns: 30 },
    );
  });

  test('changing what a second override adds fails, adding it first works', async () => {
    expect(await errorOf(overridden('sweep.space.dropout={choice: [0.1]}'))).toContain('+sweep.space.dropout');
    expect(await errorOf(overridden('mtl.lossWeights.risk=1'))).toContain('to add a key that is not in the file: +mtl');
  });
});

describe('plainScalar', () => {
  test('agrees with YAML 1.2 on every word without syntax of its own', () => {
    const word = fc.oneof(
      fc.stringMatching(/^[-+]?[0-9.]{1,6}(?:[eE][-+]?[0-9]{1,2})?$/),
      fc.stringMatching(/^0[ox][0-9a-fA-F]{1,6}$/),
      fc.stringMatching(/^[A-Za-z~.][A-Za-z0-9_.]{0,8}$/),
      fc.constantFrom(
        'yes',
        'on',
        'NO',
        'null',
        'Null',
        '~',
        'true',
        'TRUE',
        'False',
        '12:30:00',
        '1e-4',
        '.5',
        '5.',
        '-0',
        '.inf',
        '-.INF',
        '.nan',
        '007',
        '1_000',
      ),
    );
    fc.assert(
      fc.property(word, (text) => text === '...' || Object.is(plainScalar(text), parse(text))),
      { numRuns: 2000 },
    );
  });
});
