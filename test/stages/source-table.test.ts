import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import run from '../../src/stages/run/source-table.ts';
import definition from '../../src/stages/source-table.ts';
import { openDuck } from '../../src/tables/duck.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
});

async function write(content: string | Uint8Array, extension = 'csv'): Promise<string> {
  const file = path.join(folder, `t${files++}`, `data.${extension}`);
  await mkdir(path.dirname(file));
  await writeFile(file, content);
  return file;
}

const source = (params: object): Promise<StageResult> => runStage(definition, run, { params });
const rowsOf = async (result: StageResult): Promise<readonly Record<string, unknown>[]> =>
  (await readParquet(result.path('table'))).rows;

const abc = [
  { name: 'a' },
  { name: 'b', role: 'label' },
  { name: 'c', type: 'text', role: 'info', missing: ['', 'NA'] },
];

/** Error of an import: its place in the file and its words. */
async function failure(params: object): Promise<{ place: string; message: string; hint: string }> {
  const error = await source(params).then(
    () => Promise.reject(new Error('it was imported')),
    (e: unknown) => e as { code?: string; message: string; hint?: string; at?: { file: string; line?: number } },
  );
  expect(['data', 'io', 'experiment'], error.message).toContain(error.code);
  const place = error.at === undefined ? '' : `${path.basename(error.at.file)}:${error.at.line ?? ''}`;
  return { place, message: error.message, hint: error.hint ?? '' };
}

