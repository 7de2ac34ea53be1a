/** Writes a simulated exchange of perpetuals as canonical tables. */
import type { Rng } from '../../../random/rng.ts';
import type { ColumnSpec } from '../../../tables/columns.ts';
import { copyToParquet, type Duck, identifier, quote } from '../../../tables/duck.ts';
import {
  type PerpetualTable,
  perpetualColumns,
  perpetualOrder,
  type TypedColumn,
} from '../../hyperliquid/canonical.ts';
import { ColumnAppender } from '../append-columns.ts';
import { logNormal } from '../draw.ts';
import { addressOf, transactionPrefix } from '../names.ts';
import { depthUsd, type PerpetualParams } from './assumptions.ts';
import { runOrders } from './exchange.ts';
import { makePaths } from './prices.ts';
import { makeOrders, makeTraders } from './traders.ts';

/** What was planted in each wallet. */
export const perpetualTruth: readonly TypedColumn[] = [
  { name: 'wallet', type: 'VARCHAR', role: 'id', description: 'Address of the account' },
  { name: 'archetype', type: 'VARCHAR', role: 'info', description: 'What it was made to be' },
  {
    name: 'edgeBps',
    type: 'DOUBLE',
    role: 'info',
    unit: 'bps',
    description: 'Planted mean of the return of the mid over the horizon in its direction; 0 if none',
  },
  { name: 'horizonMinutes', type: 'DOUBLE', role: 'info', unit: 'min', description: 'That horizon; null if no edge' },
  { name: 'firstActiveAt', type: 'TIMESTAMP', role: 'info', description: 'First fill, UTC; null if it never traded' },
];

/**
 * Simulates and creates the tables `fill`, `quote`, `coin` and `trader` with the numbers and names of the world.
 *
 * @param rng a stream for each purpose
 */
export async function loadPerpetuals(
  duck: Duck,
  params: PerpetualParams,
  rng: (purpose: string) => Rng,
): Promise<{ readonly fills: number; readonly unfilled: number }> {
  const paths = makePaths(params, rng('prices'));
  const traders = makeTraders(params, rng('traders'));
  const orders = makeOrders(params, traders, rng('orders'));
  const names = rng('names');

  const coins = await duck.connection.createAppender(
    await created(duck, 'coin', 'id INTEGER, name VARCHAR, priceUnits DOUBLE, sizeUnits DOUBLE'),
  );
  paths.forEach(({ name, priceUnitsPerUsd, sizeUnitsPerCoin }, id) => {
    coins.appendInteger(id);
    coins.appendVarchar(name);
    coins.appendDouble(priceUnitsPerUsd);
    coins.appendDouble(sizeUnitsPerCoin);
    coins.endRow();
  });
  coins.closeSync();

  const wallets = await duck.connection.createAppender(
    await created(duck, 'trader', 'id INTEGER, address VARCHAR, kind VARCHAR, edge DOUBLE'),
  );
  traders.forEach(({ kind, edgeBps }, id) => {
    wallets.appendInteger(id);
    wallets.appendVarchar(addressOf(names));
    wallets.appendVarchar(kind);
    wallets.appendDouble(edgeBps);
    wallets.endRow();
  });
  wallets.closeSync();
  await duck.run(`CREATE TABLE prefix AS SELECT ${quote(transactionPrefix(names))} AS prefix`);

  const depth = rng('depth');
  const quotes = await ColumnAppender.create(duck, 'quote', {
    coin: 'integer',
    time: 'integer',
    bid: 'double',
    bidSize: 'double',
    ask: 'double',
    askSize: 'double',
  });
  paths.forEach(({ mid, bid, ask, priceUnitsPerUsd, sizeUnitsPerCoin }, coin) => {
    const size = (price: number): number =>
      Math.max(
        1,
        Math.round((logNormal(depth, depthUsd.median, depthUsd.sigma) * priceUnitsPerUsd * sizeUnitsPerCoin) / price),
      );
    for (let step = 0; step < mid.length; step++) {
      const price = mid[step] as number;
      const [low, high] = [bid[step] as number, ask[step] as number];
      quotes.row(coin, step * params.quoteSeconds, low, size(price), high, size(price));
    }
  });
  quotes.close();

  const fills = await ColumnAppender.create(duck, 'fill', {
    time: 'integer',
    coin: 'integer',
    wallet: 'integer',
    counterparty: 'integer',
    maker: 'tinyint',
    size: 'double',
    price: 'double',
    start: 'double',
    pnl: 'double',
    fee: 'double',
    orderNumber: 'integer',
    match: 'integer',
  });
  let count = 0;
  const { unfilled } = runOrders(params, traders, paths, orders, rng('exchange'), (fill) => {
    const { time, coin, wallet, counterparty, signedSize, price, startPosition, closedPnl, fee } = fill;
    const maker = fill.maker ? 1 : 0;
    fills.row(
      time,
      coin,
      wallet,
      counterparty,
      maker,
      signedSize,
      price,
      startPosition,
      closedPnl,
      fee,
      fill.order,
      fill.match,
    );
    count++;
  });
  fills.close();
  return { fills: count, unfilled };
}

async function created(duck: Duck, table: string, columns: string): Promise<string> {
  await duck.run(`CREATE TABLE ${table} (${columns})`);
  return table;
}

