/** Do prices say how often outcomes come true? Scores of a set of observations, with errors clustered by event. */
import { clustersOf } from '../../evaluation/bootstrap.ts';
import { clusteredErrors, fitLogistic } from '../../evaluation/logistic.ts';
import { logit } from '../../numeric/elementary.ts';
import type { PriceObservations } from './observe.ts';

/** Prices at the ends have no logit; they are moved to half a tick of 0.001 from them. */
const NEAREST = 0.0005;

export interface Reliability {
  readonly markets: number;
  readonly events: number;
  /** Mean of (price - outcome)^2; NaN without a market. */
  readonly brier: number;
  /** Murphy's parts: brier = reliability - resolution + uncertainty, but for the spread of prices within a group. */
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  /** Slope b of logit P(outcome) = a + b logit(price): above 1, longshots are too dear. NaN below ten events. */
  readonly slope: number;
  readonly slopeError: number;
}

const FEWEST_EVENTS = 10;

/** Of the observations for which `kept` holds; prices are grouped by tenths of a dollar. */
export function reliabilityOf(all: PriceObservations, kept: (i: number) => boolean = () => true): Reliability {
  const rows = Array.from(all.price.keys()).filter(kept);
  const n = rows.length;
  const groups = Array.from({ length: 10 }, () => ({ n: 0, price: 0, happened: 0 }));
  let [squares, happened] = [0, 0];
  for (const i of rows) {
    const [price, outcome] = [all.price[i] as number, all.happened[i] as number];
    squares += (price - outcome) ** 2;
    happened += outcome;
    const group = groups[Math.min(9, Math.floor(10 * price))] as (typeof groups)[number];
    group.n++;
    group.price += price;
    group.happened += outcome;
  }
  const base = happened / n;
  let [reliability, resolution] = [0, 0];
  for (const group of groups) {
    if (group.n === 0) continue;
    reliability += (group.price - group.happened) ** 2 / group.n / n;
    resolution += (group.n / n) * (group.happened / group.n - base) ** 2;
  }
  const clusters = clustersOf(rows.map((i) => all.event[i] as string));
  const { slope, slopeError } = slopeOf(all, rows, clusters.of, clusters.count);
  return {
    markets: n,
    events: clusters.count,
    brier: squares / n,
    reliability: n === 0 ? NaN : reliability,
    resolution: n === 0 ? NaN : resolution,
    uncertainty: base * (1 - base),
    slope,
    slopeError,
  };
}

function slopeOf(
  all: PriceObservations,
  rows: readonly number[],
  cluster: Int32Array,
  clusters: number,
): { slope: number; slopeError: number } {
  const unknown = { slope: NaN, slopeError: NaN };
  const outcomes = new Set(rows.map((i) => all.happened[i]));
  const prices = new Set(rows.map((i) => all.price[i]));
  if (clusters < FEWEST_EVENTS || outcomes.size < 2 || prices.size < 3) return unknown;
  const x = Float64Array.from(
    rows.flatMap((i) => [1, logit(Math.min(1 - NEAREST, Math.max(NEAREST, all.price[i] as number)))]),
  );
  const data = {
    ...{ x, width: 2, weight: new Float64Array(rows.length).fill(1) },
    happened: Float64Array.from(rows, (i) => all.happened[i] as number),
  };
  // A prior of a thousandth of a row: prices that part the outcomes without fault would have no finite slope.
  const beta = fitLogistic(data, { mean: [0, 1], strength: 1e-3 });
  const slopeError = clusteredErrors(data, beta, cluster, clusters)[1] as number;
  return { slope: beta[1] as number, slopeError };
}
