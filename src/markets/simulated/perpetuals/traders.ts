/** The wallets of the exchange, and when each opens and closes positions. */
import type { Rng } from '../../../random/rng.ts';
import { hourWeights } from '../assumptions.ts';
import { apportion, logNormal, pareto } from '../draw.ts';
import { orderOf } from '../schedule.ts';
import { type PerpetualParams, type TraderKind, tail, traderHabits, traderKinds } from './assumptions.ts';

export interface Trader {
  readonly kind: TraderKind;
  /** Positions it means to open. */
  readonly orders: number;
  /** Its own median order, USD. */
  readonly usd: number;
  /** Planted mean of the signed return after the horizon, basis points. */
  readonly edgeBps: number;
}

/** Openings and closings sorted by time; the closing of opening `pair` names the same pair. */
export interface Orders {
  readonly size: number;
  /** Whole seconds from the start. */
  readonly time: Int32Array;
  readonly wallet: Int32Array;
  readonly coin: Uint8Array;
  readonly usd: Float64Array;
  readonly pair: Int32Array;
  readonly closes: Uint8Array;
  readonly pairs: number;
}

export function makeTraders(params: PerpetualParams, rng: Rng): Trader[] {
  const counts = apportion(
    params.wallets,
    traderKinds.map((kind) => params.kinds[kind]),
  );
  return traderKinds.flatMap((kind, k) =>
    Array.from({ length: counts[k] as number }, (): Trader => {
      const { orders, ordersSigma, usd, usdSigma } = traderHabits[kind];
      const median = params.tradesPerWallet * orders;
      const drawn = logNormal(rng, median, ordersSigma);
      const edge = params.skilledEdgeBps.mean + params.skilledEdgeBps.sd * rng.normal();
      return {
        kind,
        orders: orders === 0 ? 0 : Math.max(1, Math.round(Math.min(40 * median, drawn))),
        usd: logNormal(rng, usd, usdSigma),
        edgeBps: kind === 'skilled' ? edge : 0,
      };
    }),
  );
}

export function makeOrders(params: PerpetualParams, traders: readonly Trader[], rng: Rng): Orders {
  const end = Math.floor(params.days * 86_400);
  const time: number[] = [];
  const wallet: number[] = [];
  const coin: number[] = [];
  const usd: number[] = [];
  const pair: number[] = [];
  const closes: number[] = [];
  const add = (at: number, w: number, c: number, value: number, p: number, close: 0 | 1): void => {
    time.push(Math.floor(at));
    wallet.push(w);
    coin.push(c);
    usd.push(value);
    pair.push(p);
    closes.push(close);
  };
  let pairs = 0;
  traders.forEach((trader, w) => {
    const { holdMinutes } = traderHabits[trader.kind];
    const gap = end / (trader.orders + 1);
    for (let k = 0; k < trader.orders; k++) {
      // A bot acts at even times with two per cent of scatter.
      const at = trader.kind === 'bot' ? gap * (k + 1 + 0.02 * (rng.uniform() - 0.5)) : awake(rng, end);
      // The first coin most, the second half as often, and so on.
      const c = Math.min(params.coins - 1, Math.floor(rng.exponential() * Math.LOG2E));
      const body = trader.usd * (trader.kind === 'bot' ? 1 : logNormal(rng, 1, tail.sigma));
      const value = rng.uniform() < tail.share ? body * pareto(rng, tail.exponent) : body;
      const hold = trader.kind === 'skilled' ? params.horizonMinutes : holdMinutes * rng.exponential();
      add(at, w, c, Math.min(tail.largestUsd, Math.max(20, value)), pairs, 0);
      if (at + 60 * hold < end - 1) add(at + 60 * hold, w, c, 0, pairs, 1);
      pairs++;
    }
  });
  const order = orderOf(Int32Array.from(time));
  const sorted = (values: readonly number[]) => (i: number) => values[i] as number;
  return {
    size: order.length,
    time: Int32Array.from(order, sorted(time)),
    wallet: Int32Array.from(order, sorted(wallet)),
    coin: Uint8Array.from(order, sorted(coin)),
    usd: Float64Array.from(order, sorted(usd)),
    pair: Int32Array.from(order, sorted(pair)),
    closes: Uint8Array.from(order, sorted(closes)),
    pairs,
  };
}

/** A time when people are awake, more often than not. */
function awake(rng: Rng, end: number): number {
  let time = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    time = end * rng.uniform();
    if (rng.uniform() < (hourWeights[Math.floor(time / 3600) % 24] as number)) break;
  }
  return time;
}
