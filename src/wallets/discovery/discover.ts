/** Tests every wallet and says which beat their prices, at a controlled share of false ones. */
import { benjaminiHochberg, benjaminiYekutieli } from '../../evaluation/multiple.ts';
import { betMoments } from '../../numeric/binary-bet.ts';
import type { Duck } from '../../tables/duck.ts';
import { type BetCounts, type BetSources, forEachBettor, makeBets, type WalletBets } from './bets.ts';
import { type NullModel, pricesAsTheyAre, recalibrated } from './null.ts';
import { type PlantedEdges, type PowerAt, powerOf } from './power.ts';
import { shrink, varianceOfEdges } from './shrink.ts';
import { testBets, type Verdict } from './test.ts';
import type { Correction, Grouping, Weighting } from './words.ts';

export interface DiscoveryOptions {
  /** Microseconds; undefined: all there is. */
  readonly asOf?: number | undefined;
  readonly weights: Weighting;
  /** Groupings of the recalibrated null; undefined: prices as they are. */
  readonly recalibrateBy?: readonly Grouping[] | undefined;
  readonly correction: Correction;
  /** Share of false ones among the wallets found. */
  readonly falseDiscoveryRate: number;
  readonly minEvents: number;
  /** Wallets whose largest event made this share of all their gains or more are not called found; null: no such screen. */
  readonly largestEventShare: number | null;
}

/** One wallet that was tested. Money in USD; unknown is NaN. */
export interface TestedWallet extends Verdict, Totals {
  /** Number of the wallet, see the table `wallet_ids`. */
  readonly wallet: number;
  /** Adjusted p-value. */
  readonly q: number;
  /** q is at most the rate. */
  readonly significant: boolean;
  /** Significant, and not resting on one event. */
  readonly found: boolean;
  readonly shrunkEdge: number;
  readonly shrunkStandardError: number;
  /** Sharpe ratio of one bet at the mean chance with the shrunk edge. */
  readonly sharpePerBet: number;
}

/** Money of a wallet in the events of its bets, all fills. */
interface Totals {
  readonly pnlUsd: number;
  /** Gain of the best event by the gains of all events with one. */
  readonly largestEventShare: number;
  /** Profit by shares over all fills, and its standard error clustered by event. */
  readonly sharesEdge: number;
  readonly sharesStandardError: number;
}

export interface Discovery {
  readonly counts: BetCounts;
  readonly model: NullModel;
  readonly wallets: readonly TestedWallet[];
  /** Wallets with settled bets on fewer events than it takes. */
  readonly untested: number;
  /** Variance of true edges around zero. */
  readonly tau2: number;
  /** Power of the tests of planted wallets, in the order of `wallets`; empty without. */
  readonly powers: ReadonlyMap<number, PowerAt>;
}

/** @param planted wallets by number whose power is wanted, and the distribution that their edges come from */
export async function discover(
  duck: Duck,
  sources: BetSources,
  options: DiscoveryOptions,
  planted: (() => Promise<{ readonly wallets: ReadonlySet<number>; readonly edges: PlantedEdges }>) | undefined,
  onWallet: (done: number, total: number) => void,
): Promise<Discovery> {
  const counts = await makeBets(duck, sources, options.asOf);
  const truth = await planted?.();
  const model =
    options.recalibrateBy === undefined ? pricesAsTheyAre : await recalibrated(duck, counts, options.recalibrateBy);
  const tested: (Verdict & Totals & { readonly wallet: number })[] = [];
  const powers = new Map<number, PowerAt>();
  let seen = 0;
  await forEachBettor(duck, counts, (bets) => {
    onWallet(++seen, counts.wallets);
    if (bets.count < options.minEvents) return;
    const chance = Float64Array.from({ length: bets.count }, (_, i) => model.chance(bets, i));
    const weight = options.weights === 'shares' ? { weight: bets.shares.subarray(0, bets.count) } : {};
    const verdict = testBets({
      price: bets.price.subarray(0, bets.count),
      won: bets.won.subarray(0, bets.count),
      chance,
      ...weight,
    });
    tested.push({ wallet: bets.wallet, ...verdict, ...totalsOf(bets) });
    if (truth?.wallets.has(bets.wallet) && options.weights === 'equal')
      powers.set(bets.wallet, powerOf(chance, truth.edges));
  });
  const adjust = options.correction === 'benjamini-hochberg' ? benjaminiHochberg : benjaminiYekutieli;
  const q = adjust(tested.map(({ p }) => p));
  const tau2 = varianceOfEdges(
    tested.map(({ excess }) => excess),
    tested.map(({ standardError }) => standardError),
  );
  const wallets = tested.map((wallet, i): TestedWallet => {
    const significant = (q[i] as number) <= options.falseDiscoveryRate;
    const shrunk = shrink(wallet.excess, wallet.standardError, tau2);
    const rests = options.largestEventShare !== null && wallet.largestEventShare >= options.largestEventShare;
    return {
      ...wallet,
      q: q[i] as number,
      significant,
      found: significant && !rests,
      shrunkEdge: shrunk.value,
      shrunkStandardError: shrunk.standardError,
      sharpePerBet: betMoments(Math.min(1, wallet.meanChance + shrunk.value), wallet.meanChance).sharpe,
    };
  });
  return { counts, model, wallets, untested: counts.wallets - wallets.length, tau2, powers };
}

function totalsOf(bets: WalletBets): Totals {
  let [profit, gains, best, traded] = [0, 0, 0, 0];
  for (let i = 0; i < bets.count; i++) {
    const earned = bets.profit[i] as number;
    profit += earned;
    traded += bets.traded[i] as number;
    if (earned > 0) gains += earned;
    best = Math.max(best, earned);
  }
  const edge = profit / traded;
  let squares = 0;
  for (let i = 0; i < bets.count; i++) {
    const residual = (bets.profit[i] as number) - edge * (bets.traded[i] as number);
    squares += residual * residual;
  }
  const factor = bets.count < 2 ? NaN : bets.count / (bets.count - 1);
  return {
    pnlUsd: profit / 2e6,
    largestEventShare: gains > 0 ? best / gains : NaN,
    sharesEdge: edge / 2,
    sharesStandardError: Math.sqrt(squares * factor) / traded / 2,
  };
}
