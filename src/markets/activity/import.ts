/** Activity of wallets in, canonical trades, flows and markets out, with an account of every row. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { copyToParquet, type Duck, quote } from '../../tables/duck.ts';
import { categoryOf } from '../categories.ts';
import { rejectionFigure, tradeFigures, tradeTotals } from '../describe.ts';
import { flowColumns, flowKinds, flowOrder } from '../flows.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { type ActivityFile, readActivity } from './read.ts';
import { type ActivityFill, type ActivityFlow, type ActivityRow, rowOf } from './rows.ts';

export interface ActivityOptions {
  readonly files: readonly string[];
  readonly duplicates: 'keep' | 'drop-exact';
  readonly maxRejected: number;
}

export interface ActivityPaths {
  readonly trades: string;
  readonly flows: string;
  readonly markets: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Imports activity files. Stops with one `FathomError` if they cannot be trusted. */
export async function importActivity(
  duck: Duck,
  options: ActivityOptions,
  paths: ActivityPaths,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const rows: ActivityRow[] = [];
  const quality: Quality[] = [];
  const seen = new Set<string>();
  const outcomes = new Map<string, string>();
  for (const name of options.files) {
    const file = await readActivity(name);
    const taken = takeRows(file, options, seen, outcomes);
    rows.push(...taken.rows);
    quality.push(taken.quality);
  }
  // The sort is stable: rows of one moment stay in the order in which they happened.
  rows.sort((a, b) => a.time - b.time);
  const fills = rows.filter((row): row is ActivityFill => row.kind === 'fill');
  const flows = rows.filter((row): row is ActivityFlow => row.kind !== 'fill');
  if (fills.length === 0)
    throw new FathomError('data', `${options.files.join(', ')}: there is no trade in the activity`, {
      hint: 'ask the API for type=TRADE too: without fills there is nothing to settle',
    });
  await writeFills(duck, fills, paths);
  await writeFlows(duck, flows, paths);
  await writeMarkets(duck, rows, paths);

  const totals = await tradeTotals(duck, paths.trades);
  const beyond = fills.filter(({ beyondPrice }) => Math.abs(beyondPrice) > 1);
  const sumOf = (kinds: readonly string[]): number =>
    flows.reduce((sum, { kind, usd }) => (kinds.includes(kind) ? sum + usd : sum), 0) / 1e6;
  const refused = quality.reduce((sum, { rowsRead, rowsKept, duplicates }) => {
    const dropped = options.duplicates === 'drop-exact' ? duplicates.count : 0;
    return sum + rowsRead - rowsKept - dropped;
  }, 0);
  const kinds = flowKinds.filter((kind) => flows.some((flow) => flow.kind === kind));
  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      flows: flows.length,
      rejected: refused,
      duplicates: quality.reduce((sum, { duplicates }) => sum + duplicates.count, 0),
      wallets: new Set(rows.map(({ wallet }) => wallet)).size,
      markets: totals.markets,
      usd: totals.usd,
      redeemedUsd: sumOf(['redeem']),
      rewardsUsd: sumOf(['reward', 'rebate']),
      'fills.beyondPrice': beyond.length,
      beyondPriceUsd: beyond.reduce((sum, { beyondPrice }) => sum + beyondPrice, 0) / 1e6,
      ...Object.fromEntries(kinds.map((kind) => [`flows.${kind}`, flows.filter((flow) => flow.kind === kind).length])),
    },
    quality,
    notes: [
      'Cash and tokens of the venue are after fees, so the price of a fill is all-in; settle with fees: none.',
      'The API lists the activity of the wallets asked for: the other side of a match is mostly not in the data.',
    ],
  };
  const rejections = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  return {
    metrics,
    figures: [
      ...(await tradeFigures(duck, paths.trades, totals)),
      ...rejections.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
    ],
  };
}

