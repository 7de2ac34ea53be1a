/** Whatever is wrong gives one clear error, a code that is not zero, no stack, and nothing half-written; then it goes on. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDuck } from '../../src/tables/duck.ts';
import { artifactHashes, type CliResult, fathom, workFolder } from '../support/cli.ts';
import { tiny } from '../support/plugin/experiment.ts';

const header = 'timestamp,title,size,price,side,asset,conditionId,proxyWallet,outcome';
const condition = `0x${'ab'.repeat(32)}`;
const longId = '7'.repeat(78);

function fill(i: number, changes: Partial<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    timestamp: `2026-01-08 12:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}`,
    title: 'Will it rain?',
    size: '10.5',
    price: '0.42',
    side: 'BUY',
    asset: longId,
    conditionId: condition,
    proxyWallet: `0x${String(i % 7).padStart(40, '0')}`,
    outcome: 'Yes',
    ...changes,
  };
  return header
    .split(',')
    .map((name) => values[name])
    .join(',');
}

const good = Array.from({ length: 1500 }, (_, i) => fill(i));
const polymarket = `name: day
stages:
  day: { use: source.polymarket, format: data-api-csv, trades: fills.csv, timeZone: America/New_York }
`;

function csv(lines: readonly string[]): string {
  return `${[header, ...lines].join('\n')}\n`;
}

async function runDay(fills: string | undefined, ...args: string[]): Promise<CliResult & { cwd: string }> {
  const cwd = await workFolder({ 'e.yaml': polymarket, ...(fills === undefined ? {} : { 'fills.csv': fills }) });
  return { ...(await fathom(['run', 'e.yaml', '--no-report', ...args], { cwd })), cwd };
}

async function quality(cwd: string): Promise<{
  rowsRead: number;
  rowsKept: number;
  rejected: { reason: string; count: number; first: string }[];
  duplicates: { count: number; policy: string };
}> {
  const [id] = Object.keys(await artifactHashes(path.join(cwd, 'results')));
  const file = path.join(cwd, 'results/store', (id as string).slice(0, 2), id as string, 'metrics.json');
  return JSON.parse(await readFile(file, 'utf8')).quality[0];
}

function expectClear(result: CliResult, code: number, ...texts: (string | RegExp)[]): void {
  expect(result.code, result.err).toBe(code);
  for (const text of texts) expect(result.err).toMatch(text);
  expect(result.err).not.toMatch(/\n\s+at .*[(:]/);
  expect(result.err).not.toContain('internal error');
}

/** No artifact, and no half-made one. */
function expectNothingLeft(cwd: string): void {
  const store = path.join(cwd, 'results/store');
  const names = ((): string[] => {
    try {
      return readdirSync(store, { recursive: true, encoding: 'utf8' });
    } catch {
      return [];
    }
  })();
  expect(names.filter((name) => /manifest|\.tmp|parquet|staging\//.test(name))).toEqual([]);
}

describe('a bad experiment', () => {
  const cases: [string, string, number, (string | RegExp)[]][] = [
    [
      'an unknown key',
      'name: e\nstages:\n  a: { use: test.number, valeu: 3 }\n',
      2,
      [/e\.yaml:3:26: .*valeu/, 'value', /\^/],
    ],
    ['a wrong type', 'name: e\nstages:\n  a: { use: test.number, value: three }\n', 2, [/e\.yaml:3:33: /, 'number']],
    [
      'two stages of one name',
      'name: e\nstages:\n  a: { use: test.number }\n  a: { use: test.number }\n',
      2,
      [/e\.yaml:4:3: /, 'a'],
    ],
    [
      'a cycle',
      'name: e\nstages:\n  a: { use: test.gather, from: { parts: b } }\n  b: { use: test.gather, from: { parts: a } }\n',
      2,
      [/a -> b -> a|b -> a -> b/],
    ],
    ['an unknown stage', 'name: e\nstages:\n  a: { use: test.numbre }\n', 2, [/e\.yaml:3:13: /, 'test.number']],
    [
      'an unknown engine',
      'name: e\nstages:\n  s: { use: source.simulated }\n  m: { use: train.mtl, engine: abacus, heads: [{ target: y, kind: binary }] }\n',
      2,
      ['abacus', 'wasm'],
    ],
    ['an empty file', '', 2, [/e\.yaml:1:1/]],
  ];
  it.each(cases)('%s', async (_name, text, code, texts) => {
    const cwd = await workFolder({ 'e.yaml': text });
    expectClear(await fathom(['run', 'e.yaml'], { cwd }), code, ...texts);
    expect(readdirSync(cwd)).toEqual(['e.yaml']);
  });

  it('several errors are shown at once', async () => {
    const cwd = await workFolder({
      'e.yaml':
        'name: e\nstages:\n  a: { use: test.number, valeu: 3 }\n  b: { use: test.numbre }\n  c: { use: test.number, value: x }\n',
    });
    expectClear(await fathom(['plan', 'e.yaml'], { cwd }), 2, 'e.yaml:3', 'e.yaml:4', 'e.yaml:5');
  });

  it('a missing file', async () => {
    const cwd = await workFolder({});
    expectClear(await fathom(['run', 'e.yaml'], { cwd }), 74, 'e.yaml', /no such file/i);
  });

  it('a wrong command line', async () => {
    const cwd = await workFolder({ 'e.yaml': tiny });
    expectClear(await fathom(['rnu', 'e.yaml'], { cwd }), 64, 'run');
    expectClear(await fathom(['run', 'e.yaml', '--wrokers', '2'], { cwd }), 64, 'wrokers');
    expectClear(await fathom(['run', 'e.yaml', 'a.valeu=3'], { cwd }), 2, 'value');
  });
});

describe('bad data', () => {
  it('a missing file is named with the line that names it', async () => {
    const result = await runDay(undefined);
    expectClear(result, 2, /e\.yaml:3:\d+: .*no such file: fills\.csv/);
    expectNothingLeft(result.cwd);
  });

  it('an empty file', async () => {
    const result = await runDay('');
    expectClear(result, 1, 'fills.csv', /empty/);
    expectNothingLeft(result.cwd);
  });

  it.each([
    ['a bad row', fill(3, { timestamp: 'yesterday' }), /time/],
    ['a NaN price', fill(3, { price: 'NaN' }), /price/i],
    ['a negative size', fill(3, { size: '-5' }), /size/i],
    ['an id of 79 digits', fill(3, { asset: '7'.repeat(79) }), /token/i],
  ])('%s is counted by reason with its first place, and the rest is kept', async (_name, line, reason) => {
    const result = await runDay(csv([...good.slice(0, 500), line, ...good.slice(500)]));
    expectClear(result, 0);
    const { rowsRead, rowsKept, rejected } = await quality(result.cwd);
    expect([rowsRead, rowsKept]).toEqual([1501, 1500]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({
      count: 1,
      reason: expect.stringMatching(reason),
      first: expect.stringMatching(/fills\.csv:502/),
    });
  });

  it('more bad rows than allowed stop the run and name the first; a higher limit lets them pass', async () => {
    const lines = [
      ...good.slice(0, 900),
      ...Array.from({ length: 5 }, (_, i) => fill(i, { price: 'NaN' })),
      ...good.slice(900),
    ];
    const result = await runDay(csv(lines));
    expectClear(result, 1, /fills\.csv:902/, /maxRejected/);
    expectNothingLeft(result.cwd);
    const again = await fathom(['run', 'e.yaml', '--no-report', 'day.maxRejected=0.01'], { cwd: result.cwd });
    expectClear(again, 0);
    expect((await quality(result.cwd)).rejected[0]?.count).toBe(5);
  });

  it('a truncated file stops at once, and the whole file goes through', async () => {
    const whole = csv(good);
    const result = await runDay(whole.slice(0, -60));
    expectClear(result, 1, /fills\.csv:1501/, /truncated|cut|end/i);
    expectNothingLeft(result.cwd);
    await writeFile(path.join(result.cwd, 'fills.csv'), whole);
    expectClear(await fathom(['run', 'e.yaml', '--no-report'], { cwd: result.cwd }), 0);
    expect((await quality(result.cwd)).rowsKept).toBe(1500);
  });

  it('duplicates are counted and kept or dropped as told; a 78-digit id survives', async () => {
    const lines = [...good, good[3] as string, good[3] as string];
    const kept = await runDay(csv(lines));
    expect((await quality(kept.cwd)).duplicates).toEqual({ count: 2, policy: 'keep' });
    const dropped = await runDay(csv(lines), '+day.duplicates=drop-exact');
    expect(await quality(dropped.cwd)).toMatchObject({
      rowsKept: 1500,
      duplicates: { count: 2, policy: 'drop-exact' },
    });
    const [id] = Object.keys(await artifactHashes(path.join(kept.cwd, 'results')));
    const table = await readFile(
      path.join(kept.cwd, 'results/store', (id as string).slice(0, 2), id as string, 'trades.parquet'),
    );
    expect(table.includes(longId)).toBe(true);
  });
});

describe('bad input of models', () => {
  const model = (use: string, params: string): string =>
    `  m: { use: ${use}, from: { features: features }, ${params} }\n`;
  const experiment = (last: string, seventh = '7'): string => `name: models
stages:
  rows: { use: test.table, seventh: '${seventh}' }
  features: { use: features.frame, from: { table: rows } }
${last}`;

  it.each([
    ['cluster.k-means', 'k: 0', 'm.k: expected 1 or more, got 0'],
    ['cluster.k-means', 'range: { from: 0, to: 3 }', 'm.range.from: expected 2 or more, got 0'],
    ['cluster.dbscan', 'minPoints: 0', 'm.minPoints: expected 2 or more, got 0'],
    ['anomaly.centroid-distance', 'k: 0', 'm.k: expected 1 or more, got 0'],
    ['anomaly.isolation-forest', 'trees: 0', 'm.trees: expected 1 or more, got 0'],
    ['project.umap', 'neighbours: 0', 'm.neighbours: expected 2 or more, got 0'],
    ['project.tsne', 'perplexity: 0', 'm.perplexity: expected 2 or more, got 0'],
    ['evaluation.split', 'scheme: group-k-fold, folds: 0', 'm.folds: expected 1 or more, got 0'],
  ])('%s with %s is refused in its line before anything runs', async (use, params, message) => {
    const cwd = await workFolder({ 'e.yaml': experiment(model(use, params)) });
    expectClear(await fathom(['run', 'e.yaml'], { cwd }), 2, /^e\.yaml:5:\d+: /, message, /\^/);
    expect(readdirSync(cwd)).toEqual(['e.yaml']);
  });

  it.each(['NaN', 'Infinity', '-Infinity'])('%s in a table stops at the frame, by column and row', async (seventh) => {
    const cwd = await workFolder({ 'e.yaml': experiment(model('cluster.k-means', 'k: 2'), seventh) });
    const result = await fathom(['run', 'e.yaml', '--no-report'], { cwd });
    expectClear(result, 1, `feature "x" is ${seventh} in row 7 of the table (id "w7")`, 'write null where a value');
    const made = Object.values(await artifactHashes(path.join(cwd, 'results')));
    expect(made.map(({ use }) => use)).toEqual(['test.table']);
    const good = await fathom(['run', 'e.yaml', '--no-report', 'rows.seventh="7"'], { cwd });
    expectClear(good, 0);
  });

  it('NaN in a Parquet file stops at its import, by column and row; null is missing', async () => {
    const text = `name: models
stages:
  rows: { use: source.table, path: rows.parquet, idColumn: id }
  features: { use: features.frame, from: { table: rows } }
`;
    const cwd = await workFolder({ 'e.yaml': text });
    const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: cwd });
    const write = (third: string): Promise<void> =>
      duck.run(
        `COPY (SELECT i AS id, CASE WHEN i = 3 THEN ${third}::DOUBLE ELSE i END AS x FROM range(40) t(i)) TO '${path.join(cwd, 'rows.parquet')}' (FORMAT parquet)`,
      );
    try {
      await write("'nan'");
      const result = await fathom(['run', 'e.yaml', '--no-report'], { cwd });
      expectClear(result, 1, /rows\.parquet:4: 1 of 40 rows are bad: x: not a number .*"NaN"/, '`missing`');
      expectNothingLeft(cwd);
      await write('NULL');
      expectClear(await fathom(['run', 'e.yaml', '--no-report'], { cwd }), 0);
    } finally {
      duck.close();
    }
  });

  it.each([
    ['openblas', 'OPENBLAS_LIB', /engine "openblas" is not there: \/nowhere\.so/, 'make native'],
    ['cuda', 'NVRTC_LIB', /engine "cuda" is not there: /, /srun|NVRTC/],
  ])('the engine %s, whose library is missing, is refused with the way out', async (engine, name, reason, fix) => {
    const net = `  splits: { use: evaluation.split, from: { features: features }, scheme: group-k-fold, folds: 2 }
  net: { use: train.mtl, from: { features: features, splits: splits }, each: fold, engine: ${engine}, heads: [{ target: y, kind: regression }] }
`;
    const cwd = await workFolder({ 'e.yaml': experiment(net) });
    const env = { [name]: '/nowhere.so' };
    expectClear(await fathom(['run', 'e.yaml', '--no-report'], { cwd, env }), 69, 'stage "net"', reason, fix);
    expectNothingLeft(cwd);
  });
});

describe('a bad machine', () => {
  const asRoot = process.getuid?.() === 0;

  it.skipIf(!asRoot)(
    'a full disk: the task fails with one line, nothing is half-written, and room lets it go on',
    async () => {
      const cwd = await workFolder({ 'e.yaml': tiny });
      const results = path.join(cwd, 'small');
      execFileSync('mkdir', [results]);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', results]);
      } catch {
        throw new Error('this machine lets root mount nothing: run the test where it may');
      }
      try {
        const result = await fathom(['run', 'e.yaml', '--no-report', '--results', results], { cwd });
        expectClear(result, result.code === 74 ? 74 : 1, 'the disk is full');
        expect(
          readdirSync(results, { recursive: true, encoding: 'utf8' }).filter(
            (name) => name.endsWith('.tmp') || /staging\//.test(name),
          ),
        ).toEqual([]);
        execFileSync('mount', ['-o', 'remount,size=16m', results]);
        expectClear(await fathom(['run', 'e.yaml', '--no-report', '--results', results], { cwd }), 0, '23/23 tasks');
      } finally {
        execFileSync('umount', [results]);
      }
    },
  );

  it('a read-only results folder', async () => {
    const cwd = await workFolder({ 'e.yaml': tiny });
    execFileSync('mkdir', [path.join(cwd, 'results')]);
    chmodSync(cwd, 0o755);
    chmodSync(path.join(cwd, 'results'), 0o555);
    // Root may write anywhere, so the run is somebody else's.
    const result = await fathom(['run', 'e.yaml', '--no-report'], { cwd, ...(asRoot ? { uid: 65534 } : {}) });
    expectClear(result, 74, /permission denied|read-only/);
    expect(readdirSync(path.join(cwd, 'results'))).toEqual([]);
  });

  it('a library that is not one, or of the wrong version, is refused by name; whenMissing: skip goes on without', async () => {
    const text = `name: trees
stages:
  world: { use: source.simulated, wallets: 60, markets: 30, days: 100 }
  profiles: { use: wallets.profile, from: { trades: world, markets: world, resolutions: world }, asOf: { every: 7d, lookback: 30d } }
  features: { use: features.frame, from: { table: profiles }, labels: [] }
  splits: { use: evaluation.split, from: { features: features }, scheme: group-k-fold, folds: 2 }
  trees: { use: train.boosting, from: { features: features, splits: splits }, each: fold, target: edge, objective: regression }
`;
    const cwd = await workFolder({ 'e.yaml': text, 'libxgboost.so': 'not a library' });
    const env = { XGBOOST_LIB: path.join(cwd, 'libxgboost.so') };
    const result = await fathom(['run', 'e.yaml', '--no-report'], { cwd, env });
    expectClear(result, 69, 'trees', 'libxgboost.so');
    await rm(path.join(cwd, 'results'), { recursive: true, force: true });
    const skipped = await fathom(['run', 'e.yaml', '--no-report', 'trees.whenMissing=skip'], { cwd, env });
    expectClear(skipped, 0, /trees \(train\.boosting\) will not run/);
  });
});
