/** Reads a large text file in blocks of whole lines. */
import { open } from 'node:fs/promises';
import { fromSystemError } from '../../errors.ts';
import { bytesOf } from '../records/bytes.ts';

const BLOCK_BYTES = 4 << 20;
const LINE_FEED = 10;

/** For errors of the system. */
const DOING = 'reading a CSV file';

/**
 * The bytes of a file, gunzipped if its name ends in `.gz`, in blocks of whole lines; only the last block may lack its
 * line break, and then it holds nothing but that line. Every block is written over by the next one.
 */
export async function* blocksOf(file: string): AsyncGenerator<Buffer> {
  const source = file.endsWith('.gz') ? gunzipped(file) : await plain(file);
  try {
    let buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    let filled = 0;
    for (;;) {
      if (filled === buffer.length) buffer = Buffer.concat([buffer], 2 * filled);
      const count = await source.read(buffer, filled);
      if (count === 0) break;
      filled += count;
      const end = buffer.lastIndexOf(LINE_FEED, filled - 1) + 1;
      if (end === 0) continue;
      yield buffer.subarray(0, end);
      buffer.copyWithin(0, end, filled);
      filled -= end;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  } finally {
    await source.close();
  }
}

interface Source {
  /** Fills a buffer from a place on, at least in part; gives the number of bytes, 0 at the end. */
  read(buffer: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

async function plain(file: string): Promise<Source> {
  const failed = (error: unknown): never => {
    throw fromSystemError(error, DOING);
  };
  const handle = await open(file).catch(failed);
  return {
    read: async (buffer, at) => (await handle.read(buffer, at, buffer.length - at, null).catch(failed)).bytesRead,
    close: () => handle.close(),
  };
}

function gunzipped(file: string): Source {
  const chunks = bytesOf(file, DOING);
  let rest: Buffer = Buffer.alloc(0);
  return {
    read: async (buffer, at) => {
      if (rest.length === 0) rest = (await chunks.next()).value ?? rest;
      const count = rest.copy(buffer, at);
      rest = rest.subarray(count);
      return count;
    },
    close: async () => {
      await chunks.return(undefined);
    },
  };
}
