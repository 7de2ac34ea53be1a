/** Runs the orders against the quotes: fills, positions, realised profit. */
import type { Rng } from '../../../random/rng.ts';
import { portion } from '../../settlement/whole.ts';
import {
  feeParts,
  impactBps,
  lookBackMinutes,
  type PerpetualParams,
  type TraderKind,
  traderHabits,
} from './assumptions.ts';
import type { CoinPath } from './prices.ts';
import type { Orders, Trader } from './traders.ts';

/** One fill of one wallet. Prices, sizes and USD are whole numbers of the coin's units and of 1e-6 USD. */
export interface PerpetualFill {
  readonly time: number;
  readonly coin: number;
  readonly wallet: number;
  readonly counterparty: number;
  readonly maker: boolean;
  /** Coins bought; negative if sold. */
  readonly signedSize: number;
  readonly price: number;
  readonly startPosition: number;
  readonly closedPnl: number;
  readonly fee: number;
  readonly order: number;
  readonly match: number;
}

/** Positions with what they cost; both negative if short. */
export class Positions {
  readonly #coins: number;
  readonly #size: Float64Array;
  readonly #cost: Float64Array;

  constructor(wallets: number, coins: number) {
    this.#coins = coins;
    this.#size = new Float64Array(wallets * coins);
    this.#cost = new Float64Array(wallets * coins);
  }

  size(wallet: number, coin: number): number {
    return this.#size[wallet * this.#coins + coin] as number;
  }

  /** Trades, and gives the profit realised: a part of a position closes at its part of the cost (average cost). */
  trade(wallet: number, coin: number, signedSize: number, price: number): number {
    const at = wallet * this.#coins + coin;
    const size = this.#size[at] as number;
    const cost = this.#cost[at] as number;
    this.#size[at] = size + signedSize;
    if (size * signedSize >= 0) {
      this.#cost[at] = cost + signedSize * price;
      return 0;
    }
    const closing = Math.min(Math.abs(size), Math.abs(signedSize));
    const released = closing === Math.abs(size) ? cost : portion(cost, closing, Math.abs(size));
    // What is left of the order beyond the position opens one the other way.
    const opened = Math.sign(signedSize) * (Math.abs(signedSize) - closing) * price;
    this.#cost[at] = cost - released + opened;
    return Math.sign(size) * closing * price - released;
  }
}

const lately = 256;

