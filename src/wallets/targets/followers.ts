/** How many other wallets trade the same side of a token around a fill. */
import type { PricePaths } from './price-paths.ts';

/** Numbers by position in the price paths. */
export interface Followers {
  /** Distinct other wallets on the same side of the token in (time, time + window]. */
  readonly after: Int32Array;
  /** The same in [time - window, time): who would have been there anyway. */
  readonly before: Int32Array;
}

/**
 * Counts for every fill with two pointers a token: linear in the fills, whatever the window.
 *
 * @param window microseconds
 * @param wallets how many wallets there are
 */
export function countFollowers(paths: PricePaths, wallets: number, window: number): Followers {
  const fills = paths.time.length;
  const after = new Int32Array(fills);
  const before = new Int32Array(fills);
  // Fills inside the sliding window by side and wallet, and how many wallets of a side have one.
  const inside = [new Int32Array(wallets), new Int32Array(wallets)] as const;
  const distinct: [number, number] = [0, 0];
  const change = (i: number, by: 1 | -1): void => {
    const side = paths.buy[i] as 0 | 1;
    const wallet = paths.wallet[i] as number;
    const was = inside[side][wallet] as number;
    inside[side][wallet] = was + by;
    if (was === 0) distinct[side]++;
    else if (was + by === 0) distinct[side]--;
  };
  const others = (i: number): number => {
    const side = paths.buy[i] as 0 | 1;
    return distinct[side] - ((inside[side][paths.wallet[i] as number] as number) > 0 ? 1 : 0);
  };
  const timeOf = (i: number): number => paths.time[i] as number;
  for (let token = 0; token + 1 < paths.start.length; token++) {
    const start = paths.start[token] as number;
    const end = paths.start[token + 1] as number;
    let [low, high] = [start, start];
    for (let i = start; i < end; i++) {
      for (; high < end && timeOf(high) <= timeOf(i) + window; high++) change(high, 1);
      for (; low < high && timeOf(low) <= timeOf(i); low++) change(low, -1);
      after[i] = others(i);
    }
    for (; low < high; low++) change(low, -1);
    [low, high] = [start, start];
    for (let i = start; i < end; i++) {
      for (; timeOf(high) < timeOf(i); high++) change(high, 1);
      for (; low < high && timeOf(low) < timeOf(i) - window; low++) change(low, -1);
      before[i] = others(i);
    }
    for (; low < high; low++) change(low, -1);
  }
  return { after, before };
}
