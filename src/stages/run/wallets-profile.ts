import type { Figure } from '../../contract/figure.ts';
import type { StageContext } from '../../contract/stage.ts';
import { openDuck } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { type CalibrationBucket, calibrationOf } from '../../wallets/calibration.ts';
import { profileWallets } from '../../wallets/profile.ts';
import { histogramOf, type ProfileSummary, summariseProfiles } from '../../wallets/summary.ts';
import type { Params } from '../wallets-profile.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params, resources } = context;
  // DuckDB takes up to half a gigabyte beyond its limit.
  const memoryMb = Math.max(256, resources.memoryMb - 768);
  const duck = await openDuck({ threads: resources.threads, memoryMb, scratch: await context.scratch() });
  try {
    const sources = {
      trades: context.input('trades').path,
      markets: context.input('markets').path,
      resolutions: context.optionalInput('resolutions')?.path,
    };
    const result = await profileWallets(duck, sources, params, context.outputPath('table'), (done, total) => {
      if (done % 1000 === 0) context.throwIfCancelled();
      context.progress(done, total, 'wallets');
    });
    const summary = await summariseProfiles(duck);
    const calibration = await calibrationOf(duck, sources);
    const { times } = result.dates;
    const [firstDate, lastDate] = [times[0] as number, times[times.length - 1] as number].map(formatMoment);
    const last = summary.byDate.at(-1);
    await context.writeMetrics('metrics', {
      scalars: {
        rows: result.rows,
        wallets: summary.wallets,
        dates: times.length,
        'lastDate.wallets': last?.wallets ?? 0,
        'lastDate.walletsSettled': last?.settled ?? 0,
        ...Object.fromEntries(Object.entries(summary.missing).map(([name, count]) => [`missing.${name}`, count])),
      },
      notes: [
        `${times.length} dates from ${firstDate} to ${lastDate}, every ${params.asOf.every}, each with the ${params.asOf.lookback} before it; the trades run from ${formatMoment(result.extent.first)} to ${formatMoment(result.extent.last)}.`,
        'A resolution counts from the moment it could be known; fills made after that moment are no part of edge or profit.',
        ...(sources.resolutions === undefined ? ['Without resolutions no profit, win rate or edge is known.'] : []),
      ],
    });
    await context.writeFigures('figures', figures(params, summary, calibration));
  } finally {
    duck.close();
  }
}

function figures(
  params: Params,
  summary: ProfileSummary,
  calibration: readonly CalibrationBucket[],
): readonly Figure[] {
  const all: Figure[] = [];
  const x = summary.byDate.map((date) => date.asOf / 1000);
  all.push({
    kind: 'line',
    id: 'wallets-by-date',
    section: 'data',
    title: 'How many wallets are there to learn from at each date?',
    subtitle: `Wallets with at least ${params.minTrades} fills in the ${params.asOf.lookback} before; ${summary.wallets} in all`,
    caption: 'A wallet counts as settled once a resolution of a position it entered in the window was known.',
    x: { label: 'As of', scale: 'time' },
    y: { label: 'Wallets', scale: 'linear', min: 0 },
    series: [
      { label: 'Profiled', role: 'this', x, y: summary.byDate.map((date) => date.wallets) },
      { label: 'With a settled position', role: 'other', x, y: summary.byDate.map((date) => date.settled) },
    ],
  });
  const profits = summary.settledPnlUsd;
  if (profits.length > 0) {
    const { edges, counts } = histogramOf(profits, 40);
    const ahead = profits.filter((value) => value > 0).length;
    const last = formatMoment(summary.byDate.at(-1)?.asOf ?? 0);
    all.push({
      kind: 'histogram',
      id: 'settled-profit',
      section: 'wallets',
      title: `${Math.round((100 * ahead) / profits.length)} % of wallets are ahead on settled positions`,
      subtitle: `Settled profit after recorded fees, USD; n = ${profits.length} wallets as of ${last}`,
      caption: `Positions entered in the ${params.asOf.lookback} before; the outermost bars hold everything beyond them.`,
      x: { label: 'Settled profit', unit: 'USD', scale: 'linear' },
      edges,
      groups: [{ label: 'Wallets', role: 'this', counts }],
    });
  }
  if (calibration.length > 0) all.push(calibrationFigure(calibration));
  return all;
}

function calibrationFigure(buckets: readonly CalibrationBucket[]): Figure {
  const bound = (bucket: CalibrationBucket, side: number): number | null =>
    Number.isNaN(bucket.standardError)
      ? null
      : Math.min(1, Math.max(0, bucket.outcome + side * 1.96 * bucket.standardError));
  return {
    kind: 'line',
    id: 'price-calibration',
    section: 'data',
    title: 'Do prices say how often outcomes come true?',
    subtitle: `Payout by price paid, weighted by shares, 95 % interval; n = ${buckets.reduce((sum, b) => sum + b.fills, 0)} purchases`,
    caption:
      'Purchases of resolved markets before the outcome was public, in tenths of a dollar; intervals are clustered by event.',
    x: { label: 'Price paid', unit: 'USD/share', scale: 'linear', min: 0, max: 1 },
    y: { label: 'Payout', unit: 'USD/share', scale: 'linear', min: 0, max: 1 },
    reference: 'diagonal',
    series: [
      {
        label: 'Purchases',
        role: 'this',
        x: buckets.map((bucket) => bucket.price),
        y: buckets.map((bucket) => bucket.outcome),
        low: buckets.map((bucket) => bound(bucket, -1)),
        high: buckets.map((bucket) => bound(bucket, 1)),
        dots: true,
      },
    ],
  };
}