/** Runs all orders in their order and calls `visit` with the maker's fill and then the taker's of each match. */
export function runOrders(
  params: PerpetualParams,
  traders: readonly Trader[],
  paths: readonly CoinPath[],
  orders: Orders,
  rng: Rng,
  visit: (fill: PerpetualFill) => void,
): { readonly unfilled: number } {
  const positions = new Positions(traders.length, paths.length);
  const opened = new Float64Array(orders.pairs);
  const makers = traders.flatMap(({ kind }, w) => (kind === 'marketMaker' ? [w] : []));
  const passers: number[] = [];
  let passed = 0;
  let unfilled = 0;
  let match = 0;
  for (let i = 0; i < orders.size; i++) {
    const time = orders.time[i] as number;
    const wallet = orders.wallet[i] as number;
    const coin = orders.coin[i] as number;
    const pair = orders.pair[i] as number;
    const { kind, edgeBps } = traders[wallet] as Trader;
    const path = paths[coin] as CoinPath;
    const step = Math.min(path.mid.length - 1, Math.floor(time / params.quoteSeconds));
    const maker = rng.uniform() < traderHabits[kind].makerShare;
    const mid = path.mid[step] as number;
    const usd = orders.usd[i] as number;
    let signed = 0;
    if (orders.closes[i] === 1) signed = -(opened[pair] as number);
    else {
      const sign = direction(params, kind, edgeBps, path, step, rng);
      signed = sign * Math.max(1, Math.round((usd * path.priceUnitsPerUsd * path.sizeUnitsPerCoin) / mid));
    }
    const other = maker ? passer(rng, passers, wallet) : desk(rng, makers, coin);
    if (kind === 'casual' || kind === 'bot') passers[passed++ % lately] = wallet;
    if (signed === 0 || other < 0 || other === wallet) {
      unfilled++;
      continue;
    }
    if (orders.closes[i] === 0) opened[pair] = signed;
    const buys = signed > 0;
    const bps = Math.min(impactBps.most, impactBps.at10000Usd * Math.sqrt(usd / 10_000));
    const slipped = maker ? 0 : Math.floor((mid * bps) / 10_000 / path.tick) * path.tick;
    const far = buys !== maker;
    const price = far
      ? (path.ask[step] as number) + slipped
      : Math.max(path.tick, (path.bid[step] as number) - slipped);
    const value = Math.abs(signed) * price;
    const side = (w: number, c: number, isMaker: boolean, signedSize: number, order: number): void => {
      const startPosition = positions.size(w, coin);
      const closedPnl = positions.trade(w, coin, signedSize, price);
      const fee = portion(value, isMaker ? feeParts.maker : feeParts.taker, feeParts.of);
      visit({
        time,
        coin,
        wallet: w,
        counterparty: c,
        maker: isMaker,
        signedSize,
        price,
        startPosition,
        closedPnl,
        fee,
        order,
        match,
      });
    };
    side(maker ? wallet : other, maker ? other : wallet, true, maker ? signed : -signed, 2 * i + (maker ? 0 : 1));
    side(maker ? other : wallet, maker ? wallet : other, false, maker ? -signed : signed, 2 * i + (maker ? 1 : 0));
    match++;
  }
  return { unfilled };
}

/** 1 to go long, -1 short, 0 to leave it. */
function direction(
  params: PerpetualParams,
  kind: TraderKind,
  edgeBps: number,
  path: CoinPath,
  step: number,
  rng: Rng,
): number {
  const uniform = rng.uniform();
  const moved = (minutes: number): number => {
    const before = step - Math.round((minutes * 60) / params.quoteSeconds);
    return before < 0 ? 0 : Math.sign((path.mid[step] as number) - (path.mid[before] as number));
  };
  switch (kind) {
    case 'momentum':
      return moved(lookBackMinutes.momentum);
    case 'meanReversion':
      return -moved(lookBackMinutes.meanReversion);
    case 'holder':
      return 1;
    case 'skilled':
      return skilledDirection(params, edgeBps, path, step, uniform);
    default:
      return uniform < 0.5 ? 1 : -1;
  }
}

/**
 * Takes the side of the coming return r with chance 1/2 + e / (2 |r|), which earns e on average whatever |r| >= e; it
 * stays away where the price will move less than that.
 */
export function skilledDirection(
  params: Pick<PerpetualParams, 'horizonMinutes' | 'quoteSeconds'>,
  edgeBps: number,
  path: Pick<CoinPath, 'mid'>,
  step: number,
  uniform: number,
): number {
  const later = step + Math.round((params.horizonMinutes * 60) / params.quoteSeconds);
  if (later >= path.mid.length) return 0;
  const now = path.mid[step] as number;
  const coming = ((path.mid[later] as number) / now - 1) * 10_000;
  if (Math.abs(coming) < Math.abs(edgeBps) || coming === 0) return 0;
  return uniform < 0.5 + edgeBps / (2 * Math.abs(coming)) ? Math.sign(coming) : -Math.sign(coming);
}

/** One of the few market makers of a coin; -1 if there are none. */
function desk(rng: Rng, makers: readonly number[], coin: number): number {
  if (makers.length === 0) return -1;
  return makers[(coin * 5 + rng.below(Math.min(8, makers.length))) % makers.length] as number;
}

/** A wallet that came by lately; -1 if luck finds none. */
function passer(rng: Rng, passers: readonly number[], wallet: number): number {
  if (passers.length === 0) return -1;
  const found = passers[rng.below(passers.length)];
  return found === undefined || found === wallet ? -1 : found;
}
