/**
 * Profiles by the formulas of the reference pipeline, in its approach (polars, Python) and in ours, from the same
 * poly_data CSV files, each in a process of its own with two threads; the outputs are compared wallet by wallet.
 *
 *   python3 -m pip install --target .fathom/pip-profile polars
 *   node bench/profiles.mjs [size]      1m, 10m (default) or 100m
 *
 * FATHOM_BENCH_FOLDER  where the files go (default: the temporary folder), shared with the bench `etl`.
 * FATHOM_BENCH_MEMORY  memory of a stage in MB (default 1024).
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makePolyData, sizes } from './support/poly-data.mjs';
import { report, root, say } from './support/report.mjs';

const size = process.argv[2] ?? '10m';
if (!(size in sizes)) throw new Error(`no size ${size}; there are ${Object.keys(sizes).join(', ')}`);
const folder = path.join(process.env.FATHOM_BENCH_FOLDER ?? os.tmpdir(), 'fathom-etl', size);
const memoryMb = Number(process.env.FATHOM_BENCH_MEMORY ?? 1024);
const threads = 2;
const packages = path.join(root, '.fathom/pip-profile');
const of = (step, file = '') => path.join(folder, `profiles-${step}`, file);

/** Runs a program that ends with a line of JSON. */
function run(program, args, environment = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`${args.slice(0, 2).join(' ')} failed: ${stderr.slice(0, 2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function stage(step, use, params, inputs) {
  rmSync(of(step), { recursive: true, force: true });
  const job = JSON.stringify({ use, params, inputs, folder: of(step), threads, memoryMb });
  const took = run(process.execPath, [path.join(root, 'bench/support/stage-child.mjs'), job]);
  say(`${step}: ${took.seconds.toFixed(1)} s, CPU ${took.cpuSeconds.toFixed(1)} s, ${took.peakMb.toFixed(0)} MB`);
  return took;
}

const peer = (...args) =>
  run('python3', [path.join(root, 'bench/peers/polars_profile.py'), ...args], {
    PYTHONPATH: packages,
    POLARS_MAX_THREADS: String(threads),
  });

/** 30 dates a week apart. */
const first = Date.UTC(2024, 7, 4);
const dates = Array.from({ length: 30 }, (_, k) => new Date(first + k * 7 * 86_400_000).toISOString().slice(0, 10));

const { bytes, ...files } = await makePolyData(folder, sizes[size]);
say(`${size}: ${(bytes / 1e9).toFixed(2)} GB of trades in ${folder}`);

const imported = stage('import', 'source.polymarket', { format: 'poly-data-v1', ...files }, {});
const tables = Object.fromEntries(
  ['trades', 'markets', 'resolutions'].map((name) => [name, of('import', `${name}.parquet`)]),
);
const facts = stage('facts', 'wallets.facts', {}, { trades: tables.trades });
const inputs = { ...tables, facts: of('facts', 'facts') };
const original = { definitions: 'original', describe: 'nothing' };
const all = { every: '1d', from: 'end', lookback: '20000d' };
const grid = { every: '7d', from: dates[0], to: dates.at(-1), lookback: '90d' };
const one = stage('one', 'wallets.profile', { ...original, asOf: all }, inputs);
const many = stage('many', 'wallets.profile', { ...original, asOf: grid }, inputs);
const ours = stage('ours', 'wallets.profile', { describe: 'nothing', asOf: grid }, inputs);

const theirs = {};
for (const [mode, ...args] of [['written'], ['scans', ...dates], ['loaded', ...dates]]) {
  rmSync(of(mode), { recursive: true, force: true });
  theirs[mode] = peer(mode, files.markets, files.trades, path.join(folder, `profiles-${mode}.parquet`), ...args);
  say(`polars ${mode}: ${theirs[mode].seconds.toFixed(1)} s, ${theirs[mode].peakMb.toFixed(0)} MB`);
}
for (const [step, mode] of [
  ['one', 'written'],
  ['many', 'scans'],
  ['many', 'loaded'],
]) {
  const found = peer('compare', of(step, 'table.parquet'), path.join(folder, `profiles-${mode}.parquet`));
  const worst = Math.max(...Object.values(found.worst));
  say(`${mode}: ${found.matched} of ${found.theirs} wallets and dates found, largest difference ${worst}`);
  if (found.ours !== found.theirs || found.matched !== found.theirs || !(worst < 1e-6))
    throw new Error(`the outputs differ: ${JSON.stringify(found)}`);
}

const whole = (profile) => imported.seconds + facts.seconds + profile.seconds;
const peak = (profile) => Math.max(imported.peakMb, facts.peakMb, profile.peakMb);
const polars = (mode, value) => [{ name: `polars ${theirs[mode].polars} ${mode}`, value }];
const row = (measure, unit, value, peers, targetRatio = null) =>
  report({ bench: 'profiles', measure: `${measure}, ${size}`, unit, ours: value, targetRatio, peers });
row('one date from CSV', 's', whole(one), polars('written', theirs.written.seconds), 0.4);
row('one date from CSV, peak', 'MB', peak(one), polars('written', theirs.written.peakMb), 0.25);
row('30 dates from CSV', 's', whole(many), polars('scans', theirs.scans.seconds), 0.2);
row(
  '30 dates after import',
  's',
  many.seconds,
  polars('loaded', theirs.loaded.seconds - theirs.loaded.loadSeconds),
  0.4,
);
row('30 dates after import, peak', 'MB', many.peakMb, polars('loaded', theirs.loaded.peakMb));
row('30 dates after import, all our features', 's', ours.seconds, []);
for (const step of ['import', 'facts', 'one', 'many', 'ours']) rmSync(of(step), { recursive: true, force: true });
