/** What canonical markets are called, packed so that threads share it and the kernels find it by whole numbers. */
import type { NamedTokens } from '../../facts/name-tables.ts';
import type { Duck } from '../../tables/duck.ts';
import { type NumberArray, streamArrays } from '../../tables/stream.ts';

/** Texts, one after the other, and what the fills look them up by. */
export interface Names {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where each text begins in `bytes`, and after the last one where it ends. */
  readonly offsets: Uint32Array;
  /** Number of the text of each key. */
  readonly map: Int32Array;
}

/**
 * Names by the key of a fill, twice the place of its market and its outcome: those of markets and events are looked up
 * by half of it. All are in memory that threads share.
 */
export interface MarketNames {
  /** By place, the number of the market; NaN if its id is no such number, so that no plain line can name it. */
  readonly numbers: Float64Array;
  /** By place, 1 if one of its names is missing. */
  readonly incomplete: Uint8Array;
  readonly market: Names;
  readonly event: Names;
  readonly token: Names;
  readonly outcome: Names;
}

/** A whole number as poly_data writes it: one that begins with a zero is another text. */
const NUMBER = '0|[1-9][0-9]{0,14}';

const COLUMNS = ['market', 'event', 'token0', 'token1', 'outcome0', 'outcome1'] as const;

/** Of the length that stands before a text. */
const LENGTH_BYTES = 4;

/** Markets whose names DuckDB joins to one text: each value that leaves it costs as much as a hundred that stay. */
const GROUP = 4096;

/**
 * Reads the names of a relation of canonical markets.
 *
 * @param markets SQL of the relation, which gives its rows in the same order whenever it is read
 */
export async function readMarketNames(duck: Duck, markets: string): Promise<MarketNames> {
  const [counted] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS count FROM ${markets}`);
  const count = counted?.count ?? 0;
  const joining = joinTexts(duck, markets);
  const reading = readLengths(duck, markets, count);
  // Should one fail, the other must have ended, too, before somebody closes the database.
  await Promise.allSettled([joining, reading]);
  const [joined, { numbers, incomplete, lengths }] = [await joining, await reading];
  return {
    numbers,
    incomplete,
    market: inOrder(joined.markets, [lengths.market]),
    event: different(joined.events, [lengths.event]),
    token: inOrder(joined.tokens, [lengths.token0, lengths.token1]),
    outcome: different(joined.outcomes, [lengths.outcome0, lengths.outcome1]),
  };
}

/** Texts of some thousand markets, one after the other, in order. */
interface JoinedTexts {
  readonly markets: Uint8Array;
  readonly events: Uint8Array;
  readonly tokens: Uint8Array;
  readonly outcomes: Uint8Array;
}

/** All texts of each kind. */
async function joinTexts(duck: Duck, markets: string): Promise<JoinedTexts> {
  const joined = (...columns: string[]): string =>
    `encode(string_agg(concat(${columns.join(', ')}), '' ORDER BY place))`;
  const groups = await duck.rows<JoinedTexts>(`SELECT ${joined('market')} AS markets, ${joined('event')} AS events,
      ${joined('token0', 'token1')} AS tokens, ${joined('outcome0', 'outcome1')} AS outcomes
    FROM (SELECT ${COLUMNS.join(', ')}, row_number() OVER () - 1 AS place FROM ${markets})
    GROUP BY place // ${GROUP} ORDER BY place // ${GROUP}`);
  const all = (kind: keyof JoinedTexts): Uint8Array => {
    const bytes = shared(
      Uint8Array,
      groups.reduce((sum, group) => sum + group[kind].length, 0),
    );
    let at = 0;
    for (const group of groups) {
      bytes.set(group[kind], at);
      at += group[kind].length;
    }
    return bytes;
  };
  return { markets: all('markets'), events: all('events'), tokens: all('tokens'), outcomes: all('outcomes') };
}

type Lengths = Readonly<Record<(typeof COLUMNS)[number], Int32Array>>;

