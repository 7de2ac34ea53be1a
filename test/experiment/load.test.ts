// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
import { describe, expect, test } from 'vitest';
import type { Experiment } from '../../src/experiment/types.ts';
import { goodExperiment, load } from './support.ts';

const stageOf = (experiment: Experiment, name: string) => {
  const found = experiment.stages.find((stage) => stage.name === name);
  if (found === undefined) throw new Error(`no stage ${name}`);
  return found;
};

describe('loadExperiment', () => {
  test('fills in defaults and connects the stages', async () => {
    const experiment = await load(goodExperiment);
    expect(experiment.seed).toBe(42);
    expect(experiment.stages.map((stage) => stage.name)).toEqual(['trades', 'profiles', 'splits', 'mtl', 'compare']);
    expect(stageOf(experiment, 'mtl')).toEqual({
      name: 'mtl',
      use: 'train.mtl',
      params: {
        hidden: [8, 4],
        epochs: 20,
        learningRate: 0.001,
        dropout: 0.1,
        lossWeights: {},
        optimizer: 'adam',
        schedule: 'constant',
      },
      from: { features: [{ stage: 'profiles', output: 'profiles' }], splits: [{ stage: 'splits', output: 'splits' }] },
      each: 'fold',
      whenMissing: 'stop',
      engine: 'auto',
    });
    expect(stageOf(experiment, 'compare').from).toEqual({ predictions: [{ stage: 'mtl', output: 'predictions' }] });
    expect(experiment.resources).toEqual({ device: 'auto' });
    expect(experiment.onError).toBe('continue');
  });

  test('is frozen all the way down', async () => {
    const experiment = await load(goodExperiment);
    const hidden = stageOf(experiment, 'mtl').params['hidden'] as number[];
    expect(() => hidden.push(1)).toThrow(TypeError);
    expect(Object.isFrozen(stageOf(experiment, 'mtl').from)).toBe(true);
  });

  test('orders producers before consumers, otherwise as in the file', async () => {
    const lines = goodExperiment.split('\n');
    const compare = lines.findIndex((line) => line.includes('compare:'));
    const moved = [...lines.slice(0, 2), lines[compare], ...lines.slice(2, compare)].join('\n');
    const experiment = await load(moved);
    expect(experiment.stages.map((stage) => stage.name)).toEqual(['trades', 'profiles', 'splits', 'mtl', 'compare']);
  });

  test('remembers where values come from', async () => {
    const { origins } = await load(goodExperiment.replace('folds: 3', 'folds: "${env:FOLDS,5}"'), {
      overrides: ['mtl.epochs=3', 'seed=7'],
    });
    expect(origins.get('stages.mtl.hidden.1')).toEqual({ kind: 'file', file: 'experiment.yaml', line: 10, column: 17 });
    expect(origins.get('stages.mtl.epochs')).toEqual({ kind: 'override', index: 1, text: 'mtl.epochs=3' });
    expect(origins.get('stages.mtl.learningRate')).toEqual({ kind: 'default', stage: 'train.mtl' });
    expect(origins.get('seed')).toEqual({ kind: 'override', index: 2, text: 'seed=7' });
    expect(origins.get('onError')).toEqual({ kind: 'default' });
    expect(origins.get('stages.splits.folds')).toMatchObject({ kind: 'env', name: 'FOLDS', fellBack: true });
    expect(origins.get('stages.profiles.asOf.every')).toEqual({ kind: 'default', stage: 'wallets.profile' });
  });
});
