/** Writes tables as `writeEncoded` stores them, in groups of some rows. */
import { type Kernels, makeKernels, type Pointer } from '../../src/kernels/kernels.ts';
import { Pages } from '../../src/kernels/pages.ts';
import { type Duck, quote } from '../../src/tables/duck.ts';
import { type EncodedColumn, type EncodedType, writeEncoded } from '../../src/tables/parquet/encoded.ts';
import { buildKernels } from './kernels.ts';

type Types = Readonly<Record<string, EncodedType>>;

const tradeTypes: Types = {
  seq: 'BIGINT',
  time: 'TIMESTAMP',
  market: 'VARCHAR',
  event: 'VARCHAR',
  token: 'VARCHAR',
  outcomeIndex: 'INTEGER',
  wallet: 'VARCHAR',
  counterparty: 'VARCHAR',
  role: 'VARCHAR',
  side: 'VARCHAR',
  usd: 'DECIMAL(18, 6)',
  shares: 'DECIMAL(18, 6)',
  fee: 'DECIMAL(18, 6)',
};

/** Columns of facts, as the stage writes them. */
export const factTypes: Types = {
  wallet: 'INTEGER',
  seq: 'BIGINT',
  market: 'INTEGER',
  token: 'INTEGER',
  time: 'BIGINT',
  usd: 'BIGINT',
  shares: 'BIGINT',
  fee: 'BIGINT',
  flags: 'UTINYINT',
  counterparty: 'INTEGER',
};

/** Columns that have a dictionary. */
const isListed = (name: string, type: EncodedType): boolean =>
  type === 'VARCHAR' || name === 'outcomeIndex' || type === 'UTINYINT';

const sqlOf = (name: string, type: EncodedType | undefined): string => {
  if (type === 'TIMESTAMP') return `epoch_us("${name}")`;
  return type === 'DECIMAL(18, 6)' ? `("${name}" * 1000000)::BIGINT` : `"${name}"`;
};

type Value = string | number | bigint | null;

/** @param relation SQL of trades */
export const storeTrades = (duck: Duck, relation: string, target: string, groupRows: number): Promise<void> =>
  storeTable(duck, relation, target, groupRows, tradeTypes);

export async function storeTable(
  duck: Duck,
  relation: string,
  target: string,
  groupRows: number,
  types: Types,
): Promise<void> {
  buildKernels();
  const names = Object.keys(types);
  const rows = await duck.rows<Record<string, Value>>(
    `SELECT ${names.map((name) => `${sqlOf(name, types[name])}::VARCHAR AS "${name}"`).join(', ')} FROM ${relation}`,
  );
  // A column lacks values in all groups or in none.
  const nullable = new Set(names.filter((name) => rows.some((row) => row[name] === null)));
  const kernels = makeKernels();
  const pages = new Pages(kernels);
  const groups = [];
  for (let from = 0; from < rows.length; from += groupRows) {
    const some = rows.slice(from, from + groupRows);
    const columns = names.map((name): [string, EncodedColumn] => [
      name,
      encode(
        kernels,
        pages,
        name,
        types[name] as EncodedType,
        some.map((row) => row[name] as Value),
        nullable.has(name),
      ),
    ]);
    groups.push({ rows: some.length, columns: Object.fromEntries(columns) });
  }
  await writeEncoded(
    target,
    names.map((name) => ({ name, role: 'info' })),
    groups,
  );
}

/** The trades of a table, stored. */
export const storedCopy = async (duck: Duck, trades: string, target: string, groupRows: number): Promise<string> => {
  await storeTrades(duck, `(FROM read_parquet(${quote(trades)}) ORDER BY seq)`, target, groupRows);
  return target;
};

function encode(
  kernels: Kernels,
  pages: Pages,
  name: string,
  type: EncodedType,
  values: readonly Value[],
  nullable: boolean,
): EncodedColumn {
  pages.begin(1 << 20);
  const known = values.filter((value) => value !== null);
  const column = { ...encodeKnown(kernels, pages, type, isListed(name, type), known), type };
  if (!nullable) return { ...column, values: column.values.map((part) => part.slice()) };
  const there = pages.scratch(values.length);
  pages.bytes(there, values.length).set(values.map((value) => (value === null ? 0 : 1)));
  const present = pages.presence(there, values.length).slice();
  const nulls = values.length - known.length;
  return { ...column, values: column.values.map((part) => part.slice()), present, nulls };
}

function encodeKnown(
  kernels: Kernels,
  pages: Pages,
  type: EncodedType,
  listed: boolean,
  known: readonly Value[],
): Omit<EncodedColumn, 'type'> {
  if (known.length === 0) return { encoding: 'plain', values: [] };
  if (!listed) {
    const at: Pointer = pages.scratch(8 * known.length);
    new BigInt64Array(kernels.memory.buffer, at, known.length).set(known.map((value) => BigInt(value as string)));
    return pages.differences(at, known.length);
  }
  const words = [...new Set(known)];
  // Now and then a dictionary has a word that no row uses.
  const all = words.length % 3 === 0 && type === 'VARCHAR' ? ['nobody', ...words] : words;
  const at = pages.scratch(4 * known.length);
  new Int32Array(kernels.memory.buffer, at, known.length).set(known.map((value) => all.indexOf(value)));
  const bytes =
    type !== 'VARCHAR'
      ? new Uint8Array(Int32Array.from(all, Number).buffer)
      : Buffer.concat(all.map((word) => lengthAndText(word as string)));
  return { ...pages.places(at, 4, known.length, all.length), dictionary: { count: all.length, bytes } };
}

function lengthAndText(word: string): Buffer {
  const text = Buffer.from(word);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}
