import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALIGNMENT, aligned, areReadDirect, LARGE_FILE_BYTES, withDirect } from '../../src/tables/direct.ts';
import { temporaryFolder } from '../support/stage.ts';

/** Memory of whole pages: that of WebAssembly begins at one. */
declare const WebAssembly: { Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer } };

describe('files past the cache', () => {
  it('hold what is written and read as whole pages', async () => {
    const file = path.join(await temporaryFolder(), 'x');
    const { buffer } = new WebAssembly.Memory({ initial: 1 });
    const [out, back] = [new Uint8Array(buffer, 0, ALIGNMENT), new Uint8Array(buffer, ALIGNMENT, ALIGNMENT)];
    out.forEach((_, i) => {
      out[i] = i % 251;
    });
    await withDirect(file, 'w', (handle) => handle.write(out, 0, ALIGNMENT, 0));
    expect(Buffer.compare(await readFile(file), out)).toBe(0);
    await withDirect(file, 'r', (handle) => handle.read(back, 0, ALIGNMENT, 0));
    expect(Buffer.compare(back, out)).toBe(0);
    expect([0, 1, ALIGNMENT].map(aligned)).toEqual([0, ALIGNMENT, ALIGNMENT]);
  });

  it('are those that are large and not in the cache', async () => {
    const file = path.join(await temporaryFolder(), 'x');
    await writeFile(file, new Uint8Array(1 << 20));
    const files = [{ path: file, bytes: 1 << 20 }];
    expect(areReadDirect([])).toBe(false);
    expect(areReadDirect(files)).toBe(false);
    expect(areReadDirect(files, 1 << 19)).toBe(true);
    expect(areReadDirect(files, 1 << 20)).toBe(false);
    // It was written a moment ago.
    const large = Array.from({ length: LARGE_FILE_BYTES / (1 << 20) + 1 }, () => files[0] as (typeof files)[number]);
    expect(areReadDirect(large)).toBe(false);
  });

  it('are read in the usual way where it has to be whole pages and is not', async () => {
    const file = path.join(await temporaryFolder(), 'x');
    await writeFile(file, 'some bytes');
    let tries = 0;
    const text = await withDirect(file, 'r', async (handle) => {
      tries++;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(7), 1, 5, 3);
      return buffer.toString('latin1', 1, 1 + bytesRead);
    });
    expect(text).toBe('e byt');
    expect(tries).toBeLessThanOrEqual(2);
  });

  it('pass on every other error, and do not try again', async () => {
    const file = path.join(await temporaryFolder(), 'x');
    let tries = 0;
    const failing = withDirect(file, 'w', () => {
      tries++;
      return Promise.reject(new Error('no room'));
    });
    await expect(failing).rejects.toThrow('no room');
    expect(tries).toBe(1);
    await expect(withDirect(path.join(file, 'none'), 'r', () => Promise.resolve())).rejects.toThrow();
  });
});
