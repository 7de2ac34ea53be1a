/** Text files, plain or gzipped, as chunks of text; what is cut or damaged stops. */
import { FathomError } from '../../errors.ts';
import { bytesOf, checkIsFile } from './bytes.ts';

/** The text of a file, gunzipped if its name ends in `.gz`, in chunks that cut no character, without byte-order mark. */
export async function* textOf(file: string): AsyncGenerator<string> {
  await checkIsFile(file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Buffer): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new FathomError('data', 'not UTF-8', { at: { file }, hint: 'The file is damaged or no text.' });
    }
  };
  for await (const chunk of bytesOf(file, 'reading a CSV file')) yield decode(chunk);
  yield decode();
}
