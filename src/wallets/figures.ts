/** Figures of profiles: how many wallets, who is large, how uneven the volume is, who is ahead, whether prices are right. */
import type { Figure, ForestFigure } from '../contract/figure.ts';
import { counted, written } from '../evaluation/words.ts';
import { formatMoment } from '../tables/time.ts';
import type { CalibrationBucket } from './calibration.ts';
import { type Concentration, concentrationCurve, type ShareEstimate } from './concentration.ts';
import { percent } from './findings.ts';
import { histogramOf, type ProfileSummary } from './summary.ts';

/** What the figures say of how profiles were made. */
export interface Making {
  readonly minTrades: number;
  /** As written in the experiment: `90d`. */
  readonly lookback: string;
}

const BARS = 40;
const lastDateOf = (summary: ProfileSummary): string => formatMoment(summary.byDate.at(-1)?.asOf ?? 0);

export function walletsByDate(summary: ProfileSummary, { minTrades, lookback }: Making): Figure {
  const x = summary.byDate.map((date) => date.asOf / 1000);
  const last = summary.byDate.at(-1);
  const settled = last?.settled ?? 0;
  return {
    kind: 'line',
    id: 'wallets-by-date',
    section: 'data',
    title: `${counted(last?.wallets ?? 0, 'wallets')} at the last date, ${settled === 0 ? 'none' : settled.toLocaleString('en-US')} with a settled position`,
    subtitle: `Wallets with at least ${counted(minTrades, 'fills')} in the ${lookback} before; ${counted(summary.wallets, 'wallets')} in all, to ${lastDateOf(summary)}`,
    caption: 'A wallet counts as settled once a resolution of a position it entered in the window was known.',
    method: 'Settled and marked profit',
    x: { label: 'As of', scale: 'time' },
    y: { label: 'Wallets', scale: 'linear', min: 0 },
    series: [
      { label: 'Profiled', role: 'this', x, y: summary.byDate.map((date) => date.wallets) },
      { label: 'With a settled position', role: 'other', x, y: summary.byDate.map((date) => date.settled) },
    ],
  };
}

/** The largest wallets as of the last date; settled profit and profit at the mark stand apart. */
export function largestWallets(summary: ProfileSummary, found: Concentration, { lookback }: Making): Figure {
  const top = summary.largest.reduce((sum, row) => sum + row.volumeUsd, 0);
  return {
    kind: 'table',
    id: 'largest-wallets',
    section: 'wallets',
    title: `The ${counted(summary.largest.length, 'largest wallets')} made ${percent(top / found.volumeUsd)} of the volume`,
    subtitle: `Volume bought and sold in the ${lookback} before ${lastDateOf(summary)}, ${counted(found.wallets, 'wallets')}`,
    caption:
      'Settled profit counts positions whose resolution was known; profit at the mark values what is still held at its last price. A dash is unknown.',
    method: 'Settled and marked profit',
    columns: [
      { name: 'Wallet', align: 'left' },
      { name: 'Volume', unit: 'USD', align: 'right' },
      { name: 'Fills', align: 'right' },
      { name: 'Markets', align: 'right' },
      { name: 'Settled profit', unit: 'USD', align: 'right' },
      { name: 'Profit at the mark', unit: 'USD', align: 'right' },
    ],
    rows: summary.largest.map((row) => [
      row.wallet,
      row.volumeUsd,
      row.fills,
      row.markets,
      row.settledPnlUsd,
      row.markedPnlUsd,
    ]),
  };
}

export function concentrationFigure(summary: ProfileSummary, found: Concentration): Figure {
  const { x, y } = concentrationCurve(summary.volumes, 100);
  return {
    kind: 'line',
    id: 'volume-concentration',
    section: 'wallets',
    title: `The largest 10 % of wallets made ${percent(found.top10.value)} of the volume`,
    subtitle: `Share of ${written(found.volumeUsd)} USD by share of wallets, largest first; n = ${counted(found.wallets, 'wallets')} as of ${lastDateOf(summary)}`,
    caption: 'On the diagonal all wallets would have traded alike.',
    method: 'Concentration of volume',
    x: { label: 'Wallets, largest first', unit: 'share', scale: 'linear', min: 0, max: 1 },
    y: { label: 'Volume', unit: 'share', scale: 'linear', min: 0, max: 1 },
    reference: 'diagonal',
    series: [{ label: 'Wallets', role: 'this', x, y }],
  };
}

