// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
/** Whatever stands in a file, the answer is an experiment or errors a user can act on, never a crash. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FathomErrors, formatError } from '../../src/errors.ts';
import { goodExperiment, load } from './support.ts';

const text = `base: common.yaml
title: "\${about} x"
about: \${name}
${goodExperiment.replace('hidden: [8, 4]', 'hidden: [8, 4]\n    schedule: { plateau: { factor: 0.5 } }')}
sweep:
  stage: mtl
  metric: { name: validation.score, goal: maximize }
  space:
    learningRate: { loguniform: [1e-4, 1e-2], steps: 3 }
    hidden: { choice: [[8], [16, 8]] }
  sampler: { use: grid }
resources: { threads: 2, slurm: { array: { throttle: 4 } } }
report: { answer: compare }
`;

async function loadsOrExplains(source: string, overrides: readonly string[] = []): Promise<void> {
  try {
    await load({ 'experiment.yaml': source, 'common.yaml': 'seed: 3\n' }, { overrides });
  } catch (error) {
    if (!(error instanceof FathomErrors)) throw error;
    expect(error.errors.length).toBeGreaterThan(0);
    for (const one of error.errors) {
      expect(one.code).toBe('experiment');
      expect(one.at?.file).toMatch(/^(experiment\.yaml|common\.yaml|override \d+)$/);
      expect(formatError(one)).not.toMatch(/undefined|\[object|Invalid input/);
    }
  }
}

test('without a change it loads', async () => {
  expect((await load({ 'experiment.yaml': text, 'common.yaml': 'seed: 3\n' })).seed).toBe(3);
});

test('a base named like a method of objects is a file that is not there', async () => {
  await loadsOrExplains(text.replace('common.yaml', 'constructor'));
  await expect(load(text.replace('common.yaml', 'constructor'))).rejects.toThrow(/cannot read the base constructor/);
});

test('pieces cut out or put in', async () => {
  const piece = fc.constantFrom(
    ' ',
    '\n',
    ':',
    '{',
    '}',
    '[',
    ']',
    '${',
    '"',
    '- ',
    '\t',
    '#',
    '*a',
    '&a ',
    'null',
    '~',
    '1e999',
    '__proto__: 1',
    'constructor',
    '!!x',
    '<<',
    'é😀',
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), fc.nat(12), fc.oneof(fc.constant(''), piece), async (at, cut, put) =>
      loadsOrExplains(text.slice(0, at) + put + text.slice(at + cut)),
    ),
    { numRuns: 600 },
  );
});

test('any value in the place of any other', async () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('${seed}', '${stages}', '${mtl.hidden.length}', 'mtl', 'a.b'),
  );
  const key = fc.constantFrom(
    'name',
    'seed',
    'stages',
    'stages.mtl',
    'mtl.use',
    'mtl.from',
    'mtl.from.splits',
    'mtl.each',
    'mtl.engine',
    'mtl.schedule',
    'mtl.lossWeights',
    'splits.folds',
    'compare.from',
    'sweep',
    'sweep.stage',
    'sweep.space',
    'sweep.space.hidden',
    'sweep.sampler',
    'sweep.space.learningRate.loguniform',
    'resources',
    'resources.slurm',
    'resources.time',
    'report',
    'report.answer',
    'onError',
    'stages.constructor',
    'mtl.__proto__',
    'sweep.space.toString',
  );
  await fc.assert(
    fc.asyncProperty(key, value, fc.constantFrom('', '+', '++', '~'), async (k, v, prefix) =>
      loadsOrExplains(text, [prefix === '~' ? `~${k}` : `${prefix}${k}=${JSON.stringify(v)}`]),
    ),
    { numRuns: 600 },
  );
});
