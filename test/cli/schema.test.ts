// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of experiments
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { schema } from '../../src/cli/schema.ts';
import { violations } from '../experiment/json-schema-check.ts';
import { goodExperiment, stages } from '../experiment/support.ts';
import { recordedEffects } from './support.ts';

const effects = recordedEffects();
await schema({}, effects, stages);
const made = JSON.parse(effects.text()) as Record<string, unknown>;
const check = (yaml: string) => violations(made, parse(yaml));

describe('schema', () => {
  test('is of the 2020-12 draft and takes a good experiment', () => {
    expect(made['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(check(goodExperiment)).toEqual([]);
  });

  test('takes references anywhere, and a file on a base that leaves things out', () => {
    expect(
      check(
        goodExperiment.replace(
          '[8, 4]',
          "['${seed}', 4]\n    dropout: ${env:D,0.1}\n    schedule: { plateau: '${x.y}' }",
        ),
      ),
    ).toEqual([]);
    expect(check('base: a.yaml\nstages: { mtl: { use: train.mtl }, splits: { folds: 3 } }')).toEqual([]);
  });

  test('takes sweeps', () => {
    const sweep = (space: string, sampler = '{ use: sobol, trials: 8 }') =>
      check(
        `${goodExperiment}sweep: { stage: mtl, metric: { name: a, goal: minimize }, space: ${space}, sampler: ${sampler} }`,
      );
    expect(sweep('{ a: { loguniform: [1, 2], steps: 3 }, b.c: { choice: [[1], x] } }')).toEqual([]);
    expect(sweep('{ a: { choice: [1] } }', '{ use: grid }')).toEqual([]);
    expect(sweep('{ a: { normal: [1, 2] } }')).not.toEqual([]);
    expect(sweep('{ a: { uniform: [1] } }')).not.toEqual([]);
    expect(sweep('{ a: { choice: [1] } }', '{ use: tpe, trials: 1 }')).not.toEqual([]);
  });

  test.each([
    'unknown-root-key',
    'unknown-parameter',
    'unknown-nested-key',
    'wrong-type',
    'missing',
    'unknown-stage',
    'engine',
    'union',
    'each',
  ])('finds the fault of %s', (name) => {
    const file = path.join(import.meta.dirname, '../experiment/golden', name, 'experiment.yaml');
    expect(check(readFileSync(file, 'utf8'))).not.toEqual([]);
  });

  test('describes parameters where editors look', () => {
    const defs = made['$defs'] as Record<string, { properties: Record<string, Record<string, unknown>> }>;
    expect((defs['train.mtl'] as (typeof defs)[string]).properties['epochs']).toMatchObject({
      description: 'Passes over the training rows.',
      default: 20,
    });
  });
});

const shipped = path.resolve(import.meta.dirname, '../../experiments');
const files = existsSync(shipped) ? readdirSync(shipped).filter((file) => file.endsWith('.yaml')) : [];

describe.skipIf(files.length === 0)('experiments that ship', () => {
  test.each(files.length === 0 ? ['none'] : files)('%s fits the schema of the real stages', async (file) => {
    const { loadRegistry } = await import('../../src/stages/registry.ts');
    const real = recordedEffects();
    await schema({}, real, await loadRegistry({}));
    expect(violations(JSON.parse(real.text()), parse(readFileSync(path.join(shipped, file), 'utf8')))).toEqual([]);
  });
});
