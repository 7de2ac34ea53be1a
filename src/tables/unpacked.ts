/** Text files as bytes, plain or gzipped. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/**
 * The bytes of a file, unpacked if its name ends in `.gz`, in chunks of up to a megabyte. Errors of the file reach the
 * reader through the unpacking, too, and the file is closed when the reader stops early.
 */
export async function* unpackedBytes(file: string): AsyncGenerator<Buffer> {
  const raw = createReadStream(file, { highWaterMark: 1 << 20 });
  try {
    if (!file.endsWith('.gz')) yield* raw as AsyncIterable<Buffer>;
    else {
      const unpacked = createGunzip({ chunkSize: 1 << 18 });
      // A pipe passes data on and no errors: nobody would hear this one, and the process would end.
      raw.on('error', (error) => unpacked.destroy(error));
      yield* raw.pipe(unpacked) as AsyncIterable<Buffer>;
    }
  } finally {
    raw.destroy();
  }
}
