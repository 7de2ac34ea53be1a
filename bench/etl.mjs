/**
 * From poly_data's CSV files to profiles, at one and ten million trades: import, facts, settlement, profiles for 30 dates
 * with 90 days before each. Every step is the compiled stage in a process of its own with two threads.
 *
 *   node bench/etl.mjs [size...]      sizes are 1m, 10m and 100m
 *
 * FATHOM_BENCH_FOLDER  where the files go (default: the temporary folder); 100m takes 40 GB. The CSV files stay there.
 * FATHOM_BENCH_MEMORY  memory of a stage in MB (default 2048).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makePolyData, sizes } from './support/poly-data.mjs';
import { report, root, say } from './support/report.mjs';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in sizes));
if (unknown.length > 0) throw new Error(`no size ${unknown.join(', ')}; there are ${Object.keys(sizes).join(', ')}`);
const base = path.join(process.env.FATHOM_BENCH_FOLDER ?? os.tmpdir(), 'fathom-etl');
const memoryMb = Number(process.env.FATHOM_BENCH_MEMORY ?? 2048);
const threads = 2;

/** Runs a stage and returns what it took; undefined if it failed. */
function measure(use, params, inputs, folder) {
  rmSync(folder, { recursive: true, force: true });
  const job = JSON.stringify({ use, params, inputs, folder, threads, memoryMb });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'bench/support/stage-child.mjs'), job],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  say(`${use} failed\n${stderr.split('\n').slice(0, 12).join('\n')}`);
  return undefined;
}

/** Steps in order: what they are called, and how each is run in the folder of a size. */
const steps = (files, folder) => {
  const of = (step, port) => path.join(folder, step, port);
  const tables = {
    trades: of('import', 'trades.parquet'),
    markets: of('import', 'markets.parquet'),
    resolutions: of('import', 'resolutions.parquet'),
  };
  // Stages that take no facts make them for themselves.
  const withFacts = { ...tables, facts: of('facts', 'facts') };
  const asOf = { from: '2024-08-04', to: '2025-02-23', every: '7d', lookback: '90d' };
  return [
    ['import', 'source.polymarket', { format: 'poly-data-v1', ...files }, {}],
    ['facts', 'wallets.facts', {}, { trades: tables.trades }],
    ['settle', 'markets.settle', { names: false }, withFacts],
    ['profile', 'wallets.profile', { asOf, describe: 'nothing' }, withFacts],
  ];
};

/** Seconds at 100 million trades on two cores that the whole path may take, by step. */
const targets = { import: 160, facts: null, settle: 80, profile: 100 };

const found = {};
for (const size of wanted.length > 0 ? wanted : ['1m', '10m']) {
  const folder = path.join(base, size);
  say(`${size}: files in ${folder}`);
  const { bytes, ...files } = await makePolyData(folder, sizes[size]);
  say(`${size}: ${(bytes / 1e9).toFixed(2)} GB of trades`);
  found[size] = {};
  for (const [step, use, params, inputs] of steps(files, folder)) {
    const present = Object.fromEntries(Object.entries(inputs).filter(([, file]) => existsSync(file)));
    const took = measure(use, params, present, path.join(folder, step));
    if (took === undefined) break;
    found[size][step] = took;
    const { seconds, cpuSeconds, peakMb } = took;
    say(`${size} ${step}: ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`);
  }
  for (const step of ['import', 'facts', 'settle', 'profile'])
    rmSync(path.join(folder, step), { recursive: true, force: true });
}

const measured = Object.keys(sizes).filter((size) => size in found);
for (const step of ['import', 'facts', 'settle', 'profile'])
  measured.forEach((size, i) => {
    const took = found[size][step];
    if (took === undefined) return;
    const before = found[measured[i - 1]]?.[step];
    const growth = sizes[size].rows / (sizes[measured[i - 1]]?.rows ?? 1);
    // The peer of a size is the next smaller one, scaled by the rows: a ratio of 1 is a cost linear in the rows.
    const smaller = (value) => (before === undefined ? [] : [{ name: `${measured[i - 1]} scaled`, value }]);
    report({
      bench: 'etl',
      measure: `${step}, ${size} trades, 2 threads`,
      unit: 's',
      ours: took.seconds,
      target: size === '100m' ? targets[step] : null,
      peers: smaller((before?.seconds ?? 0) * growth),
    });
    report({
      bench: 'etl',
      measure: `${step}, ${size} trades, CPU`,
      unit: 's',
      ours: took.cpuSeconds,
      peers: smaller((before?.cpuSeconds ?? 0) * growth),
    });
    report({
      bench: 'etl',
      measure: `${step}, ${size} trades, peak memory`,
      unit: 'MB',
      ours: took.peakMb,
      target: 2048,
      targetRatio: size === '100m' ? 1.5 : null,
      peers: before === undefined ? [] : [{ name: measured[i - 1], value: before.peakMb }],
    });
  });
