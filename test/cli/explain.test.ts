// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments

import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { explain as explainCommand, explainKey } from '../../src/cli/explain.ts';
import { errorOf, goodExperiment, load, stages } from '../experiment/support.ts';
import { recordedEffects } from './support.ts';

const sweep = `sweep:
  stage: mtl
  metric: { name: validation.score, goal: maximize }
  space: { learningRate: { loguniform: [1e-4, 1e-2] }, lossWeights.risk: { uniform: [0, 1] } }
  sampler: { use: random, trials: 4 }
`;
const explain = async (key: string, options: Parameters<typeof load>[1] = {}) =>
  explainKey(await load(goodExperiment + sweep, options), key, stages);

describe('explain', () => {
  test('reads the file it is given', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'fathom-explain-'));
    await writeFile(path.join(folder, 'e.yaml'), goodExperiment);
    const effects = recordedEffects(folder);
    expect(await explainCommand({ experiment: 'e.yaml', overrides: ['seed=1'], key: 'seed' }, effects, stages)).toBe(0);
    expect(effects.lines.slice(0, 2)).toEqual(['seed', '  value    1']);
  });

  test('a parameter nobody set', async () => {
    expect(await explain('mtl.dropout')).toEqual([
      'mtl.dropout',
      '  value    0.1',
      '  from     default of train.mtl',
      '  meaning  Part of the units left out in training.',
      '  type     number, 0 or more and below 1',
      '  default  0.1',
    ]);
  });

  test('a list in the file, an override, a reference, the environment', async () => {
    expect(await explain('mtl.hidden')).toContain('  from     experiment.yaml:10:14');
    expect(await explain('stages.mtl.epochs', { overrides: ['mtl.epochs=3'] })).toContain(
      '  from     override 1 (mtl.epochs=3)',
    );
    expect(await explain('seed', { overrides: ['seed=${splits.folds}'] })).toContain(
      '  from     ${stages.splits.folds} at override 1 (seed=${splits.folds})',
    );
    expect(await explain('seed', { overrides: ['seed=${env:S,4}'] })).toContain(
      '  from     ${env:S}, not set: its default at override 1 (seed=${env:S,4})',
    );
  });

  test('a swept parameter says so', async () => {
    expect(await explain('mtl.learningRate')).toContain(
      '  swept    loguniform from 0.0001 to 0.01; the sweep takes the place of the value',
    );
  });

  test('keys of the experiment itself', async () => {
    expect(await explain('seed')).toEqual([
      'seed',
      '  value    42',
      '  from     default',
      '  meaning  All random numbers follow from it.',
      '  type     whole number, 0 or more',
      '  default  42',
    ]);
    expect(await explain('title')).toContain('  value    not set');
    expect(await explain('sweep.space.lossWeights.risk.uniform')).toContain('  value    [0,1]');
  });

  test('inputs and common keys of a stage', async () => {
    expect(await explain('mtl.from.features')).toContain('  value    "profiles.profiles"');
    expect(await explain('mtl.from.features')).toContain('  meaning  Features. (frame)');
    expect(await explain('mtl.each')).toContain('  value    "fold"');
    expect(await explain('mtl.engine')).toContain('  value    "auto"');
  });

  test('a stage as a whole', async () => {
    expect(await explain('splits')).toEqual([
      'splits.use          "evaluation.splits"  experiment.yaml:5:18',
      'splits.from.table   "profiles.profiles"  experiment.yaml:5:52',
      'splits.whenMissing  "stop"               default of evaluation.splits',
      'splits.folds        3                    experiment.yaml:5:71',
      'splits.purge        "30d"                default of evaluation.splits',
    ]);
  });

  test('a key that is not there', async () => {
    expect(await errorOf(explain('mtl.dropuot'))).toBe(
      'the experiment has no mtl.dropuot\n  did you mean mtl.dropout?',
    );
    expect(await errorOf(explain('splitts'))).toContain('did you mean splits?');
  });
});
