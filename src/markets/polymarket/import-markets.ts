/** Files of markets in; canonical markets, events, resolutions and fee schedules out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { rejectionFigure } from '../describe.ts';
import { jsonRecords } from '../records/json.ts';
import { jsonLinesSql, writeJsonLines } from '../records/json-lines.ts';
import { type Source, Tally } from '../records/tally.ts';
import { microsecondsOf } from '../records/times.ts';
import { clobColumns, clobMarkets } from './clob.ts';
import { readCsv } from './csv.ts';
import { csvRows, readWideCsv, refuseSchemaChange } from './csv-rows.ts';
import { gammaEvents, gammaMarkets, type MarketName } from './gamma.ts';
import type { MarketReader } from './market-facts.ts';
import { polyDataMarketColumns } from './poly-data.ts';
import { polyDataMarkets } from './poly-data-markets.ts';
import { countRefused } from './refused.ts';
import { checkResolutions, resolutionColumns, resolutionsQuality } from './resolutions.ts';
import {
  createMarketRows,
  type MarketPaths,
  marketRowColumns,
  refuseContradictions,
  writeMarketTables,
} from './write-markets.ts';

export interface MarketFiles {
  readonly format: 'gamma-markets' | 'gamma-events' | 'clob' | 'poly-data-v1';
  readonly files: readonly string[];
  readonly resolutions: readonly string[];
  readonly name: MarketName;
  /** ISO time with a zone; `clob` needs it. */
  readonly capturedAt?: string | undefined;
  readonly maxRejected: number;
}

/** Imports files of one format. Stops with one `FathomError` if they cannot be trusted. */
export async function importMarkets(
  duck: Duck,
  options: MarketFiles,
  paths: MarketPaths,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const reader = readerOf(options);
  const rowsFile = path.join(paths.scratch, 'market-rows.jsonl');
  const rows = writeJsonLines(rowsFile);
  const sources: Source[] = [];
  const tallies: Tally[] = [];
  const doubts = new Map<string, { count: number; first: { source: Source; place: number } }>();
  let unreadable = 0;
  let n = 0;
  for (const [file, name] of options.files.entries()) {
    const { source, records } = await openRecords(duck, options, name, path.join(paths.scratch, `raw-${file}.parquet`));
    const tally = new Tally();
    sources.push(source);
    tallies.push(tally);
    for await (const { place, value } of records)
      for (const facts of reader(value)) {
        tally.rows++;
        if ('reason' in facts) {
          tally.refuse(facts.reason, place);
          continue;
        }
        const { doubt, eventFacts, fee, unreadable: bad, ...plain } = facts;
        if (bad) unreadable++;
        if (doubt !== null) {
          const known = doubts.get(doubt);
          if (known === undefined) doubts.set(doubt, { count: 1, first: { source, place } });
          else known.count++;
        }
        await rows.write({ n: n++, file, place, ...plain, eventFacts, fee });
      }
    for (const { record, reason } of source.malformed) {
      tally.rows++;
      tally.refuse(reason, -record);
    }
  }
  await rows.close();
  const rejected: Quality['rejected'][] = [];
  for (const [i, tally] of tallies.entries())
    rejected.push(await tally.rejected(sources[i] as Source, options.maxRejected));
  if (n === 0)
    throw new FathomError('data', `there is no market in ${sources.map(({ name }) => name).join(', ')}`, {
      hint: 'an empty answer is not written as an empty table: leave the file out',
    });

  await createMarketRows(duck, jsonLinesSql(rowsFile, marketRowColumns));
  const extra = await readResolutions(duck, options, paths, sources);
  await refuseContradictions(duck, sources);
  const counts = await writeMarketTables(duck, paths);

  const quality: Quality[] = [];
  for (const [i, source] of sources.slice(0, options.files.length).entries()) {
    const tally = tallies[i] as Tally;
    const kept = counts.keptOfFile.get(i) ?? 0;
    quality.push({
      source: source.name,
      rowsRead: tally.rows,
      rowsKept: kept,
      rejected: rejected[i] as Quality['rejected'],
      duplicates: {
        count: tally.rows - tally.refused - kept,
        policy: 'of a market in several rows the one last changed counts, then the last',
      },
    });
  }
  quality.push(...extra);
  const doubted = await Promise.all(
    [...doubts].map(async ([reason, { count, first }]) => ({
      label: `Without payout: ${reason} (first ${first.source.name}:${await first.source.lineOf(first.place)})`,
      value: count,
    })),
  );
  const [first, ...others] = quality as [Quality, ...Quality[]];
  const refused = tallies.reduce((sum, tally) => sum + tally.refused, 0);
  const metrics: MetricsFile = {
    scalars: {
      rows: counts.markets,
      events: counts.events,
      resolved: counts.resolutions,
      feeSchedules: counts.feeSchedules,
      rejected: refused,
      duplicates: quality.reduce((sum, { duplicates }) => sum + duplicates.count, 0),
      doubted: doubted.reduce((sum, { value }) => sum + value, 0),
    },
    quality: [
      {
        ...first,
        facts: [
          ...(first.facts ?? []),
          { label: 'Markets', value: counts.markets },
          { label: 'Markets with a payout', value: counts.resolutions },
          { label: 'Rows with a time that cannot be read', value: unreadable },
          ...doubted.sort((a, b) => b.value - a.value || (a.label < b.label ? -1 : 1)),
        ],
      },
      ...others,
    ],
    notes: notesOf(options),
  };
  const figures = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  return {
    metrics,
    figures: figures.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
  };
}

