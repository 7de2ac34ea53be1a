/** Flows as a canonical file, and ledgers as plain rows. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type FlowKind, flowColumns, flowOrder } from '../../../src/markets/flows.ts';
import { copyToParquet, openDuck, quote } from '../../../src/tables/duck.ts';

/** Amounts in whole 1e-6, time in seconds since 1970. */
export interface TestFlow {
  readonly wallet: string;
  readonly time: number;
  readonly market: string | null;
  readonly kind: FlowKind;
  readonly usd: number;
  readonly shares0: number | null;
  readonly shares1: number | null;
}

export async function writeFlows(flows: readonly TestFlow[], folder: string): Promise<string> {
  const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: folder });
  try {
    const json = path.join(folder, 'flows.jsonl');
    await writeFile(json, flows.map((flow) => `${JSON.stringify({ ...flow, transaction: null })}\n`).join(''));
    const money = (name: string): string =>
      `(${name}::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS ${name}`;
    const file = path.join(folder, 'flows.parquet');
    await copyToParquet(
      duck,
      `SELECT wallet, make_timestamp("time"::BIGINT * 1000000) AS "time", market, kind, ${['usd', 'shares0', 'shares1'].map(money).join(', ')}, "transaction"
       FROM read_json(${quote(json)}, format = 'newline_delimited', columns = {wallet: 'VARCHAR', "time": 'BIGINT', market: 'VARCHAR',
         kind: 'VARCHAR', usd: 'BIGINT', shares0: 'BIGINT', shares1: 'BIGINT', "transaction": 'VARCHAR'}) ORDER BY ${flowOrder.map((name) => `"${name}"`).join(', ')}`,
      file,
      flowColumns,
    );
    return file;
  } finally {
    duck.close();
  }
}
