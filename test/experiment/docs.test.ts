import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { rootKeys } from '../../src/experiment/overrides.ts';
import { rootSchema, slurmSchema, stageSchema } from '../../src/experiment/schema.ts';
import { distributionKinds } from '../../src/experiment/space.ts';
import { loadRegistry } from '../../src/stages/registry.ts';
import { load } from './support.ts';

const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/experiment.md'), 'utf8');
const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] as string);

describe('docs/experiment.md', () => {
  test('its experiment loads, with its sweep and its overrides', async () => {
    const [experiment, sweep] = blocks as [string, string];
    const stages = await loadRegistry({});
    const overrides = [
      'network.epochs=5',
      '+network.lossWeights.x=2',
      '++network.lossWeights.x=3',
      '~network.epochs',
      'question=Is it: #1?',
    ];
    const loaded = await load(`${experiment}\n${sweep}`, { stages, overrides });
    expect(loaded.sweep?.sampler).toEqual({ use: 'sobol', trials: 32 });
    expect(loaded.question).toBe('Is it: #1?');
  });

  test('names every key there is', () => {
    const keys = [
      ...rootKeys,
      ...Object.keys(rootSchema.shape),
      ...Object.keys(stageSchema.shape),
      ...Object.keys(slurmSchema.shape),
      ...distributionKinds,
    ];
    for (const key of keys) expect(guide).toMatch(new RegExp(`\`[^\`]*\\b${key}\\b[^\`]*\``));
  });
});
