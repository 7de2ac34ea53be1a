import type { Figure } from '../../contract/figure.ts';
import type { StageContext } from '../../contract/stage.ts';
import { calibrationCurve } from '../../evaluation/curves.ts';
import { counted } from '../../evaluation/words.ts';
import * as draw from '../../markets/prices/figures.ts';
import { daysOfTrades, marketVolumes, observePrices, type PriceSources } from '../../markets/prices/observe.ts';
import { reliabilityOf } from '../../markets/prices/reliability.ts';
import type { Duck } from '../../tables/duck.ts';
import type { Params } from '../markets-describe.ts';
import { openTaskDuck } from './task-duck.ts';

const GROUPS = 10;

export default async function run(context: StageContext<Params>): Promise<void> {
  const duck = await openTaskDuck(context);
  try {
    const sources = {
      trades: context.input('trades').path,
      markets: context.input('markets').path,
      resolutions: context.optionalInput('resolutions')?.path,
    };
    const days = await daysOfTrades(duck, sources.trades);
    const volumes = await marketVolumes(duck, sources);
    const judged = await judgePrices(context, duck, sources);
    await context.writeMetrics('metrics', {
      scalars: {
        days: days.length,
        daysMissing: draw.gapsOf(days).reduce((sum, { length }) => sum + length, 0),
        fills: days.reduce((sum, { fills }) => sum + fills, 0),
        usd: days.reduce((sum, { usd }) => sum + usd, 0),
        markets: volumes.length,
        ...judged.scalars,
      },
      notes: [
        'Volume counts every match once; a resolved market counts once at each time to its close, whatever its number of fills.',
      ],
    });
    await context.writeFigures('figures', [
      ...draw.present([draw.coverageFigure(days), draw.volumeByMarket(volumes)]),
      ...judged.figures,
    ]);
  } finally {
    duck.close();
  }
}

async function judgePrices(
  { params, rng }: StageContext<Params>,
  duck: Duck,
  { resolutions, ...rest }: PriceSources,
): Promise<{ figures: readonly Figure[]; scalars: Record<string, number | null> }> {
  if (resolutions === undefined) return { figures: [], scalars: {} };
  const rows: draw.ReliabilityRow[] = [];
  const figures: Figure[] = [];
  for (const [k, hours] of params.hoursToClose.entries()) {
    const seen = await observePrices(duck, { ...rest, resolutions }, hours);
    const whole = { ...reliabilityOf(seen), label: `${counted(hours, 'hours')} before`, hours, whole: true };
    rows.push(whole);
    if (k > 0) continue;
    for (const category of [...new Set(seen.category)].sort((a, b) => (a < b ? -1 : 1)))
      rows.push({
        ...reliabilityOf(seen, (i) => seen.category[i] === category),
        label: `${counted(hours, 'hours')} before, ${category}`,
        hours,
        whole: false,
      });
    if (whole.markets === 0) continue;
    const observed = { actual: seen.happened, predicted: seen.price, cluster: [...seen.event] };
    const { counts: _, ...curve } = calibrationCurve(observed, GROUPS, rng('reliability'), params.resamples);
    figures.push(draw.reliabilityFigure(whole, curve));
  }
  if (rows.every(({ markets }) => markets === 0)) return { figures: [], scalars: { resolved: 0 } };
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const main = rows[0] as draw.ReliabilityRow;
  return {
    figures: [...figures, draw.slopeFigure(rows), draw.scoresTable(rows)],
    scalars: {
      resolved: main.markets,
      brier: known(main.brier),
      reliability: known(main.reliability),
      resolution: known(main.resolution),
      longshotSlope: known(main.slope),
      'longshotSlope.error': known(main.slopeError),
    },
  };
}
