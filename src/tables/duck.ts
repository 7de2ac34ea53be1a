/** DuckDB, the one way in: an in-memory database that spills to a folder of the task's own. Child processes only. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColumnSpec, METADATA_KEY } from './columns.ts';

export interface Duck {
  readonly connection: DuckDBConnection;
  /** A second connection: any statement on the connection of an open stream ends that stream without an error. */
  connect(): Promise<DuckDBConnection>;
  /** The same database on a connection of its own: statements of one connection wait for each other. */
  beside<Result>(use: (duck: Duck) => Promise<Result>): Promise<Result>;
  /** Runs statements for their effect. */
  run(sql: string): Promise<void>;
  /** All rows as plain objects; big integers and decimals as numbers are refused by `JSON`, so cast in SQL. */
  rows<Row>(sql: string): Promise<Row[]>;
  /** Gives memory that the database no longer needs back to the system: the process would keep it for what may come. */
  trim(): Promise<void>;
  close(): void;
}

export interface DuckOptions {
  readonly threads: number;
  readonly memoryMb: number;
  /** Where it may spill. */
  readonly scratch: string;
}

/** Opens a database with explicit limits: DuckDB would otherwise take the whole node. */
export async function openDuck({ threads, memoryMb, scratch }: DuckOptions): Promise<Duck> {
  // Loaded where it is used: who only writes SQL, or names a file, needs none of it.
  const { duckdb } = await import('./duck-api.ts');
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryMb}MB`,
    temp_directory: scratch,
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  // Not an option of the instance: it belongs to an extension that is loaded later. GLOBAL reaches other connections.
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  const on = (own: DuckDBConnection, close: () => void): Duck => ({
    connection: own,
    connect: () => instance.connect(),
    beside: async (use) => {
      const other = await instance.connect();
      try {
        return await use(on(other, () => undefined));
      } finally {
        other.closeSync();
      }
    },
    run: async (sql) => {
      await own.run(sql);
    },
    rows: async <Row>(sql: string) => (await own.runAndReadAll(sql)).getRowObjectsJS() as Row[],
    trim: async () => {
      // DuckDB does it whenever the limit is set, to whatever.
      await own.run(`SET memory_limit = '${memoryMb}MB'`);
    },
    close,
  });
  return on(connection, () => {
    connection.closeSync();
    instance.closeSync();
  });
}

/** A SQL string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * SQL that writes the rows of a query as Parquet with the roles of its columns. The query must have a total ORDER BY (or read
 * one file in its order): then the bytes do not depend on threads or memory limits. The second version of Parquet is
 * written sooner than the first and is no larger: whole numbers are stored by their differences, texts by their lengths.
 *
 * @param dictionaryLimit up to how many distinct values of a row group a column is written as a dictionary. Looking for
 *   them is most of the work where there are many columns of doubles; DuckDB's own limit is a fifth of the row group.
 */
export function copySql(query: string, path: string, columns: readonly ColumnSpec[], dictionaryLimit?: number): string {
  const names = columns.map((column) => identifier(column.name)).join(', ');
  const metadata = `KV_METADATA {${METADATA_KEY}: ${quote(JSON.stringify(columns))}}`;
  const dictionary = dictionaryLimit === undefined ? '' : `DICTIONARY_SIZE_LIMIT ${dictionaryLimit}, `;
  return `COPY (SELECT ${names} FROM (${query})) TO ${quote(path)} (FORMAT parquet, PARQUET_VERSION v2,
    COMPRESSION zstd, COMPRESSION_LEVEL 1, ${dictionary}${metadata})`;
}

/** Runs `copySql`. */
export async function copyToParquet(duck: Pick<Duck, 'run'>, ...copy: Parameters<typeof copySql>): Promise<void> {
  await duck.run(copySql(...copy));
}

/** The roles that `copyToParquet` or `writeParquet` stored; undefined for a foreign file. */
export async function columnsOfParquet(duck: Pick<Duck, 'rows'>, path: string): Promise<ColumnSpec[] | undefined> {
  const rows = await duck.rows<{ value: string }>(
    `SELECT decode(value) AS value FROM parquet_kv_metadata(${quote(path)}) WHERE decode(key) = ${quote(METADATA_KEY)}`,
  );
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].value) as ColumnSpec[]);
}
