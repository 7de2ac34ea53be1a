/**
 * What a bet without skill wins: as often as its price says, or as often as bets like it won for others.
 *
 * Recalibration: logit P(win) = a + b logit(price) + a term for the group of the bet, fitted with every event counting
 * once. The bets of a wallet are judged by fits that saw neither that wallet nor that event: wallets and events are
 * dealt into five folds each, and the fit for (fold of wallet, fold of event) leaves out both. All bets in it were
 * settled as of the date, so nothing later enters.
 */
import { fitLogistic, type LogisticRows } from '../../evaluation/logistic.ts';
import { logit, sigmoid } from '../../numeric/elementary.ts';
import type { Duck } from '../../tables/duck.ts';
import { type BetCounts, categories, forEachBettor, hoursToClose, roles, type WalletBets } from './bets.ts';
import type { Grouping } from './words.ts';

export interface NullModel {
  /** Chance that bet `i` of a wallet wins, if the wallet has no skill. */
  chance(bets: WalletBets, i: number): number;
  /** Mean over the fits of the slope on the logit of the price; undefined for prices as they are. Above 1 favourites are underpriced. */
  readonly slope?: number;
  /** Events in the smallest fit. */
  readonly events?: number;
}

/** Prices as they are. An all-in price beyond 1 cannot win more than always. */
export const pricesAsTheyAre: NullModel = {
  chance: (bets, i) => Math.min(1, Math.max(0, bets.price[i] as number)),
};

const FOLDS = 5;
const TICKS = 999;
/** In events: a fit with very few of them stays near the price. */
const PRIOR_STRENGTH = 1;

const levels: Readonly<Record<Grouping, number>> = {
  role: roles.length,
  category: categories.length,
  timeToClose: hoursToClose.length + 2,
};

export async function recalibrated(
  duck: Pick<Duck, 'connect'>,
  counts: BetCounts,
  by: readonly Grouping[],
): Promise<NullModel> {
  const groups = by.reduce((product, name) => product * levels[name], 1);
  const cells = groups * TICKS;
  const weight = new Float64Array(FOLDS * FOLDS * cells);
  const won = new Float64Array(FOLDS * FOLDS * cells);
  const perEvent: number[] = [];
  await forEachBettor(duck, counts, (bets) => {
    for (let i = 0; i < bets.count; i++) {
      const event = bets.event[i] as number;
      perEvent[event] = (perEvent[event] ?? 0) + 1;
    }
  });
  await forEachBettor(duck, counts, (bets) => {
    for (let i = 0; i < bets.count; i++) {
      const event = bets.event[i] as number;
      const share = 1 / (perEvent[event] as number);
      const cell =
        foldOf(bets.wallet, event) * cells + groupOf(bets, i, by) * TICKS + tickOf(bets.price[i] as number) - 1;
      weight[cell] = (weight[cell] as number) + share;
      won[cell] = (won[cell] as number) + share * (bets.won[i] as number);
    }
  });
  const used = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => {
    for (let fold = 0; fold < FOLDS * FOLDS; fold++) if ((weight[fold * cells + cell] as number) > 0) return true;
    return false;
  });
  const x = designOf(used, by);
  const width = x.length / Math.max(1, used.length);
  const mean = Array.from({ length: width }, (_, j) => Number(j === 1));
  const fits = Array.from({ length: FOLDS * FOLDS }, (_, without) => {
    const rows: LogisticRows = {
      x,
      width,
      weight: new Float64Array(used.length),
      happened: new Float64Array(used.length),
    };
    for (let fold = 0; fold < FOLDS * FOLDS; fold++) {
      if (Math.floor(fold / FOLDS) === Math.floor(without / FOLDS) || fold % FOLDS === without % FOLDS) continue;
      used.forEach((cell, row) => {
        rows.weight[row] = (rows.weight[row] as number) + (weight[fold * cells + cell] as number);
        rows.happened[row] = (rows.happened[row] as number) + (won[fold * cells + cell] as number);
      });
    }
    return {
      beta: fitLogistic(rows, { mean, strength: PRIOR_STRENGTH }),
      events: rows.weight.reduce((a, b) => a + b, 0),
    };
  });
  const terms = Array.from({ length: groups }, (_, group) => termsOf(group, by));
  return {
    chance: (bets, i) => {
      const { beta } = fits[foldOf(bets.wallet, bets.event[i] as number)] as { beta: number[] };
      let eta = (beta[0] as number) + (beta[1] as number) * logit(tickOf(bets.price[i] as number) / (TICKS + 1));
      for (const term of terms[groupOf(bets, i, by)] as number[]) eta += beta[term] as number;
      return sigmoid(eta);
    },
    slope: fits.reduce((sum, { beta }) => sum + (beta[1] as number), 0) / fits.length,
    events: Math.min(...fits.map(({ events }) => events)),
  };
}

/** Numbers count by first appearance, so that cutting off the future deals nothing anew. */
function foldOf(wallet: number, event: number): number {
  return (wallet % FOLDS) * FOLDS + (event % FOLDS);
}

/** Price in thousandths, strictly between 0 and 1000. */
function tickOf(price: number): number {
  return Math.min(TICKS, Math.max(1, Math.round(price * (TICKS + 1))));
}

function groupOf(bets: WalletBets, i: number, by: readonly Grouping[]): number {
  let group = 0;
  for (const name of by) group = group * levels[name] + (levelsOf(bets, name)[i] as number);
  return group;
}

function levelsOf(bets: WalletBets, name: Grouping): Uint8Array {
  return name === 'role' ? bets.role : name === 'category' ? bets.category : bets.closing;
}

/** Columns of a group's terms: each grouping adds a column for every level but its first. */
function termsOf(group: number, by: readonly Grouping[]): number[] {
  let rest = group;
  const chosen = by.toReversed().map((name) => {
    const level = rest % levels[name];
    rest = Math.floor(rest / levels[name]);
    return level;
  });
  let column = 2;
  return by.toReversed().flatMap((name, k) => {
    const level = chosen[k] as number;
    const term = column + level - 1;
    column += levels[name] - 1;
    return level === 0 ? [] : [term];
  });
}

function designOf(used: readonly number[], by: readonly Grouping[]): Float64Array {
  const width = 2 + by.reduce((sum, name) => sum + levels[name] - 1, 0);
  const x = new Float64Array(used.length * width);
  used.forEach((cell, row) => {
    x[row * width] = 1;
    x[row * width + 1] = logit(((cell % TICKS) + 1) / (TICKS + 1));
    for (const term of termsOf(Math.floor(cell / TICKS), by)) x[row * width + term] = 1;
  });
  return x;
}
