/** What any source says of its trades: totals, and figures for the data section of the report. */
import type { Figure, HistogramFigure, LineFigure } from '../contract/figure.ts';
import type { Quality } from '../contract/metrics.ts';
import type { Duck } from '../tables/duck.ts';
import { parquetRelation } from '../tables/parquet-files.ts';

/** Totals of a canonical trades file. Sums are exact; they become doubles only here. */
export interface TradeTotals {
  readonly rows: number;
  readonly wallets: number;
  readonly markets: number;
  readonly tokens: number;
  /** USD over all rows; a match with both sides recorded counts twice. */
  readonly usd: number;
  /** UTC milliseconds; null in an empty file. */
  readonly from: number | null;
  readonly to: number | null;
}

export async function tradeTotals(duck: Pick<Duck, 'rows'>, trades: string): Promise<TradeTotals> {
  const [totals] = await duck.rows<TradeTotals>(
    `SELECT count(*)::DOUBLE AS "rows", count(DISTINCT wallet)::DOUBLE AS wallets,
       count(DISTINCT market)::DOUBLE AS markets, count(DISTINCT token)::DOUBLE AS tokens,
       coalesce(sum(usd), 0)::DOUBLE AS usd, epoch_ms(min(time))::DOUBLE AS "from", epoch_ms(max(time))::DOUBLE AS "to"
     FROM ${parquetRelation(trades)}`,
  );
  return totals as TradeTotals;
}

const HOUR_MS = 3_600_000;

