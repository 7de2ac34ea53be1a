/** Reads recordings line by line into the staging files, with an account of every record. */
import path from 'node:path';
import type { Quality } from '../../contract/metrics.ts';
import { FathomError, formatPlace } from '../../errors.ts';
import { takeBlock, takeTransactions } from './chain.ts';
import * as field from './fields.ts';
import { Refused } from './fields.ts';
import { type Line, linesOf } from './lines.ts';
import { accountFill, channelOf, object, takeMessage } from './payloads.ts';
import { reasonOf, type Sink } from './records.ts';
import type { Staging } from './staging.ts';
import { accountRow, bookRow, type CsvFormat, csvReader, quoteRow, tradeRow } from './tables-of-text.ts';

/** A file and what it is; see the parameters of `source.hyperliquid`. */
export type RecordedFile =
  | { readonly format: 'recorded-jsonl' | 'websocket-log'; readonly file: string }
  | { readonly format: 'account-csv'; readonly file: string; readonly utcOffset: string }
  | { readonly format: 'user-fills'; readonly file: string; readonly wallet: string }
  | {
      readonly format: 'capture-books' | 'capture-quotes' | 'capture-trades';
      readonly file: string;
      readonly coin: string;
    };

/** What became of the records of a file before duplicates are told. */
export interface FileAccount {
  readonly name: string;
  readonly path: string;
  records: number;
  refused: number;
  readonly reasons: Map<string, { count: number; readonly line: number }>;
  readonly skipped: Map<string, number>;
  endsInLineBreak: boolean;
}

/** Counts a refusal under its reason; the first place stays. */
export function countRefusal(account: FileAccount, reason: string, line: number, count = 1): void {
  account.refused += count;
  const known = account.reasons.get(reason);
  if (known === undefined) account.reasons.set(reason, { count, line });
  else known.count += count;
}

/** Reads one file. Single records that are wrong are counted; what makes the file doubtful as a whole stops it. */
export async function readRecording(recorded: RecordedFile, number: number, staging: Staging): Promise<FileAccount> {
  const account: FileAccount = {
    name: path.basename(recorded.file),
    path: recorded.file,
    records: 0,
    refused: 0,
    reasons: new Map(),
    skipped: new Map(),
    endsInLineBreak: true,
  };
  let [line, item] = [0, 0];
  const sink: Sink = {
    element: (read) => {
      account.records++;
      try {
        const items = read();
        for (const one of Array.isArray(items) ? items : [items])
          staging.add(one, { file: number, line, item: item++ });
      } catch (error) {
        countRefusal(account, reasonOf(error), line);
      }
    },
    skip: (what) => account.skipped.set(what, (account.skipped.get(what) ?? 0) + 1),
  };
  if (recorded.format === 'user-fills') await readUserFills(recorded, sink, () => line++);
  else {
    const take = readerOf(recorded);
    for await (const lines of linesOf(recorded.file)) {
      for (const one of lines) {
        line = one.number;
        item = 0;
        account.endsInLineBreak = one.ended;
        take(one, sink);
      }
      await staging.flush();
    }
  }
  await staging.flush();
  if (account.records === 0)
    throw new FathomError('data', 'the file holds no record', {
      at: { file: recorded.file },
      hint: `Is it of the format ${recorded.format}?`,
    });
  return account;
}

function readerOf(recorded: Exclude<RecordedFile, { format: 'user-fills' }>): (line: Line, sink: Sink) => void {
  switch (recorded.format) {
    case 'recorded-jsonl':
      return takeRecordedLine;
    case 'websocket-log':
      return takeWebSocketLine;
    case 'account-csv':
      return csv('account-csv', recorded.file, accountRow(minutesOf(recorded.utcOffset)));
    case 'capture-books':
      return csv('capture-books', recorded.file, bookRow(recorded.coin));
    case 'capture-quotes':
      return csv('capture-quotes', recorded.file, quoteRow(recorded.coin));
    case 'capture-trades':
      return csv('capture-trades', recorded.file, tradeRow(recorded.coin));
  }
}

const csv = (format: CsvFormat, file: string, row: (fields: readonly string[], sink: Sink) => void) =>
  csvReader(format, file, row);

