import { beforeAll, describe, expect, it } from 'vitest';
import definition from '../../src/stages/features-trades.ts';
import run from '../../src/stages/run/features-trades.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { tradeColumns } from '../../src/wallets/trade-features/columns.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';
import { makeWorld, writeWorld } from '../support/world.ts';

const world = makeWorld({ seed: 9, wallets: 10, markets: 8, trades: 600, days: 10 });
const params = { horizon: '12h', tolerance: '6h', sampleRows: 400 };

describe('features.trades', () => {
  let inputs: Record<string, string[]>;
  let result: StageResult;
  beforeAll(async () => {
    const files = await writeWorld(world, await temporaryFolder());
    inputs = { trades: [files.trades], markets: [files.markets], resolutions: [files.resolutions] };
    result = await runStage(definition, run, { params, inputs });
  });

  it('writes a table with the roles that frames and splits read, and accounts for every fill', async () => {
    const { rows, columns } = await readParquet(result.path('table'));
    expect(columns).toEqual(tradeColumns);
    expect(columns?.filter(({ role }) => role !== 'info' && role !== 'feature').map(({ role }) => role)).toEqual([
      'id',
      'time',
      'group',
      'labelEnd',
      'label',
      'label',
    ]);
    const { scalars } = await result.metrics();
    const count = (name: string): number => scalars[name] as number;
    expect(count('rows')).toBe(rows.length);
    expect(count('rows') + count('fills.withoutToken') + count('fills.afterOutcome')).toBe(400);
    expect(count('rows.labelled') + count('rows.beyondData') + count('rows.withoutPriceAtHorizon')).toBe(rows.length);
    expect(count('rows.labelled')).toBe(rows.filter((row) => row['netMove'] !== null).length);
    expect(Math.min(count('rows.labelled'), count('rows.beyondData'), count('fills.afterOutcome'))).toBeGreaterThan(0);
    const profitable = rows.filter((row) => row['profitable'] === 1).length;
    expect(scalars['share.profitable']).toBe(profitable / count('rows.labelled'));
    expect(count('missing.sizeZ')).toBe(rows.filter((row) => row['sizeZ'] === null).length);
    const order = rows.map((row) => Number(row['seq']));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('gives the same bytes with one and two threads, and others with another seed', async () => {
    const again = await runStage(definition, run, { params, inputs, threads: 1 });
    expect(Buffer.compare(await again.bytes('table'), await result.bytes('table'))).toBe(0);
    const other = await runStage(definition, run, { params, inputs, seed: 43 });
    expect(Buffer.compare(await other.bytes('table'), await result.bytes('table'))).not.toBe(0);
  });
});