function readerOf({ format, name, capturedAt }: MarketFiles): MarketReader {
  if (format === 'gamma-markets') return gammaMarkets(name);
  if (format === 'gamma-events') return gammaEvents(name);
  if (format === 'poly-data-v1') return polyDataMarkets;
  return clobMarkets(microsecondsOf(capturedAt) as number);
}

type Records = AsyncIterable<{ readonly place: number; readonly value: unknown }>;

/** A file's records, and how their places become lines: a negative place is a record of a CSV that is no row. */
async function openRecords(
  duck: Duck,
  { format }: MarketFiles,
  file: string,
  parquet: string,
): Promise<{
  source: Source & { readonly malformed: readonly { readonly record: number; readonly reason: string }[] };
  records: Records;
}> {
  const isCsv = format === 'poly-data-v1' || /\.csv(\.gz)?$/.test(file);
  if (isCsv) {
    const raw =
      format === 'poly-data-v1'
        ? await readCsv(duck, file, polyDataMarketColumns, parquet)
        : await readWideCsv(duck, file, clobColumns, parquet);
    if (format === 'poly-data-v1') await refuseSchemaChange(raw);
    const lineOf = (place: number): Promise<number> => (place < 0 ? raw.lineOfRecord(-place) : raw.lineOfRow(place));
    return { source: { file, name: raw.name, lineOf, malformed: raw.malformed }, records: csvRows(duck, raw) };
  }
  async function* records(): Records {
    for await (const { line, value } of jsonRecords(file)) yield { place: line, value };
  }
  const lineOf = async (place: number): Promise<number> => place;
  return { source: { file, name: path.basename(file), lineOf, malformed: [] }, records: records() };
}

/** Adds payouts of files of one's own to the table of payouts. */
async function readResolutions(
  duck: Duck,
  options: MarketFiles,
  paths: MarketPaths,
  sources: Source[],
): Promise<Quality[]> {
  const quality: Quality[] = [];
  for (const [i, file] of options.resolutions.entries()) {
    const checked = path.join(paths.scratch, `resolutions-${i}.parquet`);
    const raw = await readCsv(duck, file, resolutionColumns, path.join(paths.scratch, `raw-resolutions-${i}.parquet`));
    await refuseSchemaChange(raw);
    await checkResolutions(duck, raw, checked);
    const refused = await countRefused(duck, raw, checked, options.maxRejected);
    const good = `FROM read_parquet(${quote(checked)}) WHERE reason IS NULL AND market IN (SELECT market FROM market_rows)`;
    await duck.run(
      `INSERT INTO payouts SELECT market, payout0, epoch_us(finalAt), epoch_us(finalAt), ${sources.length}, "row" ${good}`,
    );
    const [count] = await duck.rows<{ kept: number }>(`SELECT count(DISTINCT market)::DOUBLE AS kept ${good}`);
    sources.push({ file, name: raw.name, lineOf: raw.lineOfRow });
    quality.push(resolutionsQuality(raw, refused, count?.kept ?? 0));
  }
  return quality;
}

function notesOf({ format, capturedAt, resolutions }: MarketFiles): string[] {
  if (format === 'clob')
    return [
      `The order book service says who won, but not when: payouts count as knowable from ${capturedAt}, when the answer was captured.`,
    ];
  if (format === 'poly-data-v1' && resolutions.length === 0)
    return ['markets.csv tells no payouts: nothing settles without resolutions of your own.'];
  return [];
}
