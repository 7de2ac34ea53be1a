/** The candles in which a wallet trades: same coin, the one that holds the time of the execution. */
import type { Tuple } from '../../tuple.ts';
import { feature, type Group, Moments, share, type Window } from './columns.ts';

const measures = [
  ['Volatility', 'ratio', '(high - low) / open'],
  ['Momentum', 'ratio', '(close - open) / open'],
  ['Trend', 'share', '|close - open| / (high - low), without flat candles'],
  ['Volume', 'coins', 'volume'],
] as const;

const columns = [
  ...measures.flatMap(([name, unit, formula]) => [
    feature(`candle${name}Mean`, unit, `Mean of ${formula} of the candles in which executions happened`),
    feature(`candle${name}Max`, unit, `Maximum of ${formula}`),
    feature(`candle${name}Deviation`, unit, `Sample standard deviation of ${formula}; unknown below two`),
  ]),
  feature('positiveMomentumRatio', 'share', 'Executions in candles that closed above their open'),
];

/** A candle counts once it was known: one that was still forming at the date does not. */
export const candles: Group = { columns, values: candlesOf };

function candlesOf({ fills, begin, end, asOf }: Window): number[] {
  const { of } = fills;
  const moments = measures.map(() => new Moments()) as Tuple<Moments, 4>;
  const [volatility, momentum, trend, volume] = moments;
  let rising = 0;
  for (let i = begin; i < end; i++) {
    if (Number.isNaN(of.executionUsd[i] as number) || !((of.candleKnownAt[i] as number) < asOf)) continue;
    const [open, close] = [of.open[i] as number, of.close[i] as number];
    const range = (of.high[i] as number) - (of.low[i] as number);
    volatility.add(range / open);
    momentum.add((close - open) / open);
    if (range > 0) trend.add(Math.abs(close - open) / range);
    volume.add(of.volume[i] as number);
    if (close > open) rising++;
  }
  return [...moments.flatMap((one) => [one.mean, one.max, one.deviation]), share(rising, momentum.n)];
}
