/**
 * How long the quickstart's page takes until a reader can use it, from disk in headless Chromium, and how large it is.
 * Targets: 2 s and 6 MB. Runs the quickstart first if it has not been run.
 *
 *   node bench/report.mjs [rounds]
 */
import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { startChromium } from '../scripts/chromium.mjs';
import { median, report, root, say } from './support/report.mjs';

const rounds = Number(process.argv[2] ?? 5);
const run = spawnSync(path.join(root, 'bin/fathom'), ['run', 'experiments/quickstart.yaml'], {
  cwd: root,
  encoding: 'utf8',
});
if (run.status !== 0) throw new Error(run.stderr);
const page = realpathSync(path.join(root, 'results/quickstart/latest/report.html'));

const browser = await startChromium();
const times = [];
for (let round = 0; round < rounds; round++) {
  const tab = await (await browser.newContext({ offline: true })).newPage();
  const began = performance.now();
  await tab.goto(`file://${page}`);
  await tab.waitForSelector('html[data-ready]', { state: 'attached' });
  times.push(performance.now() - began);
  await tab.context().close();
}
await browser.close();
const megabytes = statSync(page).size / 1e6;
say(`the quickstart's page: ${megabytes.toFixed(2)} MB, ready in ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
report({
  bench: 'report',
  measure: "the quickstart's page, from disk until it is ready",
  unit: 'ms',
  ours: median(times),
  target: 2000,
  targetRatio: null,
  peers: [],
});
report({
  bench: 'report',
  measure: "size of the quickstart's page",
  unit: 'MB',
  ours: megabytes,
  target: 6,
  targetRatio: null,
  peers: [],
});
