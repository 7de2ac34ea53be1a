import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataApiColumns } from '../../../src/markets/polymarket/data-api.ts';
import { polyDataTradeColumns } from '../../../src/markets/polymarket/poly-data.ts';
import { readDataset } from '../../../src/tables/dataset.ts';

describe('descriptions of the Polymarket formats', () => {
  it.each([
    ['polymarket-data-api-day', dataApiColumns],
    ['polymarket-poly-data-v1', polyDataTradeColumns],
  ])('%s lists the columns that the importer expects', async (name, columns) => {
    const dataset = await readDataset(path.resolve(import.meta.dirname, `../../../datasets/${name}.yaml`));
    expect(dataset.name).toBe(name);
    expect(dataset.columns?.map((column) => column.name)).toEqual([...columns]);
  });
});
