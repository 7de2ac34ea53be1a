/** Figures of what was imported: how much of what, over which time, with which gaps; fills over time. */
import type { Figure } from '../../contract/figure.ts';
import { counted, written } from '../../evaluation/words.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { PerpetualTable } from './canonical.ts';
import type { Coverage } from './tables.ts';

const moment = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

const units: Readonly<Record<PerpetualTable, string>> = {
  fills: 'fills of wallets',
  prints: 'public trades',
  quotes: 'best bid and offer',
  books: 'snapshots of the book',
  candles: 'complete candles',
  blocks: 'blocks',
  transactions: 'transactions',
};

/** What there is of each table, and the longest time without any. */
export function coverageFigure(coverage: ReadonlyMap<PerpetualTable, Coverage>): Figure {
  const filled = [...coverage].filter(([, { rows }]) => rows > 0);
  const widest = filled
    .filter(([table]) => table === 'quotes' || table === 'books')
    .sort(([, a], [, b]) => (b.longestGap ?? 0) - (a.longestGap ?? 0))[0];
  const gap = widest?.[1].longestGap ?? null;
  return {
    kind: 'table',
    id: 'recorded-coverage',
    section: 'data',
    title:
      widest === undefined || gap === null
        ? 'No quotes and no books were recorded'
        : `The ${widest[0]} of a coin stand still for up to ${written(gap)} seconds`,
    subtitle: `${counted(filled.length, 'kinds')} of records with data; times in UTC`,
    caption:
      'A gap is the longest time between two rows of one coin; delay is the median of receipt less exchange time.',
    method: 'Perpetual exchange data',
    columns: [
      { name: 'Table', align: 'left' },
      { name: 'What', align: 'left' },
      { name: 'Rows', align: 'right' },
      { name: 'Coins', align: 'right' },
      { name: 'From', align: 'left' },
      { name: 'To', align: 'left' },
      { name: 'Longest gap', unit: 's', align: 'right' },
      { name: 'Delay', unit: 'ms', align: 'right' },
    ],
    rows: [...coverage].map(([table, found]) => [
      table,
      units[table],
      found.rows,
      found.coins,
      moment(found.from),
      moment(found.to),
      found.longestGap,
      found.delay,
    ]),
  };
}

const HOUR_MS = 3_600_000;

/** Volume of fills over time; nothing without fills. */
export async function fillsOverTime(duck: Pick<Duck, 'rows'>, fills: string): Promise<Figure[]> {
  const file = `read_parquet(${quote(fills)})`;
  const [all] = await duck.rows<{ rows: number; wallets: number; usd: number; from: number | null; to: number }>(
    `SELECT count(*)::DOUBLE AS "rows", count(DISTINCT wallet)::DOUBLE AS wallets, coalesce(sum(usd), 0)::DOUBLE AS usd,
       epoch_ms(min(time))::DOUBLE AS "from", epoch_ms(max(time))::DOUBLE AS "to" FROM ${file}`,
  );
  if (all === undefined || all.from === null) return [];
  const span = all.to - all.from;
  const [bucket, name] =
    span <= 3 * HOUR_MS ? [60_000, 'minute'] : span <= 14 * 24 * HOUR_MS ? [HOUR_MS, 'hour'] : [24 * HOUR_MS, 'day'];
  const sums = await duck.rows<{ bucket: number; usd: number }>(
    `SELECT (epoch_ms(time) // ${bucket})::DOUBLE AS bucket, sum(usd)::DOUBLE AS usd FROM ${file}
     GROUP BY bucket ORDER BY bucket`,
  );
  const first = Math.floor(all.from / bucket);
  const usd = new Array<number>(Math.floor(all.to / bucket) - first + 1).fill(0);
  for (const row of sums) usd[row.bucket - first] = row.usd;
  const busiest = sums.reduce((best, row) => (row.usd > best.usd ? row : best), { bucket: first, usd: -1 });
  return [
    {
      kind: 'line',
      id: 'fills-over-time',
      section: 'data',
      title: `${counted(all.rows, 'fills')} of ${counted(all.wallets, 'wallets')}; the busiest ${name} began ${moment(busiest.bucket * bucket)}`,
      subtitle: `Volume per ${name}, USD; ${written(all.usd)} USD in all`,
      caption: 'One row is one fill of one wallet: a match of which both sides are recorded counts on both.',
      method: 'Perpetual exchange data',
      x: { label: 'Time (UTC)', scale: 'time' },
      y: { label: `Volume per ${name}`, unit: 'USD', scale: 'linear', min: 0 },
      series: [{ label: 'Volume', role: 'this', x: usd.map((_, i) => (first + i) * bucket), y: usd }],
    },
  ];
}
