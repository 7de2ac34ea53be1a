import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PieceWriter } from '../../src/tables/pieces.ts';
import { temporaryFolder } from '../support/stage.ts';

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed) % 251;
  return bytes;
}

describe.each([true, false])('files in pieces, past the cache: %s', (direct) => {
  it('hold what was appended, which may change at once, while the file before them is written', async () => {
    const folder = await temporaryFolder();
    const pieces = new PieceWriter(direct);
    const length = fc.oneof(fc.constantFrom(0, 1, 4096, 1 << 20, (1 << 20) + 1), fc.nat(2_000_000));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(length, { maxLength: 4 }), { maxLength: 4 }), async (files) => {
        const written: Promise<void>[] = [];
        for (const [k, lengths] of files.entries()) {
          const file = await pieces.open(path.join(folder, `${k}`));
          for (const [i, length] of lengths.entries()) {
            const bytes = bytesOf(length, i + k);
            await file.append(bytes);
            bytes.fill(0);
          }
          written.push(file.end());
        }
        await Promise.all(written);
        for (const [k, lengths] of files.entries()) {
          const expected = Buffer.concat(lengths.map((length, i) => bytesOf(length, i + k)));
          expect(Buffer.compare(await readFile(path.join(folder, `${k}`)), expected)).toBe(0);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('leave nothing when they are abandoned, and keep no piece', async () => {
    const folder = await temporaryFolder();
    const pieces = new PieceWriter(direct);
    for (let i = 0; i < 15; i++) {
      const file = await pieces.open(path.join(folder, 'x'));
      await file.append(bytesOf(1_200_000, i));
      await file.abandon();
    }
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('files in pieces', () => {
  it.runIf(existsSync('/dev/full'))('say at the end that they could not be written', async () => {
    const pieces = new PieceWriter(false);
    for (let i = 0; i < 3; i++) {
      const file = await pieces.open('/dev/full');
      await file.append(bytesOf(20_000_000, i));
      await expect(file.end()).rejects.toThrow('ENOSPC');
    }
  });
});