describe('source.table on CSV', () => {
  it('takes columns by their names, keeps the order of the file and numbers its rows', async () => {
    const result = await source({
      path: await write('\ufeffb,c,a\r\n1,"x, ""y""",2.5\r\n-3,NA,\r\n4e-1,"two\r\nlines",+.5\r\n'),
      columns: abc,
    });
    expect(await rowsOf(result)).toEqual([
      { row: 0n, a: 2.5, b: 1, c: 'x, "y"' },
      { row: 1n, a: null, b: -3, c: null },
      { row: 2n, a: 0.5, b: 0.4, c: 'two\r\nlines' },
    ]);
    const { columns } = await readParquet(result.path('table'));
    expect(columns?.map((c) => [c.name, c.role])).toEqual([
      ['row', 'id'],
      ['a', 'feature'],
      ['b', 'label'],
      ['c', 'info'],
    ]);
    const metrics = await result.metrics();
    expect(metrics.scalars).toMatchObject({
      rows: 3,
      'rows.read': 3,
      'rows.rejected': 0,
      'missing.a': 1,
      'missing.c': 1,
    });
  });

  it('passes over a first line that is wrong, does without one, reads tabs and gzip', async () => {
    const columns = abc.slice(0, 2);
    for (const params of [
      { path: await write('2,2,x,y\n1,2\n3,4\n'), header: 'skip' },
      { path: await write('1,2\n3,4'), header: false },
      { path: await write('a\tb\n1\t2\n3\t4\n', 'tsv') },
      { path: await write('a;b\n1;2\n3;4\n'), delimiter: ';' },
      { path: await write(gzipSync('a,b\n1,2\n3,4\n'), 'csv.gz') },
    ])
      expect(await rowsOf(await source({ ...params, columns })), params.path).toEqual([
        { row: 0n, a: 1, b: 2 },
        { row: 1n, a: 3, b: 4 },
      ]);
  });

  it('stops at once with place and fix for what is wrong with the file', async () => {
    const cases: [object | string, string, string][] = [
      ['', 'data.csv:1', 'empty'],
      ['a,b,c\n', 'data.csv:1', 'no rows'],
      ['569,30,malignant\n1,2,x\n', 'data.csv:1', 'missing: "a", "b", "c"'],
      ['a,b,c,d\n1,2,x,9\n', 'data.csv:1', 'not declared: "d"'],
      ['a,b\n1,2\n', 'data.csv:1', 'missing: "c"'],
      ['a,b,b\n1,2,3\n', 'data.csv:1', 'twice'],
      ['a,b,c\n1,2,x\n3,4', 'data.csv:3', 'ends in the middle'],
      ['a,b,c\n1,2,"x\ny"\n3,4,"z\n5,6,w\n', 'data.csv:4', 'never closed'],
      ['a,b,c\n1,2,x\r\n3,4,y\n', '', 'CR LF'],
    ];
    for (const [content, place, words] of cases) {
      const found = await failure({ path: await write(content as string), columns: abc });
      expect(found.message).toContain(words);
      expect(found.place, words).toBe(place);
    }
    expect((await failure({ path: await write('569,30,x\n1,2,x\n'), columns: abc })).hint).toContain('header: skip');
    expect((await failure({ path: await write('1,2\n'), columns: abc, header: false })).message).toContain('has 2');
    expect((await failure({ path: await write('a,b\n1,2\n') })).hint).toContain('{name: a}, {name: b}');
    expect((await failure({ path: path.join(folder, 'none.csv'), columns: abc })).message).toContain('no such file');
    expect((await failure({ path: await write('x', 'dat'), columns: abc })).hint).toContain('format');
    const cut = gzipSync(`a,b,c\n${'1,2,x\n'.repeat(2000)}`).subarray(0, 40);
    expect((await failure({ path: await write(cut, 'csv.gz'), columns: abc })).message).toMatch(/unpacked to its end/);
  });

  it('stops where roles or names contradict each other', async () => {
    const file = await write('a,A\n1,2\n');
    expect((await failure({ path: file, columns: [{ name: 'a' }, { name: 'A' }] })).message).toContain('capitals');
    const row = await write('row,b\n1,2\n');
    const columns = [{ name: 'row', type: 'integer' }, { name: 'b' }];
    expect((await failure({ path: row, columns })).hint).toContain('idColumn: row');
    expect(await rowsOf(await source({ path: row, columns, idColumn: 'row' }))).toEqual([{ row: 1n, b: 2 }]);
    expect((await failure({ path: row, columns, idColumn: 'c' })).message).toContain('"c"');
    const times = [
      { name: 'row', type: 'time', unit: 's', role: 'time' },
      { name: 'b', type: 'time', unit: 's', role: 'time' },
    ];
    expect((await failure({ path: row, columns: times })).message).toContain('several columns have role time');
  });

  it('counts bad rows by reason with the line of the first, and stops beyond maxRejected', async () => {
    const lines = [
      'a,b,c',
      '1,2,x',
      '3,4',
      '5,6,7,8',
      '"9","\n10",y',
      'one,2,x',
      '11,NaN,x',
      '',
      '12,13,z',
      '14,oops,w',
      '15,16,v',
    ];
    const file = await write(`${lines.join('\n')}\n`);
    const { message, place, hint } = await failure({ path: file, columns: abc });
    expect(message).toContain('5 of 9 rows are bad');
    expect(message).toContain('b: not a number (2, first data.csv:8 "NaN")');
    expect(place).toBe('data.csv:8');
    expect(hint).toContain('maxRejected');
    const result = await source({ path: file, columns: abc, maxRejected: 0.6 });
    const [quality] = (await result.metrics()).quality ?? [];
    expect(quality).toMatchObject({ rowsRead: 9, rowsKept: 4 });
    expect(quality?.rejected).toEqual([
      { reason: 'b: not a number', count: 2, first: 'data.csv:8 "NaN"' },
      { reason: 'a: not a number', count: 1, first: 'data.csv:7 "one"' },
      { reason: 'too few fields', count: 1, first: 'data.csv:3' },
      { reason: 'too many fields', count: 1, first: 'data.csv:4' },
    ]);
    expect((await rowsOf(result)).map((row) => row['b'])).toEqual([2, 10, 13, 16]);
  });

  it('rounds nothing in silence', async () => {
    const accepted = async (type: object, text: string): Promise<unknown> => {
      const file = await write(`id,v\n1,"${text}"\n`);
      const columns = [
        { name: 'id', type: 'integer', role: 'id' },
        { name: 'v', role: 'info', ...type },
      ];
      return (
        await rowsOf(
          await source({ path: file, columns, ...((type as { timeZone?: string }).timeZone === undefined ? {} : {}) }),
        )
      )[0]?.['v'];
    };
    const refused = async (type: object, text: string): Promise<string> => {
      const file = await write(`id,v\n1,"${text}"\n`);
      const columns = [
        { name: 'id', type: 'integer', role: 'id' },
        { name: 'v', role: 'info', ...type },
      ];
      return (await failure({ path: file, columns })).message;
    };
    expect(await accepted({ type: 'integer' }, '253591.0')).toBe(253591n);
    expect(await refused({ type: 'integer' }, '253591.6')).toContain('not a whole number');
    expect(await refused({ type: 'integer' }, '9223372036854775808')).toContain('64 bits');
    expect(await refused({ type: 'number' }, '9007199254740993')).toContain('rounds');
    expect(await refused({ type: 'number' }, '1e999')).toContain('range');
    for (const text of ['NaN', 'inf', '1,5', '0x10', '1_000', '--1', '1e', '.'])
      expect(await refused({ type: 'number' }, text)).toContain('not a number');
    expect(await accepted({ type: 'number', missing: ['NaN'] }, 'NaN')).toBeNull();
    expect(await accepted({ type: 'number' }, ' 0.1234567890123 ')).toBe(0.1234567890123);
    expect(await accepted({ type: 'boolean' }, 'Yes')).toBe(true);
    expect(await refused({ type: 'boolean' }, '2')).toContain('neither');
    expect(await accepted({ type: 'text', missing: [] }, '007')).toBe('007');
    const time = { type: 'time' };
    expect(await accepted(time, '2024-01-01T00:00:00+02:00')).toEqual(new Date('2023-12-31T22:00:00Z'));
    expect(await accepted(time, '2024-01-01 00:00:00.250000 UTC')).toEqual(new Date('2024-01-01T00:00:00.250Z'));
    expect(await accepted(time, '2024-01-01T00:00-0530')).toEqual(new Date('2024-01-01T05:30:00Z'));
    expect(await accepted({ ...time, unit: 's' }, '1704067200')).toEqual(new Date('2024-01-01T00:00:00Z'));
    expect(await accepted({ ...time, unit: 'ms' }, '1704067200250')).toEqual(new Date('2024-01-01T00:00:00.250Z'));
    expect(await refused(time, '2024-01-01T00:00:00')).toContain('set timeZone');
    expect(await refused(time, '2024-01-01T00:00:00.1234567Z')).toContain('microsecond');
    expect(await refused(time, '2024-02-30T00:00:00Z')).toContain('no such time');
    expect(await refused(time, '01/02/2024')).toContain('not a time');
    expect(await refused({ ...time, unit: 's' }, '1704067200.5')).toContain('whole number of s');
  });

  it('reads local times in the zone it is told, and refuses hours that did not exist there', async () => {
    const columns = [{ name: 't', type: 'time', role: 'time' }, { name: 'x' }];
    const params = { columns, timeZone: 'America/New_York' };
    const rows = await rowsOf(
      await source({
        ...params,
        path: await write('t,x\n2024-07-01 12:00:00,1\n2024-01-01T12:00:00Z,2\n2024-01-01,3\n'),
      }),
    );
    expect(rows.map((row) => (row['t'] as Date).toISOString())).toEqual([
      '2024-07-01T16:00:00.000Z',
      '2024-01-01T12:00:00.000Z',
      '2024-01-01T05:00:00.000Z',
    ]);
    expect((await failure({ ...params, path: await write('t,x\n2024-03-10 02:30:00,1\n') })).message).toContain(
      'clocks went forward',
    );
    expect(
      (await failure({ ...params, timeZone: 'Mars/Olympus', path: await write('t,x\n2024-03-10 02:30:00,1\n') }))
        .message,
    ).toContain('Mars/Olympus');
    expect((await failure({ ...params, path: await write('t,x\n,1\n') })).message).toContain('no time');
  });

  it('counts exact duplicates and drops them only on request, totals side by side', async () => {
    const file = await write('a,b\n1,2\n1,2\n3,4\n1,2\n');
    const columns = [{ name: 'a', unit: 'USD' }, { name: 'b' }];
    const [keep, drop] = [
      await source({ path: file, columns }),
      await source({ path: file, columns, duplicates: 'drop-exact' }),
    ];
    expect((await rowsOf(keep)).length).toBe(4);
    expect(await rowsOf(drop)).toEqual([
      { row: 0n, a: 1, b: 2 },
      { row: 2n, a: 3, b: 4 },
    ]);
    const [quality] = (await keep.metrics()).quality ?? [];
    expect(quality?.duplicates).toEqual({ count: 2, policy: 'keep' });
    expect(quality?.totals).toEqual([
      { label: 'Rows', keep: 4, dropExact: 2, unit: 'rows' },
      { label: 'Sum of a', keep: 6, dropExact: 4, unit: 'USD' },
    ]);
  });

  it('gives every number back, whatever its spelling, with equal bytes for one and two threads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 }),
        async (values) => {
          const spelled = values.map((v, i) => {
            const text = i % 2 === 0 || !Number.isFinite(v) ? String(v) : v.toExponential();
            // Whole numbers beyond 2^53 are refused when written out.
            return Number.isInteger(v) && Math.abs(v) >= 2 ** 53 ? v.toExponential() : text;
          });
          const file = await write(`v\n${spelled.join('\n')}\n`);
          const one = await runStage(definition, run, { params: { path: file, columns: [{ name: 'v' }] }, threads: 1 });
          const two = await runStage(definition, run, { params: { path: file, columns: [{ name: 'v' }] }, threads: 2 });
          expect((await rowsOf(one)).map((row) => row['v'])).toEqual(values.map((v) => (Object.is(v, -0) ? 0 : v)));
          expect(Buffer.compare(await one.bytes('table'), await two.bytes('table'))).toBe(0);
        },
      ),
      { numRuns: 15, seed: 3 },
    );
  });
});

