/** What a wallet's earlier fills say of it, moving along its fills in order of time. */
import { type MarketFacts, OUTCOME_UNKNOWN, type WalletFills } from '../facts.ts';

/** As of one fill, from fills at strictly earlier moments. Undefined numbers are NaN. */
export interface WalletHistory {
  fills: number;
  /** Microseconds of the first fill. */
  firstAt: number;
  /** Mean and sample standard deviation of the sizes, 1e-6 USD. */
  mean: number;
  deviation: number;
  /** Earlier fills whose outcome was public strictly before. */
  settled: number;
  /** Profit of those by shares, USD a share. */
  edge: number;
}

/**
 * Visits the fills of one wallet in order with its history as of each. The history is one object, used again.
 */
export function forEachFill(
  fills: WalletFills,
  markets: MarketFacts,
  visit: (index: number, history: WalletHistory) => void,
): void {
  const history: WalletHistory = {
    fills: 0,
    firstAt: fills.time[0] as number,
    mean: NaN,
    deviation: NaN,
    settled: 0,
    edge: NaN,
  };
  const settling = bySettlement(fills, markets);
  // Welford's recurrence over the sizes of the fills before `next`.
  let [next, mean, squares] = [0, 0, 0];
  let [settledUpTo, profit, shares] = [0, 0, 0];
  for (let i = 0; i < fills.count; i++) {
    const time = fills.time[i] as number;
    for (; (fills.time[next] as number) < time; next++) {
      const usd = fills.usd[next] as number;
      const deviation = usd - mean;
      mean += deviation / (next + 1);
      squares += deviation * (usd - mean);
    }
    for (; settledUpTo < settling.length; settledUpTo++) {
      const j = settling[settledUpTo] as number;
      const market = fills.market[j] as number;
      if ((markets.knowableAt[market] as number) >= time) break;
      const half = (fills.outcome[j] === 0 ? markets.half0[market] : markets.half1[market]) as number;
      const sign = fills.buy[j] === 1 ? 1 : -1;
      const size = fills.shares[j] as number;
      profit += sign * (size * half - 2 * (fills.usd[j] as number)) - 2 * (fills.fee[j] as number);
      shares += size;
    }
    history.fills = next;
    history.mean = next > 0 ? mean : Number.NaN;
    history.deviation = next > 1 ? Math.sqrt(squares / (next - 1)) : Number.NaN;
    history.settled = settledUpTo;
    history.edge = shares > 0 ? profit / (2 * shares) : Number.NaN;
    visit(i, history);
  }
}

/** Fills made before their outcome was public, in the order in which the outcomes became so. */
function bySettlement(fills: WalletFills, markets: MarketFacts): Int32Array {
  const settling: number[] = [];
  for (let i = 0; i < fills.count; i++) {
    const knowableAt = markets.knowableAt[fills.market[i] as number] as number;
    if (
      knowableAt !== Number.POSITIVE_INFINITY &&
      fills.outcome[i] !== OUTCOME_UNKNOWN &&
      (fills.time[i] as number) < knowableAt
    )
      settling.push(i);
  }
  const at = (i: number): number => markets.knowableAt[fills.market[i] as number] as number;
  return Int32Array.from(settling.sort((a, b) => at(a) - at(b) || a - b));
}
