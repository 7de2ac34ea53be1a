/**
 * What Fathom itself costs: per trivial task with its state on disk, to find that nothing is to do, and to print help;
 * beside Snakemake, Optuna and Hydra in the same minutes. See bench/README.md for what is compared with what.
 *
 *   node bench/overhead.mjs [rounds]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median, report, root, say } from './support/report.mjs';

const rounds = Number(process.argv[2] ?? 5);
const FEW = 40;
const MANY = 400;
const packages = path.join(root, '.fathom/pip-bench-runners');
const peersFolder = path.join(root, 'bench/peers');
// Nothing is removed before the end: ext4 makes files slowly while it has deleted some in the last minutes.
const folder = mkdtempSync(path.join(process.env.FATHOM_BENCH_FOLDER ?? os.tmpdir(), 'fathom-bench-'));

const python = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
const ours = { ...process.env, FATHOM_STAGES: path.join(root, 'test/support/plugin/stages.mjs') };
const fathom = path.join(root, 'bin/fathom');

/** Wall and CPU time of a command in ms; stops everything if it fails. */
function time(command, args, options) {
  const [began, cpu] = [performance.now(), childCpuMs()];
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  const wall = performance.now() - began;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.slice(-500)}`);
  return { wall, cpu: childCpuMs() - cpu };
}

/** CPU time of all children so far, in ms (in steps of 10). */
function childCpuMs() {
  const [, rest = ''] = readFileSync('/proc/self/stat', 'utf8').split(') ');
  const fields = rest.split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

let count = 0;
function fresh() {
  count++;
  const made = path.join(folder, String(count));
  mkdirSync(made);
  return made;
}

function experimentOf(tasks) {
  const file = path.join(folder, `numbers-${tasks}.yaml`);
  const stages = Array.from({ length: tasks }, (_, i) => `  s${i}: { use: test.number, value: ${i} }\n`);
  writeFileSync(file, `name: numbers-${tasks}\nstages:\n${stages.join('')}`);
  return file;
}

const runFathom = (tasks, workers, results = fresh()) =>
  time(
    process.execPath,
    [fathom, 'run', experimentOf(tasks), '--results', results, '-w', String(workers), '--no-report'],
    {
      env: ours,
    },
  );

const runSnakemake = (jobs, cwd = fresh()) =>
  time(
    'python3',
    [
      path.join(packages, 'bin/snakemake'),
      '-s',
      path.join(peersFolder, 'Snakefile'),
      '--cores',
      '1',
      '--quiet',
      'all',
      '--config',
      `jobs=${jobs}`,
    ],
    { cwd, env: python },
  );

const runOptuna = (trials) =>
  time('python3', [path.join(peersFolder, 'optuna_random.py'), path.join(fresh(), 'journal'), String(trials)], {
    env: python,
  });

const runHydra = (jobs) =>
  time('python3', [path.join(peersFolder, 'hydra_app.py'), '-m', `+x=range(0,${jobs})`], { cwd: fresh(), env: python });

/** ms per task: what the many cost beyond the few. */
function slope(run, few, many) {
  const [a, b] = [run(few), run(many)];
  return { wall: (b.wall - a.wall) / (many - few), cpu: (b.cpu - a.cpu) / (many - few) };
}

function peersThere() {
  const wanted = { snakemake: 'snakemake', optuna: 'optuna', hydra: 'hydra-core' };
  const lacking = () => Object.keys(wanted).filter((name) => !existsSync(path.join(packages, name)));
  if (lacking().length > 0) {
    say(`installing ${lacking().join(', ')} into ${path.relative(root, packages)}`);
    const names = lacking().map((name) => wanted[name]);
    spawnSync('python3', ['-m', 'pip', 'install', '-q', '--target', packages, ...names], { timeout: 90_000 });
  }
  for (const name of lacking()) say(`${name} is left out: pip could not install it within 90 s`);
  const there = Object.keys(wanted).filter((name) => !lacking().includes(name));
  const versionOf = (name) =>
    spawnSync('python3', ['-c', `import importlib.metadata as m; print(m.version('${wanted[name]}'))`], {
      env: python,
      encoding: 'utf8',
    }).stdout.trim();
  return Object.fromEntries(there.map((name) => [name, versionOf(name)]));
}

const versions = peersThere();
const has = (name) => versions[name] !== undefined;
const label = (name, rest) => `${name[0].toUpperCase()}${name.slice(1)} ${versions[name]}${rest}`;

try {
  // In turns, so that a busy neighbour hits all alike.
  const tasks = { 1: [], 2: [], snakemake: [], optuna: [], hydra: [] };
  for (let round = 0; round < rounds; round++) {
    say(`tasks: round ${round + 1} of ${rounds}`);
    for (const workers of [1, 2]) tasks[workers].push(slope((n) => runFathom(n, workers), FEW, MANY));
    if (has('optuna')) tasks.optuna.push(slope(runOptuna, FEW, MANY));
    // These two take long: fewer jobs, and not every round.
    if (has('hydra') && round % 2 === 0) tasks.hydra.push(slope(runHydra, 10, 60));
    if (has('snakemake') && round % 4 === 0) tasks.snakemake.push(slope(runSnakemake, FEW, MANY));
  }
  for (const clock of ['wall', 'cpu'])
    for (const workers of [1, 2])
      report({
        bench: 'overhead',
        measure: `${clock === 'wall' ? 'time' : 'CPU time'} of a trivial task, ${workers} worker${workers === 1 ? '' : 's'}`,
        unit: 'ms',
        ours: median(tasks[workers].map((one) => one[clock])),
        target: clock === 'wall' ? 5 : null,
        peers: [
          ['snakemake', ' (shell job)'],
          ['optuna', ' (trial, random, journal file)'],
          ['hydra', ' (job, basic launcher)'],
        ].flatMap(([name, what]) =>
          has(name) && workers === 1
            ? [{ name: label(name, what), value: median(tasks[name].map((one) => one[clock])) }]
            : [],
        ),
      });

  say('nothing to do');
  const [done, doneSnakemake] = [fresh(), fresh()];
  runFathom(MANY, 2, done);
  if (has('snakemake')) runSnakemake(MANY, doneSnakemake);
  const again = { ours: [], snakemake: [] };
  for (let round = 0; round < rounds; round++) {
    again.ours.push(runFathom(MANY, 2, done).wall);
    if (has('snakemake')) again.snakemake.push(runSnakemake(MANY, doneSnakemake).wall);
  }
  report({
    bench: 'overhead',
    measure: `rerun of ${MANY} tasks that are done`,
    unit: 'ms',
    ours: median(again.ours),
    target: 1500,
    peers: has('snakemake') ? [{ name: label('snakemake', ''), value: median(again.snakemake) }] : [],
  });

  say('help');
  const help = { ours: [], snakemake: [], optuna: [], hydra: [] };
  for (let round = 0; round < 2 * rounds; round++) {
    help.ours.push(time(process.execPath, [fathom, '--help'], { env: process.env }).wall);
    for (const name of ['snakemake', 'optuna'])
      if (has(name))
        help[name].push(time('python3', [path.join(packages, 'bin', name), '--help'], { env: python }).wall);
    if (has('hydra'))
      help.hydra.push(time('python3', [path.join(peersFolder, 'hydra_app.py'), '--help'], { env: python }).wall);
  }
  report({
    bench: 'overhead',
    measure: '--help',
    unit: 'ms',
    ours: median(help.ours),
    target: 300,
    peers: ['snakemake', 'optuna', 'hydra'].flatMap((name) =>
      has(name) ? [{ name: label(name, ''), value: median(help[name]) }] : [],
    ),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
