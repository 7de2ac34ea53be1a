/** Hands the fills of a world to DuckDB, in vectors rather than value by value. */
import { DOUBLE, DuckDBDataChunk, type DuckDBType, INTEGER, SMALLINT, TINYINT } from '@duckdb/node-api';
import type { Duck } from '../../tables/duck.ts';
import { forEachFill } from './merge.ts';
import type { World } from './simulate.ts';

/** Rows of a vector. */
const CHUNK = 2048;

/** A vector as it is at run time: its array is private in the types, but ten times faster than its setter. */
interface Vector {
  readonly items: { set(from: ArrayLike<number>): void };
  flush(): void;
}

const columns: readonly (readonly [name: string, type: DuckDBType])[] = [
  ['time', INTEGER],
  ['token', INTEGER],
  ['wallet', INTEGER],
  ['counterparty', INTEGER],
  ['maker', TINYINT],
  ['sell', TINYINT],
  ['ticks', SMALLINT],
  ['size', DOUBLE],
  ['fee', DOUBLE],
  ['transaction', INTEGER],
];

/** Creates the table `fills`: one row a fill, in order of time. A token is its market's number times two + outcome. */
export async function loadFills(duck: Duck, world: World): Promise<void> {
  await duck.run(`CREATE TABLE fills (${columns.map(([name, type]) => `"${name}" ${type}`).join(', ')})`);
  const appender = await duck.connection.createAppender('fills');
  const time = new Int32Array(CHUNK);
  const token = new Int32Array(CHUNK);
  const wallet = new Int32Array(CHUNK);
  const counterparty = new Int32Array(CHUNK);
  const maker = new Int8Array(CHUNK);
  const sell = new Int8Array(CHUNK);
  const ticks = new Int16Array(CHUNK);
  const size = new Float64Array(CHUNK);
  const fee = new Float64Array(CHUNK);
  const transaction = new Int32Array(CHUNK);
  const arrays = [time, token, wallet, counterparty, maker, sell, ticks, size, fee, transaction];
  const types = columns.map(([, type]) => type);
  const append = (rows: number): void => {
    const chunk = DuckDBDataChunk.create(types, rows);
    arrays.forEach((array, c) => {
      const vector = chunk.getColumnVector(c) as unknown as Vector;
      vector.items.set(array.subarray(0, rows));
      vector.flush();
    });
    appender.appendDataChunk(chunk);
  };
  let i = 0;
  forEachFill(world, (fill) => {
    time[i] = fill.time;
    token[i] = fill.market * 2 + fill.outcome;
    wallet[i] = fill.wallet;
    counterparty[i] = fill.counterparty;
    maker[i] = fill.maker ? 1 : 0;
    sell[i] = fill.sell ? 1 : 0;
    ticks[i] = fill.ticks;
    size[i] = fill.size;
    fee[i] = fill.fee;
    transaction[i] = fill.transaction;
    if (++i < CHUNK) return;
    append(CHUNK);
    i = 0;
  });
  if (i > 0) append(i);
  appender.closeSync();
}
