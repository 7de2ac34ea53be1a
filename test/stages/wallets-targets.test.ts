import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TableFigure } from '../../src/contract/figure.ts';
import runProfile from '../../src/stages/run/wallets-profile.ts';
import run from '../../src/stages/run/wallets-targets.ts';
import profileDefinition from '../../src/stages/wallets-profile.ts';
import definition from '../../src/stages/wallets-targets.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { partFile } from '../../src/tables/parquet-files.ts';
import { targets } from '../../src/wallets/targets/columns.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import { makeWorld, writeWorld } from '../support/world.ts';

const DAY = 86_400_000;
const world = makeWorld({ seed: 5, wallets: 30, markets: 20, trades: 1500, days: 50 });
const asOf = { every: '3d', lookback: '15d' };

describe('wallets.targets', () => {
  let inputs: Record<string, string[]>;
  let result: StageResult;
  beforeAll(async () => {
    const files = await writeWorld(world, await temporaryFolder());
    inputs = { trades: [files.trades], markets: [files.markets], resolutions: [files.resolutions] };
    result = await runStage(definition, run, { params: { asOf, minTrades: 3, horizon: '10d' }, inputs });
  });

  it('has the rows of the profiles with the same dates', async () => {
    const profiles = await runStage(profileDefinition, runProfile, { params: { asOf, minTrades: 3 }, inputs });
    const keys = async (r: StageResult): Promise<unknown[]> =>
      (await readParquet(r.path('table'))).rows.map((row) => [row['asOf'], row['wallet']]);
    expect(await keys(result)).toEqual(await keys(profiles));
  });

  it('ends a label when the window or the last resolution used was known, and leaves uncovered windows unlabelled', async () => {
    const { rows, columns } = await readParquet(result.path('table'));
    const last = (world.trades.at(-1)?.time as number) * 1000;
    let later = 0;
    let uncovered = 0;
    for (const row of rows) {
      const end = (row['asOf'] as Date).getTime() + 10 * DAY;
      const labelEnd = (row['labelEnd'] as Date).getTime();
      expect(labelEnd).toBeGreaterThanOrEqual(end);
      if (labelEnd > end) later++;
      if (end > last) {
        uncovered++;
        expect([row['nextEdge'], row['nextVolumeUsd'], row['nextTradeCount']]).toEqual([null, null, null]);
      } else expect(row['nextTradeCount']).not.toBeNull();
      if (row['nextPnlUsd'] !== null) expect(row['nextProfitable']).toBe(Number((row['nextPnlUsd'] as number) > 0));
    }
    expect(later).toBeGreaterThan(0);
    expect(uncovered).toBe((await result.metrics()).scalars['rows.beyondData']);
    expect(uncovered).toBeGreaterThan(0);
    const labels = targets.map(({ name }) => name);
    expect(columns?.map((c) => [c.name, c.role])).toEqual([
      ['wallet', 'id'],
      ['asOf', 'time'],
      ...labels.map((name) => [name, 'label']),
      ['labelEnd', 'labelEnd'],
      ...['windowEnd', 'settledAt', ...labels.map((name) => name.replace('next', 'past'))].map((name) => [
        name,
        'info',
      ]),
    ]);
  });

  it('writes only the families asked for, and waits only for them', async () => {
    const params = { asOf, minTrades: 3, horizon: '10d', families: ['style', 'bot'], baselines: false };
    const some = await runStage(definition, run, { params, inputs });
    const { rows, columns } = await readParquet(some.path('table'));
    const names = targets.filter(({ family }) => ['style', 'bot'].includes(family)).map(({ name }) => name);
    expect(columns?.map((c) => c.name)).toEqual(['wallet', 'asOf', ...names, 'labelEnd']);
    // Leaving families out changes nothing of the others.
    const all = (await readParquet(result.path('table'))).rows;
    expect(rows.map((row) => names.map((name) => row[name]))).toEqual(all.map((row) => names.map((name) => row[name])));
    for (const row of rows)
      expect((row['labelEnd'] as Date).getTime()).toBe((row['asOf'] as Date).getTime() + 10 * DAY);
    const [table] = (await some.figures()) as TableFigure[];
    expect(table?.rows.map(([name]) => name)).toEqual(names);
  });

  it('tells the coverage of every target and how its past predicts it', async () => {
    const { scalars } = await result.metrics();
    const { rows } = await readParquet(result.path('table'));
    for (const { name } of targets) {
      const known = rows.filter((row) => row[name] !== null).length;
      expect(scalars[`coverage.${name}`]).toBe(known / rows.length);
      expect(scalars).toHaveProperty([`baseline.${name}.spearman`]);
    }
    expect(scalars['baseline.nextTradeCount.spearman']).not.toBeNull();
  });

  it('gives the same bytes where the trades are a folder of files', async () => {
    const folder = path.join(await temporaryFolder(), 'trades.parquet');
    await mkdir(folder);
    const [trades] = inputs['trades'] as [string];
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
    try {
      for (const [part, where] of ['seq < 700', 'seq >= 700'].entries())
        await duck.run(
          `COPY (FROM read_parquet(${quote(trades)}) WHERE ${where} ORDER BY seq) TO ${quote(partFile(folder, part))} (FORMAT parquet)`,
        );
    } finally {
      duck.close();
    }
    const again = await runStage(definition, run, {
      params: { asOf, minTrades: 3, horizon: '10d' },
      inputs: { ...inputs, trades: [folder] },
    });
    expect(Buffer.compare(await again.bytes('table'), await result.bytes('table'))).toBe(0);
  });

  it('gives the same bytes with one and two threads', async () => {
    const again = await runStage(definition, run, {
      params: { asOf, minTrades: 3, horizon: '10d' },
      inputs,
      threads: 1,
    });
    expect(Buffer.compare(await again.bytes('table'), await result.bytes('table'))).toBe(0);
  });
});
