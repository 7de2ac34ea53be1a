/** The chain of positions that the exchange states, what was closed of them, after how long, and at what profit. */
import { HOUR } from '../../tables/time.ts';
import { type Fills, feature, type Group, share, type Window } from './columns.ts';

const columns = [
  feature('positionChainShare', 'share', 'Fills whose start position follows from the fill before in the coin'),
  feature('reductionShare', 'share', 'USD that reduced a position by USD of fills with a known start; perpetuals'),
  feature('closedPnlUsd', 'USD', 'Profit realised, as the exchange reckons it; unknown if it is of any fill'),
  feature('profitableCloseShare', 'share', 'Fills that realised a profit among those that realised anything'),
  feature('feesUsd', 'USD', 'Fees paid; unknown if those of any fill are'),
  feature('holdingHours', 'hours', 'Time from opening to closing, first in first out, weighted by the USD closed'),
  feature('maxExposureUsd', 'USD', 'Largest position after a fill, at its price; perpetuals'),
];

/** One part in a million: spreadsheets round positions. */
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b), 1);

interface Lot {
  /** NaN if it was opened before the data. */
  readonly time: number;
  size: number;
}

interface Held {
  position: number;
  lots: Lot[];
}

/** What is kept of each fill: whether the chain held (1, 0, NaN), USD closed, USD closed with a known age, its hours. */
interface Steps {
  readonly chain: Float64Array;
  readonly closedUsd: Float64Array;
  readonly agedUsd: Float64Array;
  readonly agedHours: Float64Array;
}

export function makePositions(): Group {
  let steps: Steps;
  return {
    columns,
    load: (fills) => {
      steps = stepsOf(fills);
    },
    values: (window) => positionsOf(window, steps),
  };
}

/** Follows the fills of a wallet in each coin. */
function stepsOf({ count, of }: Fills): Steps {
  const steps: Steps = {
    chain: new Float64Array(count).fill(Number.NaN),
    closedUsd: new Float64Array(count).fill(Number.NaN),
    agedUsd: new Float64Array(count),
    agedHours: new Float64Array(count),
  };
  const coins = new Map<number, Held>();
  for (let i = 0; i < count; i++) {
    const coin = of.coin[i] as number;
    const start = of.startPosition[i] as number;
    if (Number.isNaN(start)) {
      coins.delete(coin);
      continue;
    }
    let held = coins.get(coin);
    if (held !== undefined) steps.chain[i] = near(held.position, start) ? 1 : 0;
    // Where the chain breaks, nothing is known of when the position was opened.
    if (held === undefined || steps.chain[i] === 0) {
      held = { position: start, lots: start === 0 ? [] : [{ time: Number.NaN, size: Math.abs(start) }] };
      coins.set(coin, held);
    }
    const price = of.price[i] as number;
    const time = of.time[i] as number;
    const change = (of.sign[i] as number) * (of.size[i] as number) - (of.feeCoins[i] as number);
    const closed = start * change < 0 ? Math.min(Math.abs(start), Math.abs(change)) : 0;
    steps.closedUsd[i] = closed * price;
    let left = closed;
    while (left > 0) {
      const lot = held.lots[0];
      if (lot === undefined) break;
      const part = Math.min(left, lot.size);
      if (!Number.isNaN(lot.time)) {
        steps.agedUsd[i] = (steps.agedUsd[i] as number) + part * price;
        steps.agedHours[i] = (steps.agedHours[i] as number) + (part * price * (time - lot.time)) / HOUR;
      }
      left -= part;
      lot.size -= part;
      // What rounding leaves of a lot is no lot.
      if (lot.size <= 1e-9 * part) held.lots.shift();
    }
    const opened = Math.abs(change) - closed;
    if (opened > 0) held.lots.push({ time, size: opened });
    held.position = start + change;
    if (held.position === 0) held.lots = [];
  }
  return steps;
}

function positionsOf({ fills, begin, end }: Window, steps: Steps): number[] {
  const { of } = fills;
  let [chained, held, known, closed] = [0, 0, 0, 0];
  let [profits, realised, agedUsd, agedHours] = [0, 0, 0, 0];
  let [pnl, fees, exposure] = [0, 0, Number.NaN];
  for (let i = begin; i < end; i++) {
    pnl += of.closedPnlUsd[i] as number;
    fees += of.feeUsd[i] as number;
    const own = of.closedPnlUsd[i] as number;
    if (own > 0) profits++;
    if (own > 0 || own < 0) realised++;
    if (!Number.isNaN(steps.chain[i] as number)) {
      chained++;
      held += steps.chain[i] as number;
    }
    agedUsd += steps.agedUsd[i] as number;
    agedHours += steps.agedHours[i] as number;
    const start = of.startPosition[i] as number;
    if (of.spot[i] === 1 || Number.isNaN(start)) continue;
    known += of.usd[i] as number;
    closed += steps.closedUsd[i] as number;
    const after = Math.abs(start + (of.sign[i] as number) * (of.size[i] as number)) * (of.price[i] as number);
    if (!(after <= exposure)) exposure = after;
  }
  return [
    share(held, chained),
    share(closed, known),
    pnl,
    share(profits, realised),
    fees,
    share(agedHours, agedUsd),
    exposure,
  ];
}
