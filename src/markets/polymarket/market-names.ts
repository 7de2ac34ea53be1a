/** What canonical markets are called, packed so that threads share it and the kernels find it by whole numbers. */
import type { Duck } from '../../tables/duck.ts';

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
const NUMBER = /^(?:0|[1-9][0-9]{0,14})$/;

const COLUMNS = ['market', 'event', 'token0', 'token1', 'outcome0', 'outcome1'] as const;

/** Reads the names of a relation of canonical markets. */
export async function readMarketNames(duck: Duck, markets: string): Promise<MarketNames> {
  const [counted] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS count FROM ${markets}`);
  const count = counted?.count ?? 0;
  const numbers = shared(Float64Array, count);
  const incomplete = shared(Uint8Array, count);
  const [market, event] = [new NameList(count, false), new NameList(count, true)];
  const [token, outcome] = [new NameList(2 * count, false), new NameList(2 * count, true)];
  let place = 0;
  const connection = await duck.connect();
  try {
    const result = await connection.stream(`SELECT ${COLUMNS.join(', ')} FROM ${markets}`);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk === undefined || chunk.rowCount === 0) break;
      const texts = COLUMNS.map((_, c) => chunk.getColumnValues(c) as (string | null)[]);
      for (let i = 0; i < chunk.rowCount; i++) {
        const [id, itsEvent, token0, token1, outcome0, outcome1] = texts.map((column) => column[i] ?? null);
        numbers[place] = NUMBER.test(id ?? '') ? Number(id) : Number.NaN;
        incomplete[place] = texts.some((column) => (column[i] ?? null) === null) ? 1 : 0;
        market.put(place, id ?? '');
        event.put(place, itsEvent ?? '');
        token.put(2 * place, token0 ?? '');
        token.put(2 * place + 1, token1 ?? '');
        outcome.put(2 * place, outcome0 ?? '');
        outcome.put(2 * place + 1, outcome1 ?? '');
        place++;
      }
    }
  } finally {
    connection.closeSync();
  }
  return {
    numbers,
    incomplete,
    market: market.names(),
    event: event.names(),
    token: token.names(),
    outcome: outcome.names(),
  };
}

/** An array in memory that threads share. */
function shared<A>(type: new (buffer: SharedArrayBuffer) => A, length: number): A {
  const bytes = (type as unknown as { readonly BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  return new type(new SharedArrayBuffer(length * bytes));
}

/** Texts by key while they are collected, and packed one behind the other. */
class NameList {
  private readonly map: Int32Array;
  private readonly offsets: Uint32Array;
  private readonly known: Map<string, number> | undefined;
  private bytes = Buffer.alloc(1 << 16);
  private count = 0;

  /** @param repeated true to keep equal texts once; else every text is taken for another */
  constructor(keys: number, repeated: boolean) {
    this.map = shared(Int32Array, keys);
    this.offsets = shared(Uint32Array, keys + 1);
    this.known = repeated ? new Map() : undefined;
  }

  put(key: number, text: string): void {
    const known = this.known?.get(text);
    this.map[key] = known ?? this.count;
    if (known !== undefined) return;
    this.known?.set(text, this.count);
    const at = this.offsets[this.count] as number;
    // UTF-8 takes up to three bytes for what is one of a string.
    if (at + 3 * text.length > this.bytes.length)
      this.bytes = Buffer.concat([this.bytes], 2 * this.bytes.length + 3 * text.length);
    this.offsets[++this.count] = at + this.bytes.write(text, at);
  }

  names(): Names {
    const { count, offsets, map } = this;
    const bytes = shared(Uint8Array, offsets[count] as number);
    bytes.set(this.bytes.subarray(0, bytes.length));
    return { count, bytes, offsets: offsets.subarray(0, count + 1), map };
  }
}
