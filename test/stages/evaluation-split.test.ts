import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import definition from '../../src/stages/evaluation-split.ts';
import run from '../../src/stages/run/evaluation-split.ts';
import { columnNamed, decodeFrame, type Frame, type FrameColumn, textOf, writeFrame } from '../../src/tables/frame.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const day = 86_400_000;
const start = Date.parse('2025-01-01');
const wallets = 12;
const dates = 40;

/** A panel of wallets by day with labels that look three days ahead. */
function panel(): Frame {
  const rows = wallets * dates;
  const date = (i: number): number => Math.floor(i / wallets);
  const codes = Int32Array.from({ length: rows }, (_, i) => i % wallets);
  const labels = Array.from({ length: wallets }, (_, w) => `0x${w}`);
  const numbers = (f: (i: number) => number): Float64Array => Float64Array.from({ length: rows }, (_, i) => f(i));
  return {
    rows,
    columns: [
      { name: 'wallet', role: 'id', type: 'category', labels, codes },
      { name: 'owner', role: 'group', type: 'category', labels, codes },
      { name: 'asOf', role: 'time', type: 'number', values: numbers((i) => start + date(i) * day) },
      { name: 'labelEnd', role: 'labelEnd', type: 'number', values: numbers((i) => start + (date(i) + 3) * day) },
      { name: 'volume', role: 'feature', type: 'number', values: numbers((i) => i) },
      { name: 'class', role: 'label', type: 'number', values: numbers((i) => (i % 4 === 0 ? 1 : 0)) },
    ],
  };
}

let features: string;
beforeAll(async () => {
  features = path.join(await temporaryFolder(), 'features.arrow');
  await writeFrame(features, panel());
});

