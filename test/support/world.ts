/** Small worlds of trades: canonical Parquet tables from plain rows, and a generator of random ones. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeRng } from '../../src/random/rng.ts';
import type { ColumnSpec } from '../../src/tables/columns.ts';
import { copyToParquet, openDuck, quote } from '../../src/tables/duck.ts';

/** A fill. Times are seconds since 1970; money and shares whole 1e-6. */
export interface WorldTrade {
  readonly time: number;
  readonly wallet: string;
  readonly market: string;
  readonly event: string;
  /** Null or absent: the source names no tokens in this market. */
  readonly token?: string | null;
  readonly outcomeIndex: 0 | 1 | null;
  readonly side: 'BUY' | 'SELL';
  readonly usd: number;
  readonly shares: number;
  readonly role?: 'maker' | 'taker' | null;
  readonly fee?: number | null;
  readonly counterparty?: string | null;
}

export interface WorldMarket {
  readonly market: string;
  readonly event: string;
  readonly category: string | null;
  readonly question?: string | null;
  readonly slug?: string | null;
  /** Seconds since 1970. */
  readonly createdAt?: number | null;
  readonly closedAt?: number | null;
}

export interface WorldResolution {
  readonly market: string;
  readonly payout0: number;
  /** Seconds since 1970. */
  readonly knowableAt: number;
}

export interface World {
  /** In order of time; `seq` is the index. */
  readonly trades: readonly WorldTrade[];
  readonly markets: readonly WorldMarket[];
  readonly resolutions: readonly WorldResolution[];
  /** When wallets were first funded, seconds since 1970. */
  readonly funding?: readonly { readonly wallet: string; readonly fundedAt: number }[];
}

export interface WorldFiles {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions: string;
  /** Only where the world tells. */
  readonly funding?: string;
}

