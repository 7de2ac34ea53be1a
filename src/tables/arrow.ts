/** Foreign Arrow files (IPC, Feather, compressed or not) as Parquet, which DuckDB reads. Child processes only. */
import { readFile } from 'node:fs/promises';
import pl from 'nodejs-polars';
import { FathomError, fromSystemError } from '../errors.ts';

/** Converts an Arrow file, in the file or the streaming format; returns the path of the Parquet file. */
export async function arrowToParquet(file: string, parquet: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fromSystemError(error, 'reading an Arrow file');
  });
  try {
    const isFile = bytes.subarray(0, 6).toString('latin1') === 'ARROW1';
    const table = isFile ? pl.readIPC(bytes) : pl.readIPCStream(bytes);
    table.writeParquet(parquet);
    return parquet;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new FathomError('data', `${file}: not a whole Arrow file: ${text.split('\n')[0]}`, {
      hint: 'the file may be truncated; Feather version 1 is not supported',
      cause: error,
    });
  }
}
