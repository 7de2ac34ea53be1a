import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type JsonRecord, jsonRecords } from '../../../src/markets/records/json.ts';
import { temporaryFolder } from '../../support/stage.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

let files = 0;
async function read(text: string | Uint8Array, extension = '.json'): Promise<JsonRecord[]> {
  const file = path.join(folder, `${files++}${extension}`);
  await writeFile(file, text);
  const records: JsonRecord[] = [];
  for await (const record of jsonRecords(file)) records.push(record);
  return records;
}

describe('jsonRecords', () => {
  it('gives the same records of an array, of lines, of a page, and of any of them gzipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }),
        async (drawn) => {
          const rows = drawn.map((row) => JSON.parse(JSON.stringify({ ...row, data: 0 })) as unknown);
          const values = async (text: string | Uint8Array, extension?: string): Promise<unknown[]> =>
            (await read(text, extension)).map(({ value }) => value);
          const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
          expect(await values(JSON.stringify(rows))).toEqual(rows);
          expect(await values(`\uFEFF\n ${JSON.stringify(rows, undefined, 1)}\n`)).toEqual(rows);
          expect(await values(lines)).toEqual(rows);
          expect(await values(lines.trimEnd())).toEqual(rows);
          expect(await values(JSON.stringify({ data: rows, next: '' }, undefined, 2))).toEqual(rows);
          expect(await values(gzipSync(lines), '.jsonl.gz')).toEqual(rows);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('names the line on which a record begins', async () => {
    const lineOf = async (text: string): Promise<number[]> => (await read(text)).map(({ line }) => line);
    expect(await lineOf('{"a":1}\n\n{"a":2}\n{"a":3}')).toEqual([1, 3, 4]);
    expect(await lineOf('\n[\n {"a":\n1},\n {"a":2}, {"a":3}\n]')).toEqual([3, 5, 5]);
  });

  it('gives a record that is no JSON as undefined, and goes on', async () => {
    expect(await read('{"a":1}\n{"a":}\n{"a":3}\n')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, value: undefined },
      { line: 3, value: { a: 3 } },
    ]);
    expect((await read('[{"a":1},{"a"},{"a":3}]')).map(({ value }) => value)).toEqual([{ a: 1 }, undefined, { a: 3 }]);
  });

  it('gives nothing for an empty answer', async () => {
    expect(await read('[]')).toEqual([]);
    expect(await read('{"data": []}')).toEqual([]);
  });

  it.each([
    ['', 'the file is empty'],
    [' \n', 'the file is empty'],
    ['{"a":1}\n{"a":2}\n{"a"', 'the last line is cut'],
    ['{"data": [{"a":1},', 'neither objects line by line nor one page'],
    ['[{"a":1},{"a":2}', 'the array is not closed'],
    ['[{"a":1},{"a":"', 'the array is not closed'],
    ['[{"a":1},,{"a":2}]', 'an element of the array is missing'],
    ['[{"a":1}]\n[{"a":2}]', 'something follows the array'],
    [gzipSync('{"a":1}\n'.repeat(100)).subarray(0, -10), 'the gzip stream is cut'],
    [gzipSync(JSON.stringify(Array.from({ length: 9999 }, Math.random))).subarray(0, 40_000), 'the gzip stream is cut'],
    [Uint8Array.of(0x5b, 0xff), 'not UTF-8'],
  ])('stops at case %#', async (content, message) => {
    const gzipped = typeof content !== 'string' && content[0] === 0x1f;
    await expect(read(content, gzipped ? '.json.gz' : '.json')).rejects.toThrow(message);
  });
});