/** Settled profit, or where nothing is settled profit at the mark, and said to be so. */
export function profitFigure(summary: ProfileSummary, { lookback }: Making): Figure | undefined {
  const { settledPnlUsd: settled, marked } = summary;
  const common = { kind: 'histogram', section: 'wallets', method: 'Settled and marked profit' } as const;
  const outer = 'the outermost bars hold everything beyond them.';
  if (settled.length > 0) {
    const { edges, counts } = histogramOf(settled, BARS);
    const ahead = settled.filter((value) => value > 0).length;
    return {
      ...common,
      id: 'settled-profit',
      title: `${percent(ahead / settled.length)} of wallets are ahead on settled positions`,
      subtitle: `Settled profit after recorded fees, USD; n = ${counted(settled.length, 'wallets')} as of ${lastDateOf(summary)}`,
      caption: `Positions entered in the ${lookback} before; ${outer}`,
      x: { label: 'Settled profit', unit: 'USD', scale: 'linear' },
      edges,
      groups: [{ label: 'Wallets', role: 'this', counts }],
    };
  }
  if (marked.values.length === 0) return undefined;
  const { edges, counts } = histogramOf(marked.values, BARS);
  return {
    ...common,
    id: 'marked-profit',
    title: `${percent(marked.ahead / marked.values.length)} of wallets are ahead at the last price; nothing is settled`,
    subtitle: `Profit at the mark, not settled, USD; n = ${counted(marked.values.length, 'wallets')} as of ${lastDateOf(summary)}`,
    caption: `Fills of the ${lookback} before, what is still held valued at the last price of its token; ahead is a cent or more; ${outer}`,
    x: { label: 'Profit at the mark', unit: 'USD', scale: 'linear' },
    edges,
    groups: [{ label: 'Wallets', role: 'this', counts }],
  };
}

/** The answer drawn: what the largest wallets make, beside what they would if all traded alike. */
export function volumeShares(found: Concentration): ForestFigure {
  const rows = ([['10 %', found.top10] as const, ['1 %', found.top1] as const] as const).flatMap(([name, top]) => [
    row(`Largest ${name}`, 'this', top.wallets, top),
    row(`Largest ${name}, if alike`, 'baseline', top.wallets, { value: top.wallets / found.wallets }),
  ]);
  return {
    kind: 'forest',
    id: 'volume-shares',
    section: 'answer',
    title: 'What share of the volume did the largest wallets make?',
    subtitle: `Share of the volume, 95 % interval; n of ${counted(found.wallets, 'wallets')}`,
    caption: `Percentile intervals of ${found.resamples.toLocaleString('en-US')} resamples of wallets.`,
    method: 'Concentration of volume',
    unit: 'share',
    zero: 0,
    rows,
  };
}

function row(
  label: string,
  role: 'this' | 'baseline',
  n: number,
  estimate: { value: number; interval?: ShareEstimate['interval'] },
): ForestFigure['rows'][number] {
  const { value, interval } = estimate;
  const why = interval !== undefined && 'why' in interval ? { why: interval.why } : {};
  return { label, role, n, value, low: interval?.low ?? null, high: interval?.high ?? null, ...why };
}

/** Payout by price paid. Points and intervals may lie outside [0, 1] by sampling only; they are cut there. */
export function calibrationFigure(buckets: readonly CalibrationBucket[]): Figure {
  const bound = (bucket: CalibrationBucket, side: number): number | null =>
    Number.isNaN(bucket.standardError)
      ? null
      : Math.min(1, Math.max(0, bucket.outcome + side * 1.96 * bucket.standardError));
  const judged = buckets.filter((bucket) => !Number.isNaN(bucket.standardError));
  const right = judged.filter(
    (bucket) => bucket.price >= (bound(bucket, -1) as number) && bucket.price <= (bound(bucket, 1) as number),
  );
  return {
    kind: 'line',
    id: 'price-calibration',
    section: 'data',
    title:
      judged.length === 0
        ? 'Too few events to say whether prices are right'
        : `Prices agree with payouts, within their intervals, in ${right.length} of ${counted(judged.length, 'price ranges')}`,
    subtitle: `Payout by price paid, weighted by shares, 95 % interval; n = ${counted(
      buckets.reduce((sum, bucket) => sum + bucket.fills, 0),
      'purchases',
    )}`,
    caption:
      'Purchases of resolved markets before the outcome was public, in tenths of a dollar; intervals are clustered by event.',
    method: 'Calibration of prices',
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
