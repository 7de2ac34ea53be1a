/** The matches of all shards in order of time, and each as two fills. */
import { type FeeTerms, millionths, scheduledFee } from '../settlement/fees.ts';
import { DAY, type FeeStep, ticksPerUsd } from './assumptions.ts';
import { type MatchColumns, matchFlags } from './matches.ts';
import type { World } from './simulate.ts';

/** A hundredth of a token, and that times a tick of its price, in millionths. */
export const HUNDREDTH_IN_MILLIONTHS = 10_000;
export const HUNDREDTH_TICK_IN_MILLIONTHS = HUNDREDTH_IN_MILLIONTHS / ticksPerUsd;

/** One fill of one wallet, by numbers in the whole world. */
export interface Fill {
  /** Seconds from the start of the world. */
  time: number;
  market: number;
  outcome: 0 | 1;
  wallet: number;
  counterparty: number;
  maker: boolean;
  sell: boolean;
  ticks: number;
  /** Hundredths of tokens. */
  size: number;
  /** Millionths of USD. */
  fee: number;
  transaction: number;
}

/**
 * Calls `visit` with each fill in order of (time, shard, match), the maker's before the taker's. The object is the same
 * every time.
 */
export function forEachFill(world: Pick<World, 'params' | 'shards' | 'offsets'>, visit: (fill: Fill) => void): void {
  const feeOf = feeSchedule(world.params.fees);
  const fill: Fill = {
    ...{ time: 0, market: 0, outcome: 0, wallet: 0, counterparty: 0, maker: true, sell: false },
    ...{ ticks: 0, size: 0, fee: 0, transaction: 0 },
  };
  forEachMatch(
    world.shards.map(({ matches }) => matches),
    (s, i) => {
      const { matches } = world.shards[s] as World['shards'][number];
      const offset = world.offsets[s] as World['offsets'][number];
      const flags = matches.flags[i] as number;
      const sameToken = (flags & matchFlags.sameToken) !== 0;
      const maker = (matches.maker[i] as number) + offset.wallet;
      const taker = (matches.taker[i] as number) + offset.wallet;
      const size = matches.size[i] as number;
      fill.time = matches.time[i] as number;
      fill.market = (matches.market[i] as number) + offset.market;
      fill.size = size;
      fill.transaction = (matches.transaction[i] as number) + offset.transaction;
      fill.outcome = (flags & matchFlags.outcomeOne) === 0 ? 0 : 1;
      fill.sell = (flags & matchFlags.makerSells) !== 0;
      fill.ticks = matches.ticks[i] as number;
      fill.maker = true;
      fill.wallet = maker;
      fill.counterparty = taker;
      fill.fee = feeOf(fill);
      visit(fill);
      fill.outcome = sameToken ? fill.outcome : fill.outcome === 0 ? 1 : 0;
      fill.sell = sameToken ? !fill.sell : fill.sell;
      fill.ticks = sameToken ? fill.ticks : ticksPerUsd - fill.ticks;
      fill.maker = false;
      fill.wallet = taker;
      fill.counterparty = maker;
      fill.fee = feeOf(fill);
      visit(fill);
    },
  );
}

/** Visits the matches of lists sorted by time in order of (time, list, place). */
function forEachMatch(lists: readonly MatchColumns[], visit: (list: number, index: number) => void): void {
  const places = lists.map(() => 0);
  const next = (s: number): number => lists[s]?.time[places[s] as number] ?? Infinity;
  for (;;) {
    // The list whose next match is the earliest, and how far it may run before another one's turn.
    let first = 0;
    let until = Infinity;
    let untilList = lists.length;
    for (let s = 1; s < lists.length; s++) {
      const time = next(s);
      if (time < next(first)) {
        until = next(first);
        untilList = first;
        first = s;
      } else if (time < until) {
        until = time;
        untilList = s;
      }
    }
    const { time } = lists[first] as MatchColumns;
    let i = places[first] as number;
    if (i >= time.length) return;
    while (i < time.length && ((time[i] as number) < until || ((time[i] as number) === until && first < untilList)))
      visit(first, i++);
    places[first] = i;
  }
}

/** Millionths of USD that a fill costs its wallet, by the terms of its time. */
function feeSchedule(steps: readonly FeeStep[]): (fill: Fill) => number {
  const terms = steps.map((step) => ({ from: step.fromDay * DAY, ...feeTerms(step) }));
  return ({ time, size, ticks, maker }) => {
    let now: FeeTerms | undefined;
    for (const one of terms) if (one.from <= time) now = one;
    if (now === undefined) return 0;
    return scheduledFee(size * ticks * HUNDREDTH_TICK_IN_MILLIONTHS, size * HUNDREDTH_IN_MILLIONTHS, maker, now);
  };
}

function feeTerms({ rate, exponent, takerOnly, rebateShare }: FeeStep): FeeTerms {
  return { rate: millionths(rate), exponent, takerOnly, rebate: millionths(rebateShare) };
}