/** Rows of a file in the order in which they happened, and what became of each. */
function takeRows(
  file: ActivityFile,
  { duplicates, maxRejected }: ActivityOptions,
  seen: Set<string>,
  outcomes: Map<string, string>,
): { rows: ActivityRow[]; quality: Quality } {
  const rows: ActivityRow[] = [];
  const reasons = new Map<string, { count: number; first: string }>();
  let repeated = 0;
  let refused = 0;
  file.rows.forEach((raw, index) => {
    const row = rowOf(raw);
    const reason = 'reason' in row ? row.reason : contradiction(row, outcomes);
    if (reason !== undefined) {
      refused++;
      const known = reasons.get(reason);
      if (known === undefined) reasons.set(reason, { count: 1, first: `${file.name}: row ${index + 1}` });
      else known.count++;
      return;
    }
    const key = JSON.stringify(row);
    const again = seen.has(key);
    seen.add(key);
    if (again) repeated++;
    if (!again || duplicates === 'keep') rows.push(row as ActivityRow);
  });
  const rejected = [...reasons]
    .map(([reason, found]) => ({ reason, ...found }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  if (refused > maxRejected * file.rows.length)
    throw new FathomError(
      'data',
      `${refused} of ${file.rows.length} rows are refused, most often, ${rejected[0]?.count} times: ${rejected[0]?.reason} (${rejected[0]?.first})`,
      { at: { file: file.file }, hint: 'Mend the file, or raise maxRejected if the rest of it may be trusted.' },
    );
  const times = rows.map(({ time }) => time * 1000);
  const [from, to] = minMax(times);
  // The API lists the newest first.
  const first = rows[0];
  const last = rows.at(-1);
  if (first !== undefined && last !== undefined && first.time >= last.time) rows.reverse();
  return {
    rows,
    quality: {
      source: file.name,
      rowsRead: file.rows.length,
      rowsKept: rows.length,
      rejected,
      duplicates: { count: repeated, policy: duplicates },
      ...(times.length === 0 ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    },
  };
}

function minMax(values: readonly number[]): readonly [number, number] {
  return [
    values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  ];
}

/** A token is one outcome of one market; a row that says otherwise is damaged. */
function contradiction(row: ActivityRow, outcomes: Map<string, string>): string | undefined {
  if (row.kind !== 'fill') return undefined;
  const meaning = `${row.market} ${row.outcomeIndex}`;
  const known = outcomes.get(row.token);
  if (known === undefined) outcomes.set(row.token, meaning);
  return known === undefined || known === meaning ? undefined : 'asset: another outcome or market in an earlier row';
}

const money = (column: string): string =>
  `("${column}"::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS "${column}"`;
const time = 'make_timestamp("time" * 1000000) AS "time"';

/** SQL that reads rows back out of a file of JSON lines. */
async function relation(
  rows: readonly object[],
  columns: Readonly<Record<string, string>>,
  scratch: string,
  name: string,
): Promise<string> {
  const file = path.join(scratch, `${name}.jsonl`);
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const types = Object.entries(columns).map(([column, type]) => `"${column}": '${type}'`);
  return `read_json(${quote(file)}, format = 'newline_delimited', columns = {${types.join(', ')}})`;
}

const common = { time: 'BIGINT', wallet: 'VARCHAR', market: 'VARCHAR', transaction: 'VARCHAR', usd: 'BIGINT' };

async function writeFills(duck: Duck, fills: readonly ActivityFill[], paths: ActivityPaths): Promise<void> {
  const source = await relation(
    fills.map((fill, seq) => ({ ...fill, seq, event: fill.event ?? fill.market })),
    {
      ...common,
      seq: 'BIGINT',
      event: 'VARCHAR',
      token: 'VARCHAR',
      outcome: 'VARCHAR',
      outcomeIndex: 'INTEGER',
      side: 'VARCHAR',
      shares: 'BIGINT',
    },
    paths.scratch,
    'fills',
  );
  await copyCanonical(
    duck,
    'trades',
    `SELECT seq, ${time}, market, event, token, outcome, outcomeIndex, wallet, NULL::VARCHAR AS counterparty,
       NULL::VARCHAR AS role, side, usd::DOUBLE / shares::DOUBLE AS price, ${money('usd')}, ${money('shares')},
       NULL::DECIMAL(18, 6) AS fee, ${orderGroupSql} AS orderGroup, "transaction" FROM ${source}`,
    paths.trades,
  );
}

async function writeFlows(duck: Duck, flows: readonly ActivityFlow[], paths: ActivityPaths): Promise<void> {
  const columns = { ...common, kind: 'VARCHAR', shares0: 'BIGINT', shares1: 'BIGINT' };
  const source = await relation(flows, columns, paths.scratch, 'flows');
  const order = flowOrder.map((name) => `"${name}"`).join(', ');
  await copyToParquet(
    duck,
    `SELECT wallet, ${time}, market, kind, ${['usd', 'shares0', 'shares1'].map(money).join(', ')}, "transaction"
     FROM ${source} ORDER BY ${order}`,
    paths.flows,
    flowColumns,
  );
}

async function writeMarkets(duck: Duck, rows: readonly ActivityRow[], paths: ActivityPaths): Promise<void> {
  const markets = new Map<string, Record<string, string | null>>();
  for (const row of rows) {
    if (row.market === null) continue;
    const known = markets.get(row.market) ?? { market: row.market };
    markets.set(row.market, known);
    known['event'] ??= row.event;
    known['question'] ??= row.title;
    known['slug'] ??= row.slug;
    if (row.kind !== 'fill') continue;
    known[`outcome${row.outcomeIndex}`] ??= row.outcome;
    known[`token${row.outcomeIndex}`] ??= row.token;
  }
  const names = ['market', 'event', 'question', 'slug', 'category', 'outcome0', 'outcome1', 'token0', 'token1'];
  const source = await relation(
    [...markets.values()].map((market) => ({
      ...market,
      event: market['event'] ?? market['market'],
      category: categoryOf(`${market['question'] ?? ''} ${market['slug'] ?? ''}`),
    })),
    Object.fromEntries(names.map((name) => [name, 'VARCHAR'])),
    paths.scratch,
    'markets',
  );
  await copyCanonical(
    duck,
    'markets',
    `SELECT *, NULL::TIMESTAMP AS createdAt, NULL::TIMESTAMP AS closedAt FROM ${source}`,
    paths.markets,
  );
}