describe('evaluation.split', () => {
  it('says how many folds it makes', () => {
    expect(definition.elements?.(definition.params.parse({ folds: 7 }))).toEqual({ fold: 7 });
  });

  it('tests every choice of blocks, and names the paths they make', async () => {
    const params = { scheme: 'combinatorial-purged', folds: 5, testBlocks: 2, validationFraction: 0 };
    expect(definition.elements?.(definition.params.parse(params))).toEqual({ fold: 10 });
    const result = await runStage(definition, run, { params, inputs: { features: [features] } });
    expect(decodeFrame(await result.bytes('splits')).columns).toHaveLength(10);
    const { checks = [], scalars } = await result.metrics();
    expect(scalars['folds']).toBe(10);
    expect(checks.find(({ name }) => name === 'Label overlap')?.verdict).toBe('pass');
    const paths = (await result.figures()).find(({ id }) => id === 'paths-table');
    expect(paths?.title).toBe('The tests make 4 whole paths through time');
  });

  it('fails a frame in which a feature is the target', async () => {
    const frame = panel();
    const copy = columnNamed(frame, 'class') as Extract<FrameColumn, { type: 'number' }>;
    const file = path.join(await temporaryFolder(), 'leaking.arrow');
    await writeFrame(file, { ...frame, columns: [...frame.columns, { ...copy, name: 'later', role: 'feature' }] });
    const { checks = [] } = await (
      await runStage(definition, run, { params: { folds: 3 }, inputs: { features: [file] } })
    ).metrics();
    const check = checks.find(({ name }) => name === 'Target in features');
    expect(check).toMatchObject({ verdict: 'fail', detail: expect.stringContaining('later tells class') });
  });

  it('walks forward over a panel without a leak', async () => {
    const result = await runStage(definition, run, { params: { folds: 3 }, inputs: { features: [features] } });
    const splits = decodeFrame(await result.bytes('splits'));
    expect(splits.rows).toBe(wallets * dates);
    expect(splits.columns.map((c) => [c.name, c.role, c.type])).toEqual([
      ['fold0', 'info', 'category'],
      ['fold1', 'info', 'category'],
      ['fold2', 'info', 'category'],
    ]);
    const fold0 = columnNamed(splits, 'fold0');
    expect(fold0.type === 'category' && fold0.labels).toEqual(['none', 'train', 'validation', 'test', 'purged']);
    // Four blocks of ten days: the first test block is days 10 to 19, labels of days 7 to 9 reach into it.
    // Of the days left the last one, day 6, validates; labels of days 3 to 5 reach into it.
    const setOf = (date: number): string => textOf(fold0, date * wallets);
    expect([0, 2, 3, 5, 6, 7, 9, 10, 19, 20].map(setOf)).toEqual([
      'train',
      'train',
      'purged',
      'purged',
      'validation',
      'purged',
      'purged',
      'test',
      'test',
      'none',
    ]);

    const metrics = await result.metrics();
    expect(metrics.scalars).toMatchObject({ folds: 3, 'fold0.test': 120, 'fold1.test': 120, 'fold2.test': 120 });
    const verdicts = Object.fromEntries((metrics.checks ?? []).map((check) => [check.name, check.verdict]));
    expect(verdicts).toEqual({
      'Time order': 'pass',
      'Label overlap': 'pass',
      'Group overlap': 'undecided',
      Duplicates: 'pass',
      'Empty sets': 'pass',
      'Target in features': 'pass',
    });
    const [timeline, table] = await result.figures();
    expect(timeline).toMatchObject({ kind: 'line', section: 'data', x: { scale: 'time' } });
    expect(timeline?.title).toContain('360 rows are tested');
    const testRow = table?.kind === 'table' ? table.rows.find((row) => row[0] === 0 && row[1] === 'test') : undefined;
    expect(testRow).toEqual([0, 'test', 120, 12, '2025-01-11 00:00', '2025-01-20 00:00', '2025-01-23 00:00']);
  });

  it('gives the same bytes twice, and other folds for another seed', async () => {
    const options = { params: { scheme: 'group-k-fold', folds: 3 }, inputs: { features: [features] } };
    const bytes = await Promise.all(
      [1, 1, 2].map(async (seed) => (await runStage(definition, run, { ...options, seed })).bytes('splits')),
    );
    expect(bytes[0]).toEqual(bytes[1]);
    expect(bytes[0]).not.toEqual(bytes[2]);
  });

  it('says of shuffled folds what they do not promise', async () => {
    const params = { scheme: 'k-fold', folds: 4, label: 'class' };
    const result = await runStage(definition, run, { params, inputs: { features: [features] } });
    const verdicts = Object.fromEntries(((await result.metrics()).checks ?? []).map((c) => [c.name, c.verdict]));
    expect(verdicts).toMatchObject({
      'Time order': 'undecided',
      'Label overlap': 'undecided',
      'Group overlap': 'undecided',
    });
    expect((await result.figures()).map((figure) => figure.kind)).toEqual(['table']);
  });

  it('tests the months that are asked for, after a rolling window', async () => {
    const params = {
      folds: 1,
      boundaries: ['2025-01-21', '2025-01-26'],
      trainSpan: '10d',
      validationFraction: 0,
    };
    const result = await runStage(definition, run, { params, inputs: { features: [features] } });
    const table = (await result.figures()).find((figure) => figure.kind === 'table');
    const row = (set: string): unknown => table?.kind === 'table' && table.rows.find((r) => r[1] === set)?.slice(4, 6);
    expect(row('train')).toEqual(['2025-01-11 00:00', '2025-01-17 00:00']);
    expect(row('test')).toEqual(['2025-01-21 00:00', '2025-01-25 00:00']);
  });

  it.each([
    [{ scheme: 'k-fold', label: 'volume' }, /480 different values/],
    [{ scheme: 'k-fold', trainSpan: '5d' }, /belong to walk-forward/],
    [{ boundaries: ['2025-01-10', '2025-01-20'], folds: 2 }, /2 folds need 3 boundaries/],
    [{ group: 'wolf' }, /no column "wolf"/],
  ])('refuses %j', async (params, message) => {
    await expect(runStage(definition, run, { params, inputs: { features: [features] } })).rejects.toThrow(message);
  });
});
