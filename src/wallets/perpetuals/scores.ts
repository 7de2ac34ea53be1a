/** Scores of style: with or against the last candle, when it is lively, on both sides of the book. */
import { feature, type Group, Moments, share, type Window } from './columns.ts';

const columns = [
  feature(
    'momentumScore',
    'score',
    'Mean of min(1, 10 |d|) where the execution goes with the last candle, 0 where not',
  ),
  feature('meanReversionScore', 'score', 'Mean of min(1, 10 |d|) where it goes against the last candle, 0 where not'),
  feature('volatilityScore', 'score', 'Mean of min(1, 10 (high - low) / open) of the last candle before executions'),
  feature('spreadTightness', 'score', 'Mean of max(0, 1 - s / 0.001) of the relative spread s before executions'),
  feature('makerShare', 'share', 'Maker executions among those whose role is known'),
  feature('twoSidedness', 'share', 'Twice the smaller of USD bought and sold as maker, by coin, by their sum'),
  feature('marketMakerScore', 'score', 'makerShare x twoSidedness; 0 without a maker execution'),
];

/** d is the relative change of the last candle that was complete and known before the execution. */
export const scores: Group = { columns, values: scoresOf };

function scoresOf({ fills, begin, end }: Window): number[] {
  const { of } = fills;
  const [momentum, reversion, volatility, tightness] = [new Moments(), new Moments(), new Moments(), new Moments()];
  const passive = new Map<number, [bought: number, sold: number]>();
  let [makers, takers] = [0, 0];
  for (let i = begin; i < end; i++) {
    const usd = of.executionUsd[i] as number;
    if (Number.isNaN(usd)) continue;
    const sign = of.sign[i] as number;
    const open = of.pastOpen[i] as number;
    const change = ((of.pastClose[i] as number) - open) / open;
    if (!Number.isNaN(change)) {
      const strength = Math.min(1, 10 * Math.abs(change));
      momentum.add(sign * change > 0 ? strength : 0);
      reversion.add(sign * change < 0 ? strength : 0);
      volatility.add(Math.min(1, (10 * ((of.pastHigh[i] as number) - (of.pastLow[i] as number))) / open));
    }
    const [bid, ask] = [of.bid[i] as number, of.ask[i] as number];
    tightness.add(Math.max(0, 1 - (2 * (ask - bid)) / (ask + bid) / 0.001));
    if (of.maker[i] === 1) {
      makers++;
      const sides = passive.get(of.coin[i] as number) ?? [0, 0];
      sides[sign > 0 ? 0 : 1] += usd;
      passive.set(of.coin[i] as number, sides);
    } else if (of.maker[i] === 0) takers++;
  }
  let [matched, all] = [0, 0];
  for (const [bought, sold] of passive.values()) {
    matched += 2 * Math.min(bought, sold);
    all += bought + sold;
  }
  const makerShare = share(makers, makers + takers);
  const twoSidedness = share(matched, all);
  return [
    momentum.mean,
    reversion.mean,
    volatility.mean,
    tightness.mean,
    makerShare,
    twoSidedness,
    makers === 0 ? makerShare : makerShare * twoSidedness,
  ];
}
