/** What became of the rows of an import of fills: metrics, quality of each file, figures. */
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { rejectionFigure, tradeFigures, tradeTotals } from '../describe.ts';
import type { FeeUnit } from './order-filled.ts';

export interface FillFiles {
  readonly format: 'order-filled' | 'logs' | 'data-api';
  readonly files: readonly string[];
  readonly unknownTokens: 'reject' | 'own-market';
  readonly cutTransactions: 'keep' | 'drop';
  readonly feeUnit?: FeeUnit | undefined;
  readonly takersOnly: boolean;
  readonly duplicates: 'keep' | 'drop-exact';
  readonly maxRejected: number;
}

/** What is known of a file once its good rows are in the table `fills`. */
export interface LoadedFile {
  readonly name: string;
  readonly rowsRead: number;
  readonly rejected: Quality['rejected'];
  readonly facts: NonNullable<Quality['facts']>;
}

interface FileCounts {
  readonly good: number;
  readonly kept: number;
  readonly from: number | null;
  readonly to: number | null;
}

/** Reads the tables `fills` and `ranks` and the canonical trades. */
export async function describeFills(
  duck: Duck,
  options: FillFiles,
  loaded: readonly LoadedFile[],
  trades: string,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const totals = await tradeTotals(duck, trades);
  const firsts = `(SELECT * FROM fills QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY file, "row") = 1)`;
  const sums = (relation: string): Promise<{ rows: number; usd: number; takerUsd: number }[]> =>
    duck.rows(`SELECT count(*)::DOUBLE AS "rows", coalesce(sum(usd), 0)::DOUBLE AS usd,
      coalesce(sum(usd) FILTER (role = 'taker'), 0)::DOUBLE AS "takerUsd" FROM ${relation}`);
  const [keep] = await sums('fills');
  const [drop] = await sums(firsts);
  const [both] = await duck.rows<{ takerUsd: number; unknown: number }>(
    `SELECT coalesce(sum(usd) FILTER (role = 'taker'), 0)::DOUBLE AS "takerUsd",
       count(*) FILTER (outcomeIndex IS NULL)::DOUBLE AS "unknown" FROM read_parquet(${quote(trades)})`,
  );
  if (keep === undefined || drop === undefined || both === undefined) throw new Error('an aggregate gave no row');
  const quality: Quality[] = [];
  for (const [i, { name, rowsRead, rejected, facts }] of loaded.entries()) {
    const [counts] = await duck.rows<FileCounts>(`SELECT count(*)::DOUBLE AS good, count(ranks."row")::DOUBLE AS kept,
        epoch_ms(min(time))::DOUBLE AS "from", epoch_ms(max(time))::DOUBLE AS "to"
      FROM fills LEFT JOIN ranks USING (file, "row") WHERE file = ${i}`);
    const { good, kept, from, to } = counts as FileCounts;
    const repeated = await duck.rows<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM (SELECT file,
      row_number() OVER (PARTITION BY fingerprint ORDER BY file, "row") AS nth FROM fills) WHERE nth > 1 AND file = ${i}`);
    quality.push({
      source: name,
      rowsRead,
      rowsKept: options.duplicates === 'keep' ? good : kept,
      rejected,
      duplicates: { count: repeated[0]?.n ?? 0, policy: options.duplicates },
      ...(from === null || to === null ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
      facts: [...facts, ...(rowsRead === 0 ? [{ label: 'The feed is empty', value: 1 }] : [])],
    });
  }
  const [first, ...others] = quality as [Quality, ...Quality[]];
  const refused = quality.flatMap(({ rejected }) => rejected).reduce((sum, { count }) => sum + count, 0);
  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      rejected: refused,
      duplicates: quality.reduce((sum, { duplicates }) => sum + duplicates.count, 0),
      wallets: totals.wallets,
      markets: totals.markets,
      tokens: totals.tokens,
      usd: totals.usd,
      takerUsd: options.format === 'data-api' && !options.takersOnly ? null : both.takerUsd,
      unknownOutcomes: both.unknown,
    },
    quality: [
      {
        ...first,
        totals: [
          { label: 'Fills', keep: keep.rows, dropExact: drop.rows, unit: 'rows' },
          { label: 'Volume of all rows', keep: keep.usd, dropExact: drop.usd, unit: 'USD' },
          {
            label: 'Volume counted once a match (fills of takers)',
            keep: keep.takerUsd,
            dropExact: drop.takerUsd,
            unit: 'USD',
          },
        ],
      },
      ...others,
    ],
    notes: notesOf(options),
  };
  const figures = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  return {
    metrics,
    figures: [
      ...(await tradeFigures(duck, trades, totals)),
      ...figures.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
    ],
  };
}

function notesOf({ format, unknownTokens }: FillFiles): string[] {
  const own =
    unknownTokens === 'own-market' && format !== 'data-api'
      ? [
          'A token that is in none of the markets given counts as a market of its own, named like the token, its outcome unknown.',
        ]
      : [];
  if (format === 'logs')
    return [
      ...own,
      'The logs have no times of blocks: the time of a fill is when the first log of its transaction was stored.',
    ];
  if (format === 'data-api')
    return ['The API tells size and price; cash is their product, rounded half to even once. Fees are not told.'];
  return own;
}
