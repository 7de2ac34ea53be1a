/** Trades of the data API, JSON, as rows of an import of fills. */
import path from 'node:path';
import type { Quality } from '../../contract/metrics.ts';
import { type Duck, identifier } from '../../tables/duck.ts';
import { jsonRecords } from '../records/json.ts';
import { jsonLinesSql, writeJsonLines } from '../records/json-lines.ts';
import { Tally } from '../records/tally.ts';
import { fromMillionths } from './checks.ts';
import { copyRows } from './copy-rows.ts';
import { dataApiTrade } from './data-api-trades.ts';

const columns = {
  row: 'BIGINT',
  time: 'BIGINT',
  wallet: 'VARCHAR',
  side: 'VARCHAR',
  token: 'VARCHAR',
  market: 'VARCHAR',
  event: 'VARCHAR',
  title: 'VARCHAR',
  slug: 'VARCHAR',
  outcome: 'VARCHAR',
  outcomeIndex: 'INTEGER',
  usd: 'BIGINT',
  shares: 'BIGINT',
  transaction: 'VARCHAR',
} as const;

/** Writes the good rows of one file to `checked`; a token is one outcome of one market, and a row that says otherwise is refused. */
export async function loadDataApiTrades(
  duck: Duck,
  file: string,
  checked: string,
  options: { readonly takersOnly: boolean; readonly maxRejected: number },
): Promise<{ name: string; rowsRead: number; rejected: Quality['rejected']; facts: NonNullable<Quality['facts']> }> {
  const rowsFile = `${checked}.jsonl`;
  const rows = writeJsonLines(rowsFile);
  const tally = new Tally();
  const meanings = new Map<string, string>();
  const contradicts = (token: string, meaning: string): boolean => {
    const known = meanings.get(token);
    if (known === undefined) meanings.set(token, meaning);
    return known !== undefined && known !== meaning;
  };
  for await (const { line, value } of jsonRecords(file)) {
    const row = tally.rows++;
    const trade = dataApiTrade(value);
    if ('reason' in trade) tally.refuse(trade.reason, line);
    else if (contradicts(trade.token, `${trade.market} ${trade.outcomeIndex} ${trade.outcome}`))
      tally.refuse('asset: another outcome or market in an earlier row', line);
    else await rows.write({ row, ...trade });
  }
  await rows.close();
  const name = path.basename(file);
  const rejected = await tally.rejected({ file, name, lineOf: async (line) => line }, options.maxRejected);
  const all = Object.keys(columns)
    .filter((column) => column !== 'row')
    .map((column) => `coalesce(d.${identifier(column)}::VARCHAR, '')`);
  await copyRows(
    duck,
    `SELECT "row", "row" AS place, NULL::VARCHAR AS reason, true AS "isFill", md5_number(concat_ws(chr(31), ${all.join(', ')})) AS fingerprint,
       make_timestamp(d.time * 1000000) AS time, coalesce(t.market, d.market) AS market,
       coalesce(t.event, d.event, d.market) AS event, title, slug, d.token, coalesce(t.outcome, d.outcome) AS outcome,
       coalesce(t.outcomeIndex, d.outcomeIndex) AS outcomeIndex, wallet, NULL::VARCHAR AS counterparty,
       ${options.takersOnly ? "'taker'" : 'NULL::VARCHAR'} AS role, side, ${fromMillionths('usd')} AS usd,
       ${fromMillionths('shares')} AS shares, NULL::DECIMAL(18, 6) AS fee, NULL::VARCHAR AS "order", "transaction"
     FROM ${jsonLinesSql(rowsFile, columns)} d LEFT JOIN tokens t ON t.token = d.token`,
    checked,
  );
  return { name, rowsRead: tally.rows, rejected, facts: [] };
}
