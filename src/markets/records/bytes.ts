/** Text files, plain or gzipped, as chunks of text; what is cut or damaged stops. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { FathomError, fromSystemError } from '../../errors.ts';

/** Stops with one error if there is no such file. */
export async function expectFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new FathomError('data', found === undefined ? 'no such file' : 'not a file', {
      at: { file },
      hint: 'Check the path in the experiment; a relative path starts at the working folder.',
    });
}

/** The text of a file, gunzipped if its name ends in `.gz`, in chunks that cut no character, without byte-order mark. */
export async function* textOf(file: string): AsyncGenerator<string> {
  await expectFile(file);
  const raw = createReadStream(file, { highWaterMark: 1 << 18 });
  const gunzip = file.endsWith('.gz') ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
  // An error of the file itself would not travel down the pipe, and nobody would hear of it.
  raw.on('error', (error) => gunzip?.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of gunzip === undefined ? raw : raw.pipe(gunzip))
      yield decoder.decode(chunk as Buffer, { stream: true });
    yield decoder.decode();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true)
      throw new FathomError('data', `the gzip stream is cut or damaged (${message})`, {
        at: { file },
        hint: 'Copy or download the file again.',
      });
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new FathomError('data', 'not UTF-8', { at: { file }, hint: 'The file is damaged or no text.' });
    throw error instanceof FathomError ? error : fromSystemError(error, 'reading a file');
  } finally {
    raw.destroy();
    gunzip?.destroy();
  }
}