/** The bucket, in milliseconds, that gives a few hundred points at most. */
function bucketOf(spanMs: number): { readonly ms: number; readonly name: string } {
  if (spanMs <= 14 * 24 * HOUR_MS) return { ms: HOUR_MS, name: 'hour' };
  if (spanMs <= 400 * 24 * HOUR_MS) return { ms: 24 * HOUR_MS, name: 'day' };
  return { ms: 7 * 24 * HOUR_MS, name: 'week' };
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Relations, as SQL, of what a caller has counted already. */
export interface TradeCounts {
  /** A row an hour with trades: `hour` since 1970, `fills`, `usd`. */
  readonly byHour?: string;
  /** A row a wallet: `fills`. */
  readonly byWallet?: string;
}

/** Fills and volume over time, and wallets by number of fills. */
export async function tradeFigures(
  duck: Pick<Duck, 'rows'>,
  trades: string,
  totals: TradeTotals,
  counted: TradeCounts = {},
): Promise<readonly Figure[]> {
  const { from, to } = totals;
  if (from === null || to === null) return [];
  const {
    byHour = `(SELECT epoch_ms(time) // ${HOUR_MS} AS hour, count(*) AS fills, sum(usd) AS usd FROM ${parquetRelation(trades)} GROUP BY hour)`,
    byWallet = `(SELECT count(*) AS fills FROM ${parquetRelation(trades)} GROUP BY wallet)`,
  } = counted;
  return [...(await overTime(duck, byHour, totals, from, to)), await walletsBySize(duck, byWallet, totals)];
}

async function overTime(
  duck: Pick<Duck, 'rows'>,
  byHour: string,
  totals: TradeTotals,
  from: number,
  to: number,
): Promise<readonly LineFigure[]> {
  const bucket = bucketOf(to - from);
  const counts = await duck.rows<{ bucket: number; fills: number; usd: number }>(
    `SELECT (hour // ${bucket.ms / HOUR_MS})::DOUBLE AS bucket, sum(fills)::DOUBLE AS fills, sum(usd)::DOUBLE AS usd
     FROM ${byHour} GROUP BY bucket ORDER BY bucket`,
  );
  const first = Math.floor(from / bucket.ms);
  const size = Math.floor(to / bucket.ms) - first + 1;
  // Buckets without a fill are zero, not a gap: the file covers them.
  const fills = new Array<number>(size).fill(0);
  const usd = new Array<number>(size).fill(0);
  for (const row of counts) {
    fills[row.bucket - first] = row.fills;
    usd[row.bucket - first] = row.usd;
  }
  const x = fills.map((_, i) => (first + i) * bucket.ms);
  const axis = { label: 'Time (UTC)', scale: 'time' } as const;
  const period = `${day(from)} to ${day(to)}`;
  const peak = usd.indexOf(Math.max(...usd));
  const when = new Date(x[peak] as number)
    .toISOString()
    .slice(0, bucket.ms === HOUR_MS ? 16 : 10)
    .replace('T', ' ');
  return [
    {
      id: 'fills-over-time',
      section: 'data',
      kind: 'line',
      title: `${whole(totals.rows)} fills of ${whole(totals.wallets)} wallets in ${whole(totals.markets)} markets`,
      subtitle: `Fills per ${bucket.name}, ${period}; n = ${whole(totals.rows)}`,
      caption: 'One row is one fill of one wallet: where both sides of a match are recorded, both are counted.',
      x: axis,
      y: { label: `Fills per ${bucket.name}`, scale: 'linear', min: 0 },
      series: [{ label: 'fills', role: 'this', x, y: fills }],
    },
    {
      id: 'volume-over-time',
      section: 'data',
      kind: 'line',
      title: `${whole(totals.usd)} USD changed hands; the busiest ${bucket.name} began ${when}`,
      subtitle: `USD per ${bucket.name}, ${period}; n = ${whole(totals.rows)} fills`,
      caption: 'Cash of all rows, added up exactly; a match of which both sides are recorded counts on both.',
      x: axis,
      y: { label: `Volume per ${bucket.name}`, unit: 'USD', scale: 'linear', min: 0 },
      series: [{ label: 'volume', role: 'this', x, y: usd }],
    },
  ];
}

async function walletsBySize(
  duck: Pick<Duck, 'rows'>,
  byWallet: string,
  totals: TradeTotals,
): Promise<HistogramFigure> {
  const sizes = await duck.rows<{ fills: number; wallets: number; usd: number }>(
    `SELECT fills::DOUBLE AS fills, count(*)::DOUBLE AS wallets FROM ${byWallet} GROUP BY fills ORDER BY fills`,
  );
  const largest = sizes.at(-1)?.fills ?? 1;
  const edges = [1];
  while ((edges.at(-1) as number) <= largest) edges.push((edges.at(-1) as number) * 2);
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const { fills, wallets } of sizes) {
    const bin = edges.findLastIndex((edge) => edge <= fills);
    counts[bin] = (counts[bin] as number) + wallets;
  }
  // The fewest wallets that together made half of all fills.
  let left = totals.rows / 2;
  let half = 0;
  for (const { fills, wallets } of sizes.toReversed()) {
    const needed = Math.min(wallets, Math.ceil(left / fills));
    half += needed;
    left -= needed * fills;
    if (left <= 0) break;
  }
  return {
    id: 'wallets-by-size',
    section: 'data',
    kind: 'histogram',
    title: `${whole(half)} of ${whole(totals.wallets)} wallets made half of the fills`,
    subtitle: `Wallets by number of fills, logarithmic bins; n = ${whole(totals.wallets)} wallets`,
    caption: 'Each bin holds the wallets with at least its lower and less than its upper number of fills.',
    x: { label: 'Fills of a wallet', scale: 'log', min: 1 },
    edges,
    groups: [{ label: 'wallets', role: 'this', counts }],
  };
}

/** The reasons for which rows were refused, sorted; undefined if none was. */
export function rejectionFigure(quality: Quality): Figure | undefined {
  if (quality.rejected.length === 0) return undefined;
  const refused = quality.rejected.reduce((sum, { count }) => sum + count, 0);
  return {
    id: 'rejected-rows',
    section: 'data',
    kind: 'bars',
    title: `${whole(refused)} of ${whole(quality.rowsRead)} rows were refused`,
    subtitle: `Rows by reason; n = ${whole(refused)}`,
    caption: 'A row counts under the first reason found; the note names its first occurrence.',
    unit: 'rows',
    bars: [...quality.rejected]
      .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
      .map(({ reason, count, first }) => ({ label: reason, role: 'cost', value: count, note: first })),
  };
}
