/**
 * Runs the benches, prints one table, and keeps each bench's rows in .fathom/bench/<name>.json.
 *
 *   node bench/run.mjs [name...]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, say } from './support/report.mjs';

const all = readdirSync(path.join(root, 'bench'))
  .filter((name) => name.endsWith('.mjs') && name !== 'run.mjs')
  .map((name) => name.slice(0, -'.mjs'.length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  say(`there is no bench ${unknown.join(', ')}\n  there are: ${all.join(', ')}`);
  process.exit(64);
}

/** Rows of one bench; its words go to standard error as they come. */
async function run(name) {
  say(`== ${name}`);
  const child = spawn(process.execPath, [path.join(root, 'bench', `${name}.mjs`)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  return { code, rows };
}

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** A line a peer; the first carries what is ours. */
function lines({ bench, measure, unit, ours, target, targetRatio, peers }) {
  const ratio = peers[0] === undefined ? undefined : ours / peers[0].value;
  const met =
    (target == null || ours <= target) && (targetRatio == null || (ratio !== undefined && ratio <= targetRatio));
  const aim = [
    ...(target == null ? [] : [`${number(target)} ${unit}`]),
    ...(targetRatio == null ? [] : [`ratio ${number(targetRatio)}`]),
  ].join(', ');
  const first = [bench, measure, `${number(ours)} ${unit}`, aim === '' ? '' : `${aim}${met ? '' : ' MISSED'}`];
  if (peers.length === 0) return [[...first, '', '', '']];
  return peers.map(({ name, value }, i) => [
    ...(i === 0 ? first : ['', '', '', '']),
    name,
    `${number(value)} ${unit}`,
    number(ours / value),
  ]);
}

function table(rows) {
  const head = ['bench', 'what', 'Fathom', 'target', 'peer', 'peer takes', 'ratio'];
  const cells = [head, ...rows.flatMap(lines)];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const machine = {
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.availableParallelism(),
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
};
const folder = path.join(root, '.fathom/bench');
mkdirSync(folder, { recursive: true });
const rows = [];
let failed = false;
for (const name of wanted.length > 0 ? wanted : all) {
  const loadBefore = os.loadavg()[0];
  const { code, rows: found } = await run(name);
  rows.push(...found);
  if (code !== 0) {
    failed = true;
    say(`${name} ended with code ${code}`);
    continue;
  }
  const file = path.join(folder, `${name}.json`);
  const at = new Date().toISOString();
  writeFileSync(
    file,
    `${JSON.stringify({ at, machine, loadBefore, loadAfter: os.loadavg()[0], rows: found }, null, 1)}\n`,
  );
}
process.stdout.write(
  `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${os.loadavg()[0].toFixed(1)}\n${table(rows)}\n`,
);
process.exitCode = failed ? 1 : 0;
