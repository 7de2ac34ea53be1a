/** Prices of tokens from some groups of facts: one pass of the kernels over their columns. */
import type { FactColumn } from '../../facts/layout.ts';
import { type GroupOfFile, GroupsAhead, StoredColumns } from '../../facts/stored-columns.ts';
import type { Pointer } from '../../kernels/kernels.ts';
import { Scratch } from '../../kernels/scratch.ts';
import type { JobTools, JobWork } from '../../tables/jobs.ts';
import { type FoundPrices, type PriceSetting, PriceTable } from './price-table.ts';

export type PriceWork = PriceSetting & {
  /** True to read past the system's cache. */
  readonly direct: boolean;
};

const wanted = ['token', 'market', 'time', 'seq', 'usd', 'shares', 'fee', 'flags'] satisfies FactColumn[];

/** Prepares a worker thread. */
export default function openPriceWork(
  work: PriceWork,
  _tools: JobTools,
): Promise<JobWork<readonly GroupOfFile[], FoundPrices>> {
  const ahead = new GroupsAhead();
  return Promise.resolve(async (groups) => {
    const table = new PriceTable(work);
    const columns = new StoredColumns(table.kernels);
    const scratch = new Scratch(table.kernels);
    for await (const bytes of ahead.read(groups, { whole: wanted }, work.direct)) {
      const { rows } = bytes.group;
      columns.take(bytes);
      scratch.begin();
      const numbers = (name: FactColumn): Pointer => {
        const at = scratch.take(8 * rows);
        if (columns.nulls(name) < rows) columns.numbers(name, at);
        return at;
      };
      const presence = (name: FactColumn): Pointer => {
        const at = scratch.take(rows);
        columns.presence(name, at);
        return at;
      };
      const flags = scratch.take(4 * rows);
      columns.places('flags', flags);
      table.count(
        {
          token: numbers('token'),
          market: numbers('market'),
          time: numbers('time'),
          seq: numbers('seq'),
          usd: numbers('usd'),
          shares: numbers('shares'),
          fee: numbers('fee'),
          feePresent: columns.nullable('fee') ? presence('fee') : 0,
          flags,
          meaning: scratch.put(columns.smallNumbers('flags')),
        },
        rows,
      );
    }
    return table.found();
  });
}
