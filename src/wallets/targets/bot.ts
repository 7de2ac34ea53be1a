/** How regular a wallet is in time, size and reaction: a heuristic score of automation, not a calibrated probability. */
import { log } from '../../numeric/elementary.ts';
import { HOUR } from '../../tables/time.ts';
import type { WalletFills } from '../facts.ts';

/** Fewest actions (fills at distinct moments) that a score is given for. */
const FEWEST_ACTIONS = 15;
/** Fewest reactions whose regularity means anything. */
const FEWEST_REACTIONS = 5;
const weights = { timing: 0.35, size: 0.25, hours: 0.2, reaction: 0.2 } as const;

/** Returns a function that scores the fills from `begin` to `end` (exclusive), [0, 1]; NaN below 15 actions. */
export function makeBotScore(): (fills: WalletFills, reaction: Float64Array, begin: number, end: number) => number {
  const sizes = new Map<number, number>();
  const hours = new Int32Array(24);
  return (fills, reaction, begin, end) => {
    sizes.clear();
    hours.fill(0);
    const gaps = moments();
    const reactions = moments();
    let actions = 0;
    for (let i = begin; i < end; ) {
      const time = fills.time[i] as number;
      let usd = 0;
      let next = i;
      // The parts of an order that fill at once are one action.
      for (; next < end && fills.time[next] === time; next++) usd += fills.usd[next] as number;
      if (i > begin) gaps.add(time - (fills.time[i - 1] as number));
      if (!Number.isNaN(reaction[i] as number)) reactions.add(reaction[i] as number);
      const size = sizeBin(usd);
      sizes.set(size, (sizes.get(size) ?? 0) + 1);
      (hours[Math.floor(time / HOUR) % 24] as number)++;
      actions++;
      i = next;
    }
    if (actions < FEWEST_ACTIONS) return Number.NaN;
    const parts: [weight: number, value: number][] = [
      [weights.timing, clip(1 - gaps.variation())],
      [weights.size, clip(1 - entropy(sizes.values(), actions) / log(10))],
      [weights.hours, clip(1.5 - variationOfCounts(hours, actions))],
    ];
    if (reactions.count() >= FEWEST_REACTIONS) parts.push([weights.reaction, clip(1 - reactions.variation())]);
    let [score, total] = [0, 0];
    for (const [weight, value] of parts) {
      score += weight * value;
      total += weight;
    }
    return score / total;
  };
}

const clip = (x: number): number => Math.max(0, Math.min(1, x));

/** Four bins a factor of ten: sizes within a factor of 1.78 may share one, whatever the largest ever was. */
function sizeBin(micros: number): number {
  return micros <= 0 ? Number.NEGATIVE_INFINITY : Math.floor((4 * log(micros / 1e6)) / log(10) + 1e-9);
}

function entropy(counts: Iterable<number>, n: number): number {
  let sum = 0;
  for (const count of counts) sum -= (count / n) * log(count / n);
  return sum;
}

/** Population standard deviation of the counts by hour of the day over their mean: 0 is round the clock. */
function variationOfCounts(hours: Int32Array, n: number): number {
  const mean = n / 24;
  let squares = 0;
  for (const count of hours) squares += (count - mean) ** 2;
  return Math.sqrt(squares / 24) / mean;
}

/** Coefficient of variation (sample standard deviation over mean) of positive numbers, by Welford's recurrence. */
function moments(): { add(x: number): void; count(): number; variation(): number } {
  let [n, mean, squares] = [0, 0, 0];
  return {
    add: (x) => {
      n++;
      const deviation = x - mean;
      mean += deviation / n;
      squares += deviation * (x - mean);
    },
    count: () => n,
    variation: () => (mean === 0 ? 0 : Math.sqrt(squares / (n - 1)) / mean),
  };
}