export type SimulatedPerpetualTable = Extract<PerpetualTable, 'fills' | 'quotes' | 'candles'> | 'truth';

/** Writes the tables that `loadPerpetuals` made to the given paths. */
export async function writePerpetuals(
  duck: Duck,
  params: PerpetualParams,
  pathOf: (table: SimulatedPerpetualTable) => string,
): Promise<void> {
  const start = Date.parse(`${params.startDate}T00:00:00Z`) * 1000;
  const time = (seconds: string): string => `make_timestamp(${start} + (${seconds})::BIGINT * 1000000)`;
  // Whole units over a power of ten, in decimal arithmetic: exact.
  const units = (value: string, perWhole: string, type: string): string =>
    `((${value})::BIGINT::DECIMAL(38, 0) * (100000000 // ${perWhole}::BIGINT) * 0.00000001::DECIMAL(9, 8))::${type}`;
  const price = (value: string): string => units(value, 'c.priceUnits', 'DECIMAL(18, 8)');
  const size = (value: string): string => units(value, 'c.sizeUnits', 'DECIMAL(28, 8)');
  const micros = (value: string): string =>
    `((${value})::BIGINT::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6)`;
  const queries: Readonly<Record<SimulatedPerpetualTable, string>> = {
    fills: `SELECT f.rowid AS seq, ${time('f.time')} AS time, 1 AS timeResolutionMs, NULL AS receivedAt,
        ${time('f.time')} + INTERVAL 999 MICROSECOND AS knowableAt, c.name AS coin, w.address AS wallet,
        o.address AS counterparty, CASE WHEN f.maker = 1 THEN 'maker' ELSE 'taker' END AS role,
        CASE WHEN f.size > 0 THEN 'BUY' ELSE 'SELL' END AS side,
        CASE WHEN f.start * f.size >= 0 THEN CASE WHEN f.size > 0 THEN 'Open Long' ELSE 'Open Short' END
          WHEN abs(f.size) <= abs(f.start) THEN CASE WHEN f.start > 0 THEN 'Close Long' ELSE 'Close Short' END
          WHEN f.start > 0 THEN 'Long > Short' ELSE 'Short > Long' END AS direction,
        ${price('f.price')} AS price, ${size('abs(f.size)')} AS size, ${micros('abs(f.size) * f.price')} AS usd,
        ${size('f.start')} AS startPosition, ${micros('f.pnl')} AS closedPnlUsd,
        ${micros('f.fee')} AS fee, 'USDC' AS feeToken, ${micros('f.fee')} AS feeUsd,
        f.orderNumber::VARCHAR AS orderId, f.match::VARCHAR AS tradeId,
        (SELECT prefix FROM prefix) || lpad(to_hex(f.match), 16, '0') AS transaction
      FROM fill f JOIN coin c ON c.id = f.coin JOIN trader w ON w.id = f.wallet JOIN trader o ON o.id = f.counterparty`,
    quotes: `SELECT c.name AS coin, ${time('q.time')} AS time, NULL AS receivedAt, ${time('q.time')} AS knowableAt,
        ${price('q.bid')} AS bid, ${size('q.bidSize')} AS bidSize, ${price('q.ask')} AS ask, ${size('q.askSize')} AS askSize
      FROM quote q JOIN coin c ON c.id = q.coin`,
    candles: `SELECT c.name AS coin, '1m' AS "interval", ${time('minute * 60')} AS time,
        ${time('minute * 60 + 60')} - INTERVAL 1 MILLISECOND AS closesAt,
        ${time('minute * 60 + 60')} AS knowableAt, ${price('open')} AS open, ${price('high')} AS high,
        ${price('low')} AS low, ${price('close')} AS close, volume / c.sizeUnits AS volume, trades
      FROM (SELECT coin, time // 60 AS minute, arg_min(price, match) AS open, max(price) AS high, min(price) AS low,
          arg_max(price, match) AS close, sum(abs(size)::BIGINT)::DOUBLE AS volume, count(*)::INTEGER AS trades
        FROM fill WHERE maker = 0 GROUP BY ALL) JOIN coin c ON c.id = coin`,
    truth: `SELECT w.address AS wallet, w.kind AS archetype, w.edge AS edgeBps,
        CASE WHEN w.kind = 'skilled' THEN ${params.horizonMinutes} END AS horizonMinutes,
        ${time('f.first')} AS firstActiveAt
      FROM trader w LEFT JOIN (SELECT wallet, min(time) AS first FROM fill GROUP BY wallet) f ON f.wallet = w.id`,
  };
  for (const [table, query] of Object.entries(queries) as [SimulatedPerpetualTable, string][]) {
    const columns = table === 'truth' ? perpetualTruth : perpetualColumns[table];
    const order = (table === 'truth' ? ['wallet'] : perpetualOrder[table]).map(identifier).join(', ');
    const typed = columns.map(({ name, type }) => `${identifier(name)}::${type} AS ${identifier(name)}`).join(', ');
    const specs = columns.map(({ type: _, ...spec }): ColumnSpec => spec);
    await copyToParquet(duck, `SELECT ${typed} FROM (${query}) ORDER BY ${order}`, pathOf(table), specs);
  }
}
