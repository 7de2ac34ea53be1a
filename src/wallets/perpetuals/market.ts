/** What a wallet pays to trade and does to prices: against the quotes and books that stood before its executions. */
import { feature, type Group, Moments, share, type Window } from './columns.ts';

const BPS = 10_000;

const columns = [
  feature('quotedShare', 'share', 'Executions with a fresh quote of both sides before them'),
  feature('slippageMean', 'ratio', 'Mean of |price - mid| / mid over quoted executions'),
  feature('slippageDeviation', 'ratio', 'Sample standard deviation of |price - mid| / mid; unknown below two'),
  feature('takerSlippageBps', 'bp', 'Mean of what takers paid beyond the mid, by the mid'),
  feature('makerCaptureBps', 'bp', 'Mean of what makers gained on the mid, by the mid'),
  feature(
    'bookWalkBps',
    'bp',
    'Mean of what taking the size from the book before would have cost beyond its mid; takers',
  ),
  feature('depthShareMean', 'share', 'Mean size of taker executions by the five best levels before them, at most 1'),
  feature('depthShareMax', 'share', 'The largest of these'),
  feature('priceImpactBps', 'bp', 'Mean move of the mid to the side of taker executions, a moment later, by the mid'),
  feature(
    'orderBookParticipation',
    'share',
    'Mean over maker executions of the share of the best quote on their side that was theirs; 0 if they did not stand at the best price',
  ),
];

export const market: Group = { columns, values: marketOf };

function marketOf({ fills, begin, end, asOf }: Window): number[] {
  const { of } = fills;
  const [slippage, taken, gained] = [new Moments(), new Moments(), new Moments()];
  const [walk, depth, impact, participation] = [new Moments(), new Moments(), new Moments(), new Moments()];
  let executions = 0;
  for (let i = begin; i < end; i++) {
    const usd = of.executionUsd[i] as number;
    if (Number.isNaN(usd)) continue;
    executions++;
    const size = of.executionSize[i] as number;
    const price = usd / size;
    const sign = of.sign[i] as number;
    const maker = of.maker[i] as number;
    const mid = ((of.bid[i] as number) + (of.ask[i] as number)) / 2;
    const beyond = (sign * (price - mid)) / mid;
    slippage.add(Math.abs(beyond));
    if (maker === 0) {
      taken.add(BPS * beyond);
      const bookMid = of.bookMid[i] as number;
      walk.add((BPS * sign * ((of.walkPrice[i] as number) - bookMid)) / bookMid);
      depth.add(Math.min(1, size / (of.depth[i] as number)));
      if ((of.laterAt[i] as number) < asOf) impact.add((BPS * sign * ((of.laterMid[i] as number) - mid)) / mid);
    } else if (maker === 1) {
      gained.add(-BPS * beyond);
      participation.add(standing(of, i, size));
    }
  }
  return [
    share(slippage.n, executions),
    slippage.mean,
    slippage.deviation,
    taken.mean,
    gained.mean,
    walk.mean,
    depth.mean,
    depth.max,
    impact.mean,
    participation.mean,
  ];
}

/** Share of the best quote on the maker's side that the execution was, by the price of its first fill. */
function standing(of: Window['fills']['of'], i: number, size: number): number {
  const buys = (of.sign[i] as number) > 0;
  const best = (buys ? of.bid : of.ask)[i] as number;
  const quoted = (buys ? of.bidSize : of.askSize)[i] as number;
  if (Number.isNaN(best)) return Number.NaN;
  return (of.price[i] as number) === best ? Math.min(1, size / quoted) : 0;
}
