import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { csvColumns } from '../../src/markets/hyperliquid/tables-of-text.ts';
import { readDataset } from '../../src/tables/dataset.ts';

describe('descriptions of the Hyperliquid formats', () => {
  it.each([
    ['hyperliquid-account-fills', csvColumns['account-csv']],
    ['hyperliquid-capture-quotes', csvColumns['capture-quotes']],
    ['hyperliquid-recorded', ['timestamp', 'unix_timestamp', 'data']],
  ])('%s lists the columns that the importer expects', async (name, columns) => {
    const dataset = await readDataset(path.resolve(import.meta.dirname, `../../datasets/${name}.yaml`));
    expect(dataset.name).toBe(name);
    expect(dataset.columns?.map((column) => column.name)).toEqual([...columns]);
  });
});
