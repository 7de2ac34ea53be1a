/** How unevenly wallets share the volume, and how many are ahead: descriptions of one date, with their uncertainty. */
import { bootstrap, type Interval, percentileInterval, wholeSample } from '../evaluation/bootstrap.ts';
import type { Scorer } from '../evaluation/scores.ts';
import type { Rng } from '../random/rng.ts';

/** A share of one with its interval over wallets. */
export interface ShareEstimate {
  readonly value: number;
  readonly interval: Interval;
}

export interface Concentration {
  readonly wallets: number;
  readonly volumeUsd: number;
  /** Wallets in the largest 1 % and 10 %, rounded up, and their shares of the volume. */
  readonly top1: ShareEstimate & { readonly wallets: number };
  readonly top10: ShareEstimate & { readonly wallets: number };
  readonly resamples: number;
}

const CONFIDENCE = 0.95;

/**
 * Shares of the volume that the largest wallets make, with percentile intervals of a bootstrap over wallets.
 *
 * @param volumes USD of each wallet, descending, none negative
 * @returns undefined without volume
 */
export function concentrationOf(volumes: Float64Array, rng: Rng): Concentration | undefined {
  const wallets = volumes.length;
  const volumeUsd = volumes.reduce((sum, volume) => sum + volume, 0);
  if (!(volumeUsd > 0)) return undefined;
  const resamples = resamplesFor(wallets);
  const scorers = [topShare(volumes, 0.01), topShare(volumes, 0.1)] as const;
  const [draws1, draws10] = bootstrap(scorers, wallets, rng, resamples) as [Float64Array, Float64Array];
  const whole = wholeSample(wallets);
  return {
    wallets,
    volumeUsd,
    top1: {
      wallets: Math.ceil(0.01 * wallets),
      value: scorers[0].score(whole),
      interval: percentileInterval(draws1, wallets, CONFIDENCE),
    },
    top10: {
      wallets: Math.ceil(0.1 * wallets),
      value: scorers[1].score(whole),
      interval: percentileInterval(draws10, wallets, CONFIDENCE),
    },
    resamples,
  };
}

/** A thousand resamples, fewer where there are so many wallets that a hundred tell the same. */
export function resamplesFor(wallets: number): number {
  return Math.max(100, Math.min(1000, Math.floor(1e8 / wallets)));
}

/** Share of the volume in the largest `part` of a resample of wallets. */
function topShare(descending: Float64Array, part: number): Scorer {
  return {
    weight: () => 1,
    score: (counts) => {
      let room = Math.ceil(part * descending.length);
      let top = 0;
      let total = 0;
      for (let i = 0; i < descending.length; i++) {
        const times = counts[i] as number;
        const taken = Math.min(times, room);
        room -= taken;
        top += taken * (descending[i] as number);
        total += times * (descending[i] as number);
      }
      return total > 0 ? top / total : Number.NaN;
    },
  };
}

/** Share of ones among zeros and ones, with the percentile interval of a bootstrap over wallets. */
export function shareWithInterval(ones: number, wallets: number, rng: Rng): ShareEstimate & { resamples: number } {
  const resamples = resamplesFor(wallets);
  const scorer: Scorer = {
    weight: () => 1,
    score: (counts) => {
      let drawn = 0;
      for (let i = 0; i < ones; i++) drawn += counts[i] as number;
      return drawn / wallets;
    },
  };
  const [draws] = bootstrap([scorer], wallets, rng, resamples) as [Float64Array];
  return { value: ones / wallets, interval: percentileInterval(draws, wallets, CONFIDENCE), resamples };
}

/**
 * The curve of concentration from (0, 0): share of wallets, largest first, against their share of the volume.
 * @param descending USD of each wallet, some of it above 0
 * @param steps about so many points, denser among the largest, where the curve bends
 */
export function concentrationCurve(descending: Float64Array, steps: number): { x: number[]; y: number[] } {
  const wallets = descending.length;
  const total = descending.reduce((sum, volume) => sum + volume, 0);
  const ranks = new Set([1, ...Array.from({ length: steps }, (_, k) => Math.ceil(((k + 1) / steps) ** 2 * wallets))]);
  const x = [0];
  const y = [0];
  let sum = 0;
  descending.forEach((volume, i) => {
    sum += volume;
    if (!ranks.has(i + 1)) return;
    x.push((i + 1) / wallets);
    y.push(sum / total);
  });
  return { x, y };
}