/** Minutes of `+05:30`. */
function minutesOf(offset: string): number {
  const [hours, minutes] = offset.slice(1).split(':').map(Number) as [number, number];
  return (offset.startsWith('-') ? -1 : 1) * (60 * hours + minutes);
}

function refuse(sink: Sink, reason: string): void {
  sink.element(() => {
    throw new Refused(reason);
  });
}

function parse(line: Line, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(line.ended ? 'line: not JSON' : 'line: cut at the end of the file');
  }
}

/** A line of the recorder: `{timestamp, unix_timestamp, data}`. Its candles are finished ones. */
function takeRecordedLine(line: Line, sink: Sink): void {
  try {
    const { timestamp, unix_timestamp: unix, data } = object(parse(line, line.text), 'line');
    const receivedAt = field.seconds(unix, 'unix_timestamp');
    const written = typeof timestamp === 'string' && timestamp.endsWith('Z') ? Date.parse(timestamp) : Number.NaN;
    if (Number.isNaN(written)) throw new Refused('timestamp: not a time in UTC');
    // Both are taken within the same call; more than two seconds apart one of them is on another clock.
    if (Math.abs(written * 1000 - receivedAt) > 2_000_000)
      throw new Refused('timestamp: another moment than unix_timestamp');
    const channel = channelOf(data);
    if (channel === 'block') takeBlock(data, receivedAt, sink);
    else if (channel === 'transaction') takeTransactions(data, receivedAt, sink);
    else if (channel !== undefined) takeMessage(channel, data, receivedAt, true, sink);
    else if (Array.isArray(data) && data.length === 0) sink.skip('empty list');
    else throw new Refused('data: of no known kind');
  } catch (error) {
    refuse(sink, reasonOf(error));
  }
}

/** A raw line: nanoseconds of receipt, a blank, the message. */
function takeWebSocketLine(line: Line, sink: Sink): void {
  try {
    const blank = line.text.indexOf(' ');
    const stamp = line.text.slice(0, blank);
    if (!/^\d{16,19}$/.test(stamp)) throw new Refused('receipt: not nanoseconds since 1970');
    const receivedAt = field.within(Number(BigInt(stamp) / 1000n), 'receipt', 'nanoseconds');
    const { channel, data } = object(parse(line, line.text.slice(blank + 1)), 'message');
    if (typeof channel !== 'string') throw new Refused('channel: missing');
    takeMessage(channel, data, receivedAt, false, sink);
  } catch (error) {
    refuse(sink, reasonOf(error));
  }
}

/** One answer of the API to `userFills` or `userFillsByTime`, a list; a record's place is its number in the list. */
async function readUserFills(
  { file, wallet }: { file: string; wallet: string },
  sink: Sink,
  next: () => void,
): Promise<void> {
  let text = '';
  for await (const lines of linesOf(file)) for (const line of lines) text += `${line.text}\n`;
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (cause) {
    throw new FathomError('data', 'not whole JSON', {
      at: { file },
      hint: 'The file may be truncated: get it again in full.',
      cause,
    });
  }
  if (!Array.isArray(rows)) throw new FathomError('data', 'not a list of fills', { at: { file } });
  for (const row of rows) {
    next();
    sink.element(() => accountFill(object(row, 'fill'), wallet.toLowerCase(), null));
  }
}

/** Stops if more of a file was refused than is allowed. */
export function checkRefused(account: FileAccount, maxRejected: number): void {
  const { records, refused } = account;
  const commonest = sortedReasons(account)[0];
  if (commonest === undefined || refused <= maxRejected * records) return;
  const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
  throw new FathomError(
    'data',
    `${refused} of ${records} records are refused (${percent(refused / records)}, allowed ${percent(maxRejected)}), ` +
      `most often, ${commonest.count} times: ${commonest.reason}`,
    {
      at: { file: account.path, line: commonest.line },
      hint: 'Mend the file, or raise maxRejected if the rest of it may be trusted.',
    },
  );
}

function sortedReasons(account: FileAccount): { reason: string; count: number; line: number }[] {
  return [...account.reasons]
    .map(([reason, { count, line }]) => ({ reason, count, line }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

export function rejectedOf(account: FileAccount): Quality['rejected'] {
  return sortedReasons(account).map(({ reason, count, line }) => ({
    reason,
    count,
    first: formatPlace({ file: account.name, line }),
  }));
}
