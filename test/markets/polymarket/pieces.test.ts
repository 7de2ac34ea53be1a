import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { importPolymarket } from '../../../src/markets/polymarket/import.ts';
import { lineBlocks } from '../../../src/markets/polymarket/line-blocks.ts';
import { type Piece, PieceCutter } from '../../../src/markets/polymarket/pieces.ts';
import { surveyCsv } from '../../../src/markets/polymarket/survey.ts';
import { type Duck, openDuck, quote } from '../../../src/tables/duck.ts';
import { parquetFiles } from '../../../src/tables/parquet-files.ts';
import { buildKernels } from '../../support/kernels.ts';
import { temporaryFolder } from '../../support/stage.ts';

buildKernels();

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
const fresh = (): Promise<string> => mkdtemp(path.join(folder, 'case-'));

/** The pieces of a file with columns a and b, and their texts. Each is released before the next one is taken. */
async function piecesOf(file: string, size?: number): Promise<{ pieces: Piece[]; texts: string[] }> {
  const cutter = new PieceCutter(file, ['a', 'b'], { size, held: 2 });
  const [pieces, texts]: [Piece[], string[]] = [[], []];
  for await (const piece of cutter) {
    pieces.push(piece);
    texts.push(Buffer.from(piece.bytes).toString());
    cutter.release(piece);
  }
  return { pieces, texts };
}

describe('pieces', () => {
  const line = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom('1', '2', '3'), fc.stringMatching(/^[a-z]{0,9}$/))
        .map(([a, b]) => `${a},${b}`),
    },
    { weight: 1, arbitrary: fc.constantFrom('', '1,"a\nb"', '2,"x,""y"""', 'lone') },
  );

  it('loses no byte, keeps equal first fields and quoted fields whole, and counts lines as the survey does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        async (lines, size, lineBreak, cut, zipped) => {
          fc.pre(lines.some((text) => text !== '') && !(cut && lines.at(-1) === ''));
          const body = lines.join(lineBreak) + (cut ? '' : lineBreak);
          const text = `a,b${lineBreak}${body}`;
          const target = await fresh();
          const file = path.join(target, zipped ? 'x.csv.gz' : 'x.csv');
          await writeFile(file, zipped ? gzipSync(text) : text);
          const { pieces, texts } = await piecesOf(file, size);
          // Blank lines at the very end may be left out.
          expect(body.startsWith(texts.join(''))).toBe(true);
          expect(body.slice(texts.join('').length).trim()).toBe('');
          const survey = await surveyCsv(file, ['a', 'b']);
          expect(pieces.reduce((sum, piece) => sum + piece.lines, 0)).toBe(survey.lines - 1);
          let before = 0;
          let offset = 0;
          pieces.forEach((piece, i) => {
            expect(piece.before).toBe(before);
            expect(piece.firstLine).toBe(2 + body.slice(0, offset).split('\n').length - 1);
            expect((texts[i]?.match(/"/g)?.length ?? 0) % 2).toBe(0);
            expect(piece.quoted).toBe(texts[i]?.includes('"'));
            const next = texts[i + 1];
            if (next !== undefined) {
              const lastLine = (texts[i] as string).trimEnd().split('\n').at(-1) as string;
              if (!piece.quoted && !/\n\r?\n$/.test(texts[i] as string))
                expect(next.split(/[,\n]/)[0]).not.toBe(lastLine.split(',')[0]);
            }
            before += piece.lines;
            offset += (texts[i] as string).length;
          });
          expect(pieces.at(-1)?.endsInLineBreak).toBe(survey.endsInLineBreak || pieces.at(-1)?.endsInLineBreak);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['plain', 100, 0],
    ['with quotes and empty lines', 100, 1],
    ['with a line longer than a block', 20_000_000, 0],
  ])('of a file of many blocks, %s, are its lines', async (_, longest, odd) => {
    const body: string[] = [];
    for (let i = 0, bytes = 0; bytes < 13_000_000; i++) {
      const length = i === 30_000 ? longest : 20 + ((i * 7919) % 90);
      body.push(i % 50_000 === 40_000 * odd && odd > 0 ? `${i >> 2},"\n${i}"\n` : `${i >> 2},${'x'.repeat(length)}`);
      bytes += Math.min(length, 100);
    }
    const file = path.join(await fresh(), 'x.csv');
    await writeFile(file, `a,b\n${body.join('\n')}\n`);
    const { pieces, texts } = await piecesOf(file, 1 << 20);
    expect(pieces.length).toBeGreaterThan(8);
    expect(texts.join('') === `${body.join('\n')}\n`).toBe(true);
    for (const [i, text] of texts.entries()) {
      const lines = text.split('\n').slice(0, -1);
      const { lines: counted, blank, quoted } = pieces[i] as Piece;
      expect(counted).toBe(lines.filter((line) => line !== '').length);
      expect(blank).toEqual([...lines.keys()].filter((k) => lines[k] === ''));
      expect(quoted).toBe(text.includes('"'));
    }
  });

  it('are the same read past the cache of the system', async () => {
    const file = path.join(await fresh(), 'x.csv');
    const lines = Array.from({ length: 700_000 }, (_, i) => `${i},${i * 31}`);
    await writeFile(file, `a,b\n${lines.join('\n')}`);
    const past: string[] = [];
    for await (const block of lineBlocks(file, 0)) past.push(block.bytes.toString());
    expect(past.length).toBeGreaterThan(2);
    expect(past.join('') === `a,b\n${lines.join('\n')}\n`).toBe(true);
  });

  it('end when nobody wants more, though none was released', async () => {
    const file = path.join(await fresh(), 'x.csv');
    await writeFile(file, `a,b\n${Array.from({ length: 100 }, (_, i) => `${i},x`).join('\n')}\n`);
    let taken = 0;
    for await (const piece of new PieceCutter(file, ['a', 'b'], { size: 10, held: 2 })) {
      expect(piece.lines).toBeGreaterThan(0);
      if (++taken === 2) break;
    }
    expect(taken).toBe(2);
  });
});

