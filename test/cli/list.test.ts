import { describe, expect, test } from 'vitest';
import { list } from '../../src/cli/list.ts';
import { errorOf, stages } from '../experiment/support.ts';
import { recordedEffects } from './support.ts';

async function printed(args: Parameters<typeof list>[0]): Promise<string[]> {
  const effects = recordedEffects();
  expect(await list(args, effects, stages)).toBe(0);
  return effects.lines;
}

describe('list', () => {
  test('one line a stage, families together', async () => {
    expect(await printed({})).toEqual([
      'source.trades       Reads trades.',
      'wallets.profile     Features of wallets as of a time.',
      'evaluation.splits   Folds in time order.',
      'evaluation.compare  Compares models.',
      'evaluation.one      Looks at one set of predictions.',
      'train.mtl           A multi-task network.',
    ]);
  });

  test('all of one stage', async () => {
    expect(await printed({ stage: 'wallets.profile' })).toEqual([
      'wallets.profile: Features of wallets as of a time.',
      '',
      'inputs',
      '  trades  table',
      '          Canonical trades.',
      '',
      'parameters',
      '  lookback    text; default "90d"',
      '              How far back features look, as a length of time.',
      '  asOf        map with every; default {}',
      '              When snapshots are taken.',
      '  asOf.every  text; default "1d"',
      '              Distance of snapshots.',
      '',
      'outputs',
      '  profiles  frame',
      '            Features.',
    ]);
    const mtl = await printed({ stage: 'train.mtl' });
    expect(mtl).toContain('engines: auto, wasm, cuda');
    expect(mtl).toContain('  predictions  table, by target, row');
    expect(mtl).toContain('  targets   frame, optional');
    expect(await printed({ stage: 'source.trades' })).toContain('  dataset      text; required');
  });

  test('an unknown stage', async () => {
    expect(await errorOf(Promise.resolve().then(() => list({ stage: 'train.mlt' }, recordedEffects(), stages)))).toBe(
      'there is no stage train.mlt\n  did you mean train.mtl?',
    );
  });

  test('markdown: a section a stage, tables without broken rows', async () => {
    const lines = await printed({ markdown: true });
    for (const name of stages.keys()) {
      expect(lines).toContain(`## ${name}`);
      expect(lines.some((line) => line.startsWith(`| [${name}](#${name.replaceAll('.', '')})`))).toBe(true);
    }
    expect(lines).toContain('| `folds` | whole number from 2 to 50 | `4` | Number of folds. |');
    expect(lines).toContain('| `dataset` | text | required | Name of a dataset description. |');
    for (const [i, line] of lines.entries()) {
      if (!/^\|-/.test(line)) continue;
      const cells = (row: string) => row.split(/(?<!\\)\|/).length;
      for (let j = i - 1; lines[j]?.startsWith('|'); j++) expect(cells(lines[j] as string)).toBe(cells(line));
    }
  });

  test('json: everything, readable by programs', async () => {
    const all = JSON.parse((await printed({ json: true })).join('\n')) as { name: string; parameters: unknown[] }[];
    expect(new Set(all.map((stage) => stage.name))).toEqual(new Set(stages.keys()));
    const [one] = JSON.parse((await printed({ json: true, stage: 'evaluation.splits' })).join('\n')) as typeof all;
    expect(one?.parameters[0]).toEqual({
      name: 'folds',
      type: 'whole number from 2 to 50',
      description: 'Number of folds.',
      required: false,
      default: 4,
    });
  });
});
