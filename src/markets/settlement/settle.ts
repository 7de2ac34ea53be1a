/**
 * Settles every position of every wallet: one pass over fills and flows in exact whole numbers.
 *
 * Nothing from `asOf` on is used: no later fill, flow or price, and no outcome that was not knowable before it.
 */
import type { Duck } from '../../tables/duck.ts';
import { createNumberTable } from '../../tables/stream.ts';
import { apply, type FillFees, isReward, type Oddities, type Positions } from './apply.ts';
import { type Event, forEachEvent, type MarketFacts, readMarkets, readTokens, type TokenFacts } from './events.ts';
import { type ProfitFeeBase, winningFee } from './fees.ts';
import { computed, rowColumns, statuses, writeLedger } from './ledger.ts';
import { numberAll, type SettlementSources, type Sizes } from './numbering.ts';
import { emptyPosition, move, type Position } from './position.ts';
import { portion } from './whole.ts';

export interface SettlementOptions {
  /** Microseconds; undefined: all there is. */
  readonly asOf?: number | undefined;
  readonly fees: FillFees & {
    /** Rate on winning in millionths, for mode `profit`. */
    readonly winningRate: number;
    readonly winningBase: ProfitFeeBase;
  };
}

export interface SettlementResult extends Sizes {
  readonly rows: number;
  readonly odd: Oddities;
  /** Rows that at some time held less than nothing. */
  readonly belowZero: number;
}

/** Writes the ledger to `path` (Parquet, in `ledgerOrder`) and leaves it as the DuckDB table `ledger`. */
export async function settleMarkets(
  duck: Duck,
  sources: SettlementSources,
  options: SettlementOptions,
  path: string,
  onEvents: (done: number, total: number) => void,
): Promise<SettlementResult> {
  const sizes = await numberAll(duck, sources, options.asOf);
  const markets = await readMarkets(duck, sizes);
  const tokens = await readTokens(duck, sizes);
  const table = await createNumberTable(duck, 'ledger_rows', rowColumns);
  const odd: Oddities = { feeUnknown: 0, roleUnknown: 0, redeemedBlindly: 0, redeemedOtherwise: 0 };
  const positions: Positions = new Map();
  let loose: Position | undefined;
  let wallet = -1;
  let market = -1;
  let done = 0;
  let belowZero = 0;

  const finish = (): void => {
    for (const [token, position] of positions) {
      if (position.least < 0) belowZero++;
      // A flow named it and moved nothing.
      if (Number.isNaN(position.openedAt)) continue;
      table.append(rowOf(wallet, market, token, position, markets, tokens, options));
    }
    if (loose !== undefined) table.append(looseRow(wallet, market < sizes.markets ? market : Number.NaN, loose));
    positions.clear();
    loose = undefined;
  };

  await forEachEvent(duck, sizes, (event: Event) => {
    if (event.wallet !== wallet || event.market !== market) {
      finish();
      ({ wallet, market } = event);
    }
    if (isReward(event)) {
      loose ??= emptyPosition();
      move(loose, event.time, 0, event.cash);
    } else apply(positions, event, markets, options.fees, odd);
    if (++done % 8192 === 0) onEvents(done, sizes.events);
  });
  finish();
  const rows = table.finish();
  await writeLedger(duck, 'ledger_rows', path);
  return { ...sizes, rows, odd, belowZero };
}

const [SETTLED, CLOSED, OPEN, CASH] = statuses.map((_, index) => index) as [number, number, number, number];

function rowOf(
  wallet: number,
  market: number,
  token: number,
  position: Position,
  markets: MarketFacts,
  tokens: TokenFacts,
  { fees }: SettlementOptions,
): number[] {
  const outcome = tokens.outcome[token] as number;
  const half = outcome === 0 ? markets.half0[market] : outcome === 1 ? markets.half1[market] : Number.NaN;
  const payout = half as number;
  const settled = !Number.isNaN(payout);
  const { held, cost, cash, flatAt, lastAt } = position;
  const winning =
    fees.mode === 'profit'
      ? winningFee(
          2 * position.redeemedCash + (settled && held > 0 ? held * payout : 0),
          position.redeemedCost + (settled && held > 0 ? cost : 0),
          fees.winningRate,
          fees.winningBase,
        )
      : 0;
  const fee = position.fee + winning;
  const settlement = held * payout;
  const [mark, markedAt] = settled ? [Number.NaN, Number.NaN] : markOf(held, market, token, markets, tokens);
  const finalAt = markets.finalAt[market] as number;
  const status = settled ? SETTLED : held === 0 ? CLOSED : OPEN;
  const closedAt = held === 0 ? flatAt : settled ? Math.max(finalAt, lastAt) : Number.NaN;
  return [
    wallet,
    market,
    token,
    status,
    ...numbers({
      ...sumsOf(position),
      feeUsd: fee,
      settlementUsd: settlement,
      settledPnlUsd: 2 * (cash - fee) + settlement,
      markUsd: mark,
      markedPnlUsd: cash + mark - fee,
      markedAt,
      closedAt,
      happenedAt: settled ? Math.max(finalAt, lastAt) : lastAt,
      knowableAt: settled ? Math.max(markets.knowableAt[market] as number, lastAt) : lastAt,
    }),
  ];
}

/** Cash without tokens: final when it is paid. */
function looseRow(wallet: number, market: number, position: Position): number[] {
  const { cash, lastAt } = position;
  const unmarked = { markUsd: Number.NaN, markedPnlUsd: Number.NaN, markedAt: Number.NaN };
  return [
    wallet,
    market,
    Number.NaN,
    CASH,
    ...numbers({
      ...sumsOf(position),
      ...unmarked,
      // No tokens: nothing has a cost, all of it is profit.
      feeUsd: 0,
      settlementUsd: 0,
      settledPnlUsd: 2 * cash,
      closedAt: lastAt,
      happenedAt: lastAt,
      knowableAt: lastAt,
    }),
  ];
}

function sumsOf(position: Position) {
  return {
    fills: position.fills,
    boughtShares: position.bought,
    soldShares: position.sold,
    receivedShares: position.received,
    givenShares: position.given,
    netShares: position.held,
    costUsd: position.cost,
    cashUsd: position.cash,
    realisedPnlUsd: position.cash + position.cost,
    openedAt: position.openedAt,
  };
}

function numbers(values: Readonly<Record<string, number>>): number[] {
  return computed.map(({ name }) => values[name] as number);
}

/** Value of a holding at the last price of its token and when that was; without one, of the other token's complement. */
function markOf(
  held: number,
  market: number,
  token: number,
  markets: MarketFacts,
  tokens: TokenFacts,
): readonly [value: number, at: number] {
  if (held === 0) return [0, Number.NaN];
  if (tokens.nameless[token] === 1) return [Number.NaN, Number.NaN];
  const value = (of: number, complement: boolean): number => {
    const usd = tokens.lastUsd[of] as number;
    const shares = tokens.lastShares[of] as number;
    return Number.isNaN(usd) ? Number.NaN : portion(held, complement ? Math.max(0, shares - usd) : usd, shares);
  };
  const own = value(token, false);
  if (!Number.isNaN(own)) return [own, tokens.lastAt[token] as number];
  const outcome = tokens.outcome[token];
  const other = (
    outcome === 0 ? markets.token1[market] : outcome === 1 ? markets.token0[market] : Number.NaN
  ) as number;
  return Number.isNaN(other) ? [Number.NaN, Number.NaN] : [value(other, true), tokens.lastAt[other] as number];
}
