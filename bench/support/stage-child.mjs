/**
 * Runs one compiled stage in this process, and says what it took: a line of JSON with seconds, CPU seconds and the peak
 * of resident memory. Argument: JSON of { use, params, inputs, folder, threads, memoryMb }.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './report.mjs';

const { use, params, inputs, folder, threads, memoryMb } = JSON.parse(process.argv[2]);
const compiled = (file) => import(path.join(root, 'dist', `${file}.js`));
const { makeContext } = await compiled('run/context');
const { default: definition } = await compiled(`stages/${use.replace('.', '-')}`);
const { default: run } = await compiled(`stages/run/${definition.runs}`);
mkdirSync(folder, { recursive: true });
const started = performance.now();
await run(
  makeContext({
    params: definition.params.parse(params),
    engine: undefined,
    coordinates: {},
    seed: 1,
    task: 'bench',
    resources: { threads, memoryMb, gpus: 0 },
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([port, file]) => [port, [{ stage: port, coordinates: {}, task: port, path: file }]]),
    ),
    outputs: definition.outputs,
    folder,
    checkpointFile: path.join(folder, '.checkpoint'),
    scratchFolder: path.join(folder, '.scratch'),
    cancelled: () => false,
    progress: () => undefined,
    log: () => undefined,
  }),
);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage();
const peakMb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMb })}\n`);
