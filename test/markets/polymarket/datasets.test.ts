import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { activityFields } from '../../../src/markets/activity/rows.ts';
import { clobColumns } from '../../../src/markets/polymarket/clob.ts';
import { dataApiColumns } from '../../../src/markets/polymarket/data-api.ts';
import { dataApiTradeFields } from '../../../src/markets/polymarket/data-api-trades.ts';
import { logColumns } from '../../../src/markets/polymarket/logs.ts';
import { orderFilledColumns } from '../../../src/markets/polymarket/order-filled.ts';
import { polyDataMarketColumns, polyDataTradeColumns } from '../../../src/markets/polymarket/poly-data.ts';
import { snapshotFields } from '../../../src/markets/snapshots/rows.ts';
import { readDataset } from '../../../src/tables/dataset.ts';

const root = path.resolve(import.meta.dirname, '../../..');

describe('descriptions of the Polymarket formats', () => {
  it.each([
    ['polymarket-data-api-day', dataApiColumns],
    ['polymarket-poly-data-v1', polyDataTradeColumns],
    ['polymarket-poly-data-v1-markets', polyDataMarketColumns],
    ['polymarket-order-filled', orderFilledColumns],
    ['polymarket-exchange-logs', logColumns],
    ['polymarket-clob-markets', clobColumns],
    ['polymarket-data-api-trades', dataApiTradeFields],
    ['polymarket-data-api-activity', activityFields],
    ['polymarket-data-api-positions', snapshotFields.positions],
    ['polymarket-data-api-leaderboard', snapshotFields.leaderboard],
  ])('%s lists the columns that the importer expects', async (name, columns) => {
    const dataset = await readDataset(path.join(root, `datasets/${name}.yaml`));
    expect(dataset.name).toBe(name);
    // Fields of JSON have no order.
    const names = dataset.columns?.map((column) => column.name);
    if (dataset.format === 'csv') expect(names).toEqual([...columns]);
    else expect(new Set(names)).toEqual(new Set(columns));
  });

  it('polymarket-gamma-markets lists the fields that the reader names', async () => {
    const dataset = await readDataset(path.join(root, 'datasets/polymarket-gamma-markets.yaml'));
    const reader = await readFile(path.join(root, 'src/markets/polymarket/gamma.ts'), 'utf8');
    const read = new Set(
      [...reader.matchAll(/\b(?:raw|market)\['(\w+)'\]|\btimes\.of\('(\w+)'\)/g)].map((match) => match[1] ?? match[2]),
    );
    // Fields of an event, of an envelope, and the other name of a question.
    for (const other of ['startDate', 'endDate', 'title']) read.delete(other);
    expect(new Set(dataset.columns?.map((column) => column.name))).toEqual(read);
  });
});
