/** The test of one wallet: did its bets win more than they would without skill? */
import { weightedTail, winsTail } from '../../evaluation/poisson-binomial.ts';

/** Bets on independent events. All arrays have one entry a bet. */
export interface Bets {
  /** All-in price paid for a dollar if it wins. */
  readonly price: ArrayLike<number>;
  /** 1 won, 0 lost. */
  readonly won: ArrayLike<number>;
  /** Chance to win without skill; the price, where prices are taken as they are. */
  readonly chance: ArrayLike<number>;
  /** Positive; absent: all equal. */
  readonly weight?: ArrayLike<number>;
}

export interface Verdict {
  readonly bets: number;
  /** (sum of weights)^2 / sum of squared weights. */
  readonly effectiveBets: number;
  /** Weighted means. */
  readonly winRate: number;
  readonly meanPrice: number;
  readonly meanChance: number;
  /** Weighted mean of outcome less price, USD a share. */
  readonly edge: number;
  /** Weighted mean of outcome less chance, USD a share: what is tested. */
  readonly excess: number;
  /** Standard deviation of the excess without skill. */
  readonly standardError: number;
  /** Excess by its standard error; NaN where nothing was left to chance. */
  readonly z: number;
  /** Chance of as much or more without skill, one-sided; exact for equal weights and up to 1,500 bets. */
  readonly p: number;
}

/**
 * With e = o - q for a win o and its chance q: excess = sum(w e) / sum(w), z = sum(w e) / sqrt(sum(w^2 q (1 - q))), and
 * p by the exact distribution of the wins. `bets` must not be empty.
 */
export function testBets({ price, won, chance, weight }: Bets): Verdict {
  const n = price.length;
  let [total, squares, wins, paid, expected, variance] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const w = weight?.[i] ?? 1;
    const q = chance[i] as number;
    total += w;
    squares += w * w;
    wins += w * (won[i] as number);
    paid += w * (price[i] as number);
    expected += w * q;
    variance += w * w * q * (1 - q);
  }
  const excess = (wins - expected) / total;
  const standardError = Math.sqrt(variance) / total;
  return {
    bets: n,
    effectiveBets: (total * total) / squares,
    winRate: wins / total,
    meanPrice: paid / total,
    meanChance: expected / total,
    edge: (wins - paid) / total,
    excess,
    standardError,
    z: standardError > 0 ? excess / standardError : NaN,
    p: weight === undefined ? winsTail(chance)(wins) : weightedTail(chance, weight, wins),
  };
}