describe('source.table on typed files', () => {
  const columns = [
    { name: 'id', type: 'text', role: 'id' },
    { name: 'at', type: 'time', role: 'time' },
    { name: 'x', type: 'number' },
    { name: 'n', type: 'integer' },
  ];
  const expected = [
    { id: 'p', at: new Date('2024-01-01T00:00:00.250Z'), x: 0.1, n: 1n },
    { id: 'q', at: new Date('2024-01-02T00:00:00Z'), x: null, n: 2n },
  ];

  async function parquet(second: string): Promise<string> {
    const file = path.join(folder, `typed-${second.replace(/\W/g, '')}.parquet`);
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
    await duck.run(
      `COPY (SELECT * FROM (VALUES ('p', TIMESTAMP '2024-01-01 00:00:00.25', 0.1::DOUBLE, 1::INTEGER), ('q', '2024-01-02', ${second}, 2)) t(id, "at", x, n)) TO '${file}' (FORMAT parquet)`,
    );
    duck.close();
    return file;
  }

  it('reads Parquet, with times, decimals and nulls, described or not', async () => {
    const file = await parquet('NULL');
    expect(await rowsOf(await source({ path: file, columns }))).toEqual(expected);
    expect(await rowsOf(await source({ path: file, idColumn: 'id' }))).toEqual(expected);
    expect((await failure({ path: file, columns: columns.slice(1) })).message).toContain('not declared: "id"');
    const broken = await write(new Uint8Array(100), 'parquet');
    expect((await failure({ path: broken, columns })).hint).toContain('truncated');
  });

  it.each([
    ["'nan'", 'NaN'],
    ["'inf'", 'inf'],
    ["'-inf'", '-inf'],
  ])('refuses %s in a feature by column and row, as text files are refused for it', async (value, word) => {
    const file = await parquet(value);
    const name = path.basename(file);
    for (const params of [{ columns }, { idColumn: 'id' }]) {
      const { message, place, hint } = await failure({ path: file, ...params });
      expect(message).toContain(`1 of 2 rows are bad: x: not a number (1, first ${name}:2 "${word}")`);
      expect(place).toBe(`${name}:2`);
      expect(hint).toContain('`missing`');
    }
    const kept = await source({ path: file, columns, maxRejected: 0.5 });
    expect(await rowsOf(kept)).toEqual(expected.slice(0, 1));
    const [quality] = (await kept.metrics()).quality ?? [];
    expect(quality?.rejected).toMatchObject([{ reason: 'x: not a number', count: 1 }]);
  });

  it('takes NaN for missing where the description says so, and in columns that no model learns from', async () => {
    const file = await parquet("'nan'");
    const described = (more: object): object[] => columns.map((c) => (c.name === 'x' ? { ...c, ...more } : c));
    expect(await rowsOf(await source({ path: file, columns: described({ missing: ['NaN'] }) }))).toEqual(expected);
    expect(await rowsOf(await source({ path: file, columns: described({ role: 'info' }) }))).toEqual(expected);
    for (const role of ['label', 'weight'])
      expect((await failure({ path: file, columns: described({ role }) })).message).toContain('x: not a number');
  });

  it('reads Arrow files and streams', async () => {
    const table = tableFromArrays({ id: ['p', 'q'], x: Float64Array.of(0.1, 3), n: Int32Array.of(1, 2) });
    const arrowColumns = columns.filter((c) => c.name !== 'at');
    for (const format of ['file', 'stream'] as const) {
      const file = await write(tableToIPC(table, format), 'arrow');
      expect(await rowsOf(await source({ path: file, columns: arrowColumns }))).toEqual([
        { id: 'p', x: 0.1, n: 1n },
        { id: 'q', x: 3, n: 2n },
      ]);
    }
    const cut = tableToIPC(table, 'file').subarray(0, 200);
    expect((await failure({ path: await write(cut, 'arrow'), columns })).message).toContain('Arrow');
  });

  it('reads JSON lines and names the line of what is wrong', async () => {
    const good =
      '{"id":"p","at":"2024-01-01T00:00:00.25Z","x":0.1,"n":1}\n\n{"n":2,"id":"q","at":"2024-01-02T00:00:00Z","x":null}\n';
    expect(await rowsOf(await source({ path: await write(good, 'jsonl'), columns }))).toEqual(expected);
    const line = '{"id":"r","at":"2024-01-02T00:00:00Z","x":1,"n":1}\n';
    expect(await failure({ path: await write(`${good}{"id":"r","at":`, 'jsonl'), columns })).toMatchObject({
      place: 'data.jsonl:4',
      message: expect.stringContaining('last line'),
    });
    expect(await failure({ path: await write(`${line}{"id":"r","y":1}\n`, 'jsonl'), columns })).toMatchObject({
      place: 'data.jsonl:2',
      message: expect.stringContaining('"y"'),
    });
    const bad = await failure({
      path: await write(`${line}\n[1]\n${line.replace('"x":1', '"x":"one"')}${line}`, 'jsonl'),
      columns,
    });
    expect(bad.message).toContain('no JSON object (1, first data.jsonl:3)');
    expect(bad.message).toContain('x: not a number (1, first data.jsonl:4 "one")');
  });
});