const decimal = (micro: number): string => {
  const digits = String(Math.abs(micro)).padStart(7, '0');
  return `${micro < 0 ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
};
const stamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('Z', '');
const info = (...names: string[]): ColumnSpec[] => names.map((name) => ({ name, role: 'info' }));

/** Price as the importers derive it. */
export const priceOf = (trade: WorldTrade): number | null =>
  trade.shares === 0 ? null : trade.usd / 1e6 / (trade.shares / 1e6);

/** Writes the canonical tables of a world into a folder. */
export async function writeWorld(world: World, folder: string): Promise<WorldFiles> {
  await mkdir(folder, { recursive: true });
  const duck = await openDuck({ threads: 1, memoryMb: 512, scratch: folder });
  const write = async (name: string, rows: object[], types: Record<string, string>, order: string): Promise<string> => {
    const json = path.join(folder, `${name}.jsonl`);
    await writeFile(json, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const file = path.join(folder, `${name}.parquet`);
    const typed = Object.entries(types).map(([column, type]) => `"${column}"::${type} AS "${column}"`);
    const raw = Object.keys(types).map((column) => `"${column}": 'VARCHAR'`);
    await copyToParquet(
      duck,
      `SELECT ${typed.join(', ')} FROM read_json(${quote(json)}, format = 'newline_delimited', columns = {${raw.join(', ')}}) ORDER BY ${order}`,
      file,
      info(...Object.keys(types)),
    );
    return file;
  };
  try {
    const trades = await write(
      'trades',
      world.trades.map((trade, seq) => ({
        ...trade,
        seq,
        time: stamp(trade.time),
        price: priceOf(trade),
        usd: decimal(trade.usd),
        shares: decimal(trade.shares),
        fee: trade.fee == null ? null : decimal(trade.fee),
        role: trade.role ?? null,
      })),
      {
        seq: 'BIGINT',
        time: 'TIMESTAMP',
        market: 'VARCHAR',
        event: 'VARCHAR',
        token: 'VARCHAR',
        outcome: 'VARCHAR',
        outcomeIndex: 'INTEGER',
        wallet: 'VARCHAR',
        counterparty: 'VARCHAR',
        role: 'VARCHAR',
        side: 'VARCHAR',
        price: 'DOUBLE',
        usd: 'DECIMAL(18,6)',
        shares: 'DECIMAL(18,6)',
        fee: 'DECIMAL(18,6)',
        transaction: 'VARCHAR',
      },
      'seq',
    );
    const markets = await write(
      'markets',
      world.markets.map(({ createdAt, closedAt, ...market }) => ({
        ...market,
        createdAt: createdAt == null ? null : stamp(createdAt),
        closedAt: closedAt == null ? null : stamp(closedAt),
      })),
      {
        market: 'VARCHAR',
        event: 'VARCHAR',
        question: 'VARCHAR',
        slug: 'VARCHAR',
        category: 'VARCHAR',
        token0: 'VARCHAR',
        token1: 'VARCHAR',
        createdAt: 'TIMESTAMP',
        closedAt: 'TIMESTAMP',
      },
      'market',
    );
    const resolutions = await write(
      'resolutions',
      world.resolutions.map(({ market, payout0, knowableAt }) => ({
        market,
        payout0,
        payout1: 1 - payout0,
        finalAt: stamp(knowableAt),
        knowableAt: stamp(knowableAt),
      })),
      { market: 'VARCHAR', payout0: 'DOUBLE', payout1: 'DOUBLE', finalAt: 'TIMESTAMP', knowableAt: 'TIMESTAMP' },
      'market',
    );
    if (world.funding === undefined) return { trades, markets, resolutions };
    const funding = await write(
      'funding',
      world.funding.map(({ wallet, fundedAt }) => ({ wallet, fundedAt: stamp(fundedAt) })),
      { wallet: 'VARCHAR', fundedAt: 'TIMESTAMP' },
      'wallet',
    );
    return { trades, markets, resolutions, funding };
  } finally {
    duck.close();
  }
}

/** What remains of a world before a moment (seconds): later trades and resolutions never happened. */
export function truncate(world: World, before: number): World {
  return {
    ...world,
    trades: world.trades.filter((trade) => trade.time < before),
    markets: world.markets,
    resolutions: world.resolutions.filter((resolution) => resolution.knowableAt < before),
  };
}

const DAY = 86_400;
/** 1 March 2025, a Saturday. */
export const worldStart = 1_740_787_200;

export interface WorldSize {
  readonly seed: number;
  readonly wallets?: number;
  readonly markets?: number;
  readonly trades?: number;
  readonly days?: number;
}

/**
 * A random world with every oddity: 50-50 payouts, late fills, equal times, zero shares, missing roles; markets with and
 * without named tokens, markets of which no fill and markets of which some fills do not tell their outcome.
 */
export function makeWorld({ seed, wallets = 20, markets = 12, trades = 400, days = 60 }: WorldSize): World {
  const rng = makeRng('world', seed);
  const pick = <T>(items: readonly T[]): T => items[rng.below(items.length)] as T;
  const marketList = Array.from({ length: markets }, (_, k) => ({
    market: `m${k}`,
    event: `e${Math.floor(k / 2)}`,
    category: pick(['politics', 'sports', 'crypto', 'other', null]),
  }));
  const listed = marketList.filter((_, k) => k !== 1);
  const resolutions = marketList
    .filter(() => rng.uniform() < 0.8)
    .map(({ market }) => ({
      market,
      payout0: pick([0, 1, 0, 1, 0.5]),
      knowableAt: worldStart + Math.floor(rng.uniform() * (days + 5) * DAY),
    }));
  const times = Array.from({ length: trades }, () =>
    rng.uniform() < 0.05 ? worldStart + rng.below(days) * DAY : worldStart + rng.below(days * DAY),
  ).sort((a, b) => a - b);
  const rows = times.map((time): WorldTrade => {
    const market = pick(marketList);
    const side = pick([0, 1] as const);
    const number = marketList.indexOf(market);
    const shares = rng.uniform() < 0.02 ? 0 : 1 + rng.below(500_000_000);
    return {
      time,
      wallet: `0x${rng.below(wallets).toString(16).padStart(4, '0')}`,
      market: market.market,
      event: market.event,
      token: number % 2 === 0 ? null : `${market.market}-${side}`,
      outcomeIndex: number % 4 === 3 || rng.uniform() < 0.02 ? null : side,
      side: rng.uniform() < 0.6 ? 'BUY' : 'SELL',
      usd: Math.round(shares * (0.01 + 0.98 * rng.uniform())),
      shares,
      role: pick(['maker', 'taker', null] as const),
      fee: rng.uniform() < 0.3 ? rng.below(1_000_000) : null,
    };
  });
  return { trades: rows, markets: listed, resolutions };
}

/** The same world with counterparties (some of them never trade, some are the wallet itself) and times of markets. */
export function withDetails(world: World, seed: number): World {
  const rng = makeRng('details', seed);
  const days = ((world.trades.at(-1)?.time ?? worldStart) - worldStart) / DAY;
  const moment = (): number => worldStart + Math.floor(rng.uniform() * days * DAY);
  return {
    ...world,
    trades: world.trades.map((trade) => ({
      ...trade,
      counterparty:
        rng.uniform() < 0.3
          ? null
          : rng.uniform() < 0.05
            ? trade.wallet
            : `0x${rng.below(8).toString(16).padStart(4, '0')}`,
    })),
    markets: world.markets.map((market) => ({
      ...market,
      createdAt: rng.uniform() < 0.2 ? null : moment() - 5 * DAY,
      closedAt: rng.uniform() < 0.4 ? null : moment(),
    })),
    funding: [0, 1, 2].map((k) => ({ wallet: `0x${k.toString(16).padStart(4, '0')}`, fundedAt: moment() })),
  };
}
