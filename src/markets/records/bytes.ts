/** Files of records as bytes, plain or gzipped; what is missing, cut or damaged stops. */
import { stat } from 'node:fs/promises';
import { FathomError, fromSystemError } from '../../errors.ts';
import { unpackedBytes } from '../../tables/unpacked.ts';

/** Stops unless there is such a file. */
export async function checkIsFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !found.isFile())
    throw new FathomError('data', found === undefined ? 'no such file' : 'not a file', {
      at: { file },
      hint: 'Check the path in the experiment; a relative path starts at the working folder.',
    });
}

/**
 * The bytes of a file, gunzipped if its name ends in `.gz`; a gzip stream that is cut stops with one error.
 * @param doing what is being done, for errors of the system: "reading a CSV file"
 */
export async function* bytesOf(file: string, doing: string): AsyncGenerator<Buffer> {
  try {
    yield* unpackedBytes(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true)
      throw new FathomError('data', `the gzip stream is cut or damaged (${message})`, {
        at: { file },
        hint: 'Copy or download the file again.',
      });
    throw fromSystemError(error, doing);
  }
}