describe('descriptions of data sets', () => {
  it('serve the import, and parameters go before them', async () => {
    const dataset = await write(
      'name: two\nheader: skip\ncolumns:\n  - { name: a }\n  - { name: b, role: label }\n',
      'yaml',
    );
    const file = await write('x,y\n1,2\n');
    const result = await source({ path: file, dataset });
    expect((await result.metrics()).quality?.[0]?.source).toBe('two');
    expect((await failure({ path: file, dataset, header: true })).message).toContain('missing');
    expect(definition.files?.(definition.params.parse({ path: file, dataset }))).toEqual([file, dataset]);
  });

  it('are refused with the line of what is wrong', async () => {
    const file = await write('a\n1\n');
    const wrong = await write('name: x\ncolumns:\n  - name: a\n    type: nummer\n', 'yaml');
    expect(await failure({ path: file, dataset: wrong })).toMatchObject({
      message: expect.stringMatching(/data\.yaml:4:11: columns\.0\.type/),
    });
    const twice = await write('name: x\nname: y\n', 'yaml');
    expect((await failure({ path: file, dataset: twice })).message).toContain('data.yaml:2');
    expect((await failure({ path: file, dataset: path.join(folder, 'none.yaml') })).message).toContain('no such file');
  });
});

describe.skipIf(!shared)(`breast cancer (${shared === undefined ? whyNoShared : 'recorded'})`, () => {
  it('is imported by its description', async () => {
    const result = await source({
      path: sharedFile('data', 'ml', 'breast_cancer.csv'),
      dataset: 'datasets/breast-cancer.yaml',
    });
    const { rows, columns } = await readParquet(result.path('table'));
    expect(rows.length).toBe(569);
    expect(columns?.filter((c) => c.role === 'feature').length).toBe(30);
    expect(rows.filter((row) => row['benign'] === 1n).length).toBe(357);
    expect(rows[0]).toMatchObject({ row: 0n, meanRadius: 17.99, worstFractalDimension: 0.1189, benign: 0n });
    const [quality] = (await result.metrics()).quality ?? [];
    expect(quality).toMatchObject({
      source: 'breast-cancer',
      rowsRead: 569,
      rowsKept: 569,
      rejected: [],
      duplicates: { count: 0, policy: 'keep' },
    });
  });
});
