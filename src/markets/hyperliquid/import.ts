/** Recordings of a perpetual exchange in, canonical tables out, with an account of every record. */
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { rejectionFigure } from '../describe.ts';
import { type PerpetualTable, perpetualTables } from './canonical.ts';
import { coverageFigure, fillsOverTime } from './describe.ts';
import { checkRefused, countRefusal, type FileAccount, type RecordedFile, readRecording, rejectedOf } from './read.ts';
import { openStaging } from './staging.ts';
import { type Coverage, coverageOf, judge, unfinishedCandles, writeTable } from './tables.ts';

export interface HyperliquidOptions {
  readonly files: readonly RecordedFile[];
  readonly duplicates: 'keep' | 'drop-exact';
  readonly maxRejected: number;
}

export type HyperliquidPaths = Readonly<Record<PerpetualTable, string>> & {
  /** A folder for temporary files. */
  readonly scratch: string;
};

/**
 * Imports files of any number of formats together. All tables are written, empty where nothing was recorded. Stops with
 * one `FathomError` at `file:line` if the files cannot be trusted.
 */
export async function importHyperliquid(
  duck: Duck,
  options: HyperliquidOptions,
  paths: HyperliquidPaths,
  progress: (done: number, total: number) => void,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const staging = await openStaging(paths.scratch);
  const accounts: FileAccount[] = [];
  try {
    for (const [number, file] of options.files.entries()) {
      accounts.push(await readRecording(file, number, staging));
      progress(number + 1, options.files.length);
    }
  } finally {
    await staging.close();
  }

  const repeated = accounts.map(() => 0);
  for (const table of perpetualTables)
    for (const left of await judge(duck, staging, table)) {
      repeated[left.file] = (repeated[left.file] as number) + left.repeated;
      if (left.contradicting > 0)
        countRefusal(
          accounts[left.file] as FileAccount,
          `${table}: another content than an earlier row of the same key`,
          left.line as number,
          left.contradicting,
        );
    }
  for (const account of accounts) checkRefused(account, options.maxRejected);

  const coverage = new Map<PerpetualTable, Coverage>();
  for (const table of perpetualTables) {
    await writeTable(duck, table, options.duplicates, paths[table]);
    coverage.set(table, await coverageOf(duck, table, paths[table]));
  }
  const candles = await unfinishedCandles(duck, staging);
  const chain = await positionChain(duck, paths.fills);

  const quality = accounts.map((account, i) => qualityOf(account, repeated[i] as number, options.duplicates));
  const rejections = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    metrics: {
      scalars: {
        records: sum(accounts.map(({ records }) => records)),
        rejected: sum(accounts.map(({ refused }) => refused)),
        duplicates: sum(repeated),
        ...Object.fromEntries(perpetualTables.map((table) => [`rows.${table}`, coverage.get(table)?.rows ?? 0])),
        'candles.forming': candles.forming,
        'candles.updatesReplaced': candles.replaced,
        'fills.wallets': chain.wallets,
        'fills.coins': chain.coins,
        'fills.usd': chain.usd,
        'positionChain.pairs': chain.pairs,
        'positionChain.held': chain.held,
        'positionChain.heldWithoutFees': chain.heldWithoutFees,
      },
      quality,
      notes: [
        ...accounts
          .filter(({ endsInLineBreak }) => !endsInLineBreak)
          .map(
            ({ name }) => `${name} does not end in a line break: its last record is complete, but the file may be cut.`,
          ),
        'A quote, book or candle may be used from when it was received, not from the time that it bears.',
      ],
    },
    figures: [
      ...(await fillsOverTime(duck, paths.fills)),
      coverageFigure(coverage),
      ...rejections.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
    ],
  };
}

function qualityOf(account: FileAccount, repeated: number, policy: 'keep' | 'drop-exact'): Quality {
  return {
    source: account.name,
    rowsRead: account.records,
    rowsKept: account.records - account.refused - (policy === 'keep' ? 0 : repeated),
    rejected: rejectedOf(account),
    duplicates: { count: repeated, policy },
    facts: [...account.skipped].map(([what, count]) => ({ label: `Messages without data: ${what}`, value: count })),
  };
}

interface Chain {
  readonly wallets: number;
  readonly coins: number;
  readonly usd: number;
  /** Consecutive fills of a wallet in a coin, both with a known start position. */
  readonly pairs: number;
  /** Of those, the later start position is the earlier one and what it bought or sold, less a fee in the coin. */
  readonly held: number;
  /** As `held`, had fees in the coin been overlooked. */
  readonly heldWithoutFees: number;
}

/**
 * Whether the positions that the exchange states follow from the fills: a gap is a fill that is not in the data. Compared
 * to one part in a million, since spreadsheets round positions.
 */
async function positionChain(duck: Duck, fills: string): Promise<Chain> {
  const near = (expected: string): string =>
    `abs(start - ${expected}) <= 1e-6 * greatest(abs(start), abs(${expected}), 1)`;
  const [found] = await duck.rows<Chain>(
    `WITH steps AS (SELECT wallet, coin, usd, startPosition::DOUBLE AS start,
       lag(startPosition + CASE side WHEN 'BUY' THEN size ELSE -size END) OVER w AS gross,
       lag(CASE WHEN feeToken = coin THEN fee ELSE 0 END) OVER w AS fee
     FROM read_parquet(${quote(fills)}) WINDOW w AS (PARTITION BY wallet, coin ORDER BY seq))
     SELECT count(DISTINCT wallet)::DOUBLE AS wallets, count(DISTINCT coin)::DOUBLE AS coins,
       coalesce(sum(usd), 0)::DOUBLE AS usd, count(start + gross)::DOUBLE AS pairs,
       count(*) FILTER (${near('(gross - fee)::DOUBLE')})::DOUBLE AS held,
       count(*) FILTER (${near('gross::DOUBLE')})::DOUBLE AS "heldWithoutFees"
     FROM steps`,
  );
  return found as Chain;
}