/** Bytes of the texts by place, 0 for one that is missing, and what the markets are found by. */
async function readLengths(
  duck: Duck,
  markets: string,
  count: number,
): Promise<Pick<MarketNames, 'numbers' | 'incomplete'> & { readonly lengths: Lengths }> {
  const numbers = shared(Float64Array, count);
  const incomplete = shared(Uint8Array, count);
  const lengths = COLUMNS.map(() => new Int32Array(count));
  let place = 0;
  await streamArrays(
    duck,
    `SELECT CASE WHEN regexp_full_match(market, '${NUMBER}') THEN market::DOUBLE END,
       (${COLUMNS.map((column) => `${column} IS NULL`).join(' OR ')})::UTINYINT,
       ${COLUMNS.map((column) => `coalesce(strlen(${column}), 0)::INTEGER`).join(', ')} FROM ${markets}`,
    count,
    (columns, rows) => {
      for (const [c, target] of [numbers, incomplete, ...lengths].entries())
        target.set((columns[c] as NumberArray).subarray(0, rows), place);
      place += rows;
    },
  );
  const named = Object.fromEntries(COLUMNS.map((column, c) => [column, lengths[c]]));
  return { numbers, incomplete, lengths: named as unknown as Lengths };
}

/** Tokens by their keys, with their markets and events. */
export function namedTokens(names: MarketNames, keys: Int32Array): NamedTokens {
  const texts = ({ bytes, offsets, map }: Names, keyOf: (key: number) => number): Uint8Array => {
    const numbers = keys.map((key) => map[keyOf(key)] as number);
    const lengthOf = (number: number): number => (offsets[number + 1] as number) - (offsets[number] as number);
    const all = Buffer.alloc(numbers.reduce((sum, number) => sum + LENGTH_BYTES + lengthOf(number), 0));
    let at = 0;
    for (const number of numbers) {
      at = all.writeUInt32LE(lengthOf(number), at);
      all.set(bytes.subarray(offsets[number], offsets[number + 1]), at);
      at += lengthOf(number);
    }
    return all;
  };
  return {
    texts: texts(names.token, (key) => key),
    markets: texts(names.market, (key) => key >> 1),
    events: texts(names.event, (key) => key >> 1),
    outcomes: keys.map((key) => key & 1),
  };
}

/** An array in memory that threads share. */
function shared<A>(type: new (buffer: SharedArrayBuffer) => A, length: number): A {
  const bytes = (type as unknown as { readonly BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  return new type(new SharedArrayBuffer(length * bytes));
}

/** Calls `visit` with the key of each text and the bytes it takes; a market has a text of each of `lengths`. */
function forTexts(lengths: readonly Int32Array[], visit: (key: number, bytes: number) => void): number {
  const count = (lengths[0] as Int32Array).length;
  let key = 0;
  for (let place = 0; place < count; place++) for (const list of lengths) visit(key++, list[place] as number);
  return key;
}

/** Names as they come, every one taken for another. */
function inOrder(bytes: Uint8Array, lengths: readonly Int32Array[]): Names {
  const keys = lengths.length * (lengths[0] as Int32Array).length;
  const map = shared(Int32Array, keys);
  const offsets = shared(Uint32Array, keys + 1);
  let end = 0;
  const count = forTexts(lengths, (key, length) => {
    map[key] = key;
    end += length;
    offsets[key + 1] = end;
  });
  return { count, bytes, offsets, map };
}

/** Names that come again and again, each kept once, in order of first appearance. */
function different(all: Uint8Array, lengths: readonly Int32Array[]): Names {
  const keys = lengths.length * (lengths[0] as Int32Array).length;
  const map = shared(Int32Array, keys);
  const offsets = shared(Uint32Array, keys + 1);
  const texts = Buffer.from(all.buffer, all.byteOffset, all.length);
  const known = new Map<string, number>();
  const bytes = Buffer.alloc(all.length);
  let at = 0;
  let count = 0;
  forTexts(lengths, (key, length) => {
    // Any text of single bytes will do to tell them apart, and this one is made sooner than that which they mean.
    const text = texts.toString('latin1', at, at + length);
    let number = known.get(text);
    if (number === undefined) {
      number = count++;
      known.set(text, number);
      const begin = offsets[number] as number;
      texts.copy(bytes, begin, at, at + length);
      offsets[count] = begin + length;
    }
    map[key] = number;
    at += length;
  });
  const kept = shared(Uint8Array, offsets[count] as number);
  kept.set(bytes.subarray(0, kept.length));
  return { count, bytes: kept, offsets: offsets.subarray(0, count + 1), map };
}