describe('trades in pieces', () => {
  const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;
  const trade = (i: number, seconds: number): string =>
    [
      new Date(1_700_000_000_000 + seconds * 1000).toISOString().replace('Z', '000'),
      100 + (i % 3),
      hex(i % 11, 40),
      i % 4 === 0 ? '0xc5d563a36ae78145c45a50134d48a1215220f80a' : hex(i % 13, 40),
      i % 2 === 0 ? 'token1' : 'token2',
      i % 3 === 0 ? 'BUY' : 'SELL',
      i % 3 === 0 ? 'SELL' : 'BUY',
      '0.5',
      i % 50 === 7 ? '-1' : '2',
      '4',
      hex(i, 64),
    ].join(',');
  const header =
    'timestamp,market_id,maker,taker,nonusdc_side,maker_direction,taker_direction,price,usd_amount,token_amount,transactionHash';
  const markets = [
    'createdAt,id,question,answer1,answer2,neg_risk,market_slug,token1,token2,condition_id,volume,ticker,closedTime',
    ...[0, 1, 2].map(
      (k) => `,${100 + k},Will ${k} win?,Yes,No,False,slug,${k + 1}1,${k + 1}2,${hex(k, 64)},1,event-${k},`,
    ),
  ].join('\n');

  /** All that an import gives, the trades as one hash of their rows. */
  async function imported(
    lines: readonly string[],
    options: { pieceBytes?: number; threads?: number; duplicates?: 'keep' | 'drop-exact' },
  ): Promise<{ trades: unknown; metrics: unknown; figures: unknown; parts: number }> {
    const target = await fresh();
    const [trades, listed] = [path.join(target, 'trades.csv'), path.join(target, 'markets.csv')];
    await writeFile(trades, `${[header, ...lines].join('\n')}\n`);
    await writeFile(listed, `${markets}\n`);
    const paths = {
      trades: path.join(target, 'trades.parquet'),
      markets: path.join(target, 'markets.parquet'),
      resolutions: path.join(target, 'resolutions.parquet'),
      scratch: target,
    };
    const duck: Duck = await openDuck({
      threads: options.threads ?? 1,
      memoryMb: 400,
      scratch: path.join(target, 'spill'),
    });
    try {
      const found = await importPolymarket(
        duck,
        { format: 'poly-data-v1', trades, markets: listed, duplicates: options.duplicates ?? 'keep', maxRejected: 0.1 },
        paths,
        { threads: options.threads ?? 1, memoryMb: 400, pieceBytes: options.pieceBytes, progress: () => undefined },
      );
      const parts = parquetFiles(paths.trades);
      const rows = await duck.rows(
        `SELECT * REPLACE (seq::DOUBLE AS seq, orderGroup::VARCHAR AS orderGroup, usd::VARCHAR AS usd, shares::VARCHAR AS shares)
         FROM read_parquet([${parts.map(quote).join(', ')}])`,
      );
      return { trades: rows, ...found, parts: parts.length };
    } finally {
      duck.close();
    }
  }

  const inOrder = Array.from({ length: 400 }, (_, i) => trade(i, Math.floor(i / 5)));
  // Some rows twice, at the same time and far apart.
  const repeated = inOrder.flatMap((line, i) => (i % 20 === 0 ? [line, line] : [line]));
  const shuffled = repeated.map((_, i) => repeated[(i * 173) % repeated.length] as string);

  it.each([
    ['in order of time', repeated, true, 20],
    ['in order of time without equal rows', inOrder, true, 0],
    ['in no order', shuffled, false, 20],
  ] as const)(
    'of a file %s are those of the file as a whole, with any number of threads',
    async (_, lines, ordered, equal) => {
      for (const duplicates of ['keep', 'drop-exact'] as const) {
        const { parts, ...whole } = await imported(lines, { duplicates });
        expect(parts).toBe(1);
        expect((whole.metrics as { scalars: Record<string, number> }).scalars).toMatchObject({
          duplicates: equal,
          rejected: 8,
        });
        for (const threads of [1, 2]) {
          const { parts: several, ...cut } = await imported(lines, { duplicates, threads, pieceBytes: 5000 });
          expect(several > 1).toBe(ordered);
          expect(cut).toEqual(whole);
        }
      }
    },
  );

  it('keep their places where a plain line holds what no type takes', async () => {
    const plain = inOrder.filter((line) => !line.includes(',-1,'));
    const [at, before] = [37, plain[37] as string];
    const bad = plain.with(at, before.replace(/^(\d{4})-\d\d/, '$1-13'));
    const [whole, cut] = [await imported(plain, {}), await imported(bad, {})];
    const rows = whole.trades as { seq: number }[];
    expect(rows).toHaveLength(plain.length);
    expect(cut.trades).toEqual(rows.filter(({ seq }) => seq !== at));
    const { quality } = cut.metrics as { quality: { rejected: unknown }[] };
    expect(quality[0]?.rejected).toEqual([
      { reason: 'timestamp: not a time of the format', count: 1, first: `trades.csv:${at + 2}` },
    ]);
  });

  it('fail with what is wrong with the markets, whatever is wrong with them', async () => {
    const scratch = await fresh();
    const duck = await openDuck({ threads: 1, memoryMb: 400, scratch });
    const missing = (name: string): string => path.join(scratch, name);
    const files = { format: 'poly-data-v1', duplicates: 'keep', maxRejected: 0 } as const;
    const paths = { trades: missing('t'), markets: missing('m'), resolutions: missing('r'), scratch };
    const limits = { threads: 1, memoryMb: 400, progress: () => undefined };
    try {
      await expect(
        importPolymarket(
          duck,
          { ...files, trades: missing('trades.csv'), markets: missing('markets.csv') },
          paths,
          limits,
        ),
      ).rejects.toMatchObject({ at: { file: missing('markets.csv') } });
    } finally {
      duck.close();
    }
  });

  it('have the same rows whether the file is in order or not, but for their numbers', async () => {
    const strip = (rows: unknown): string[] =>
      (rows as Record<string, unknown>[])
        .map(({ seq: _, ...row }) => JSON.stringify(row))
        .sort((a, b) => (a < b ? -1 : 1));
    const [one, other] = [await imported(repeated, {}), await imported(shuffled, {})];
    expect(strip(other.trades)).toEqual(strip(one.trades));
    const times = (other.trades as { time: Date }[]).map(({ time }) => time.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect((other.trades as { seq: number }[]).map(({ seq }) => seq)).toEqual(times.map((__, i) => i));
  });
});
