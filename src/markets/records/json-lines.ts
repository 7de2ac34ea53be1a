/** Rows made in JavaScript on their way to DuckDB: a file of JSON lines, written as a stream. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

export interface JsonLines {
  write(row: object): Promise<void>;
  /** Waits until all is on the disk. */
  close(): Promise<void>;
}

export function writeJsonLines(file: string): JsonLines {
  const stream = createWriteStream(file, { highWaterMark: 1 << 20 });
  return {
    write: async (row) => {
      if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, 'drain');
    },
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}

/** SQL that reads such a file with columns of the given types. */
export function jsonLinesSql(file: string, columns: Readonly<Record<string, string>>): string {
  const types = Object.entries(columns).map(([column, type]) => `"${column}": '${type}'`);
  return `read_json('${file.replaceAll("'", "''")}', format = 'newline_delimited', columns = {${types.join(', ')}})`;
}
