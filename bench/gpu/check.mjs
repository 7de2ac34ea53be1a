/**
 * Holds the engine `cuda` of this machine against the double-precision oracle: the conformance suite at the sizes of
 * the benchmark. Exits 1 if it fails, and checks that it can fail: with a gradient 2 % too large it must.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = path.resolve(import.meta.dirname, '../../dist');
const load = (file) => import(pathToFileURL(path.join(dist, file)).href);
const { requireCuda } = await load('native/find-cuda.js');
const { openCuda } = await load('native/cuda.js');
const { compileCuda } = await load('native/nvrtc.js');
const { CudaStack } = await load('models/mtl/cuda/stack.js');
const { counterMasks } = await load('models/mtl/counter-masks.js');
const { kernelSource } = await load('models/mtl/cuda/source.js');
const { shapeSource } = await load('models/mtl/cuda/shape-source.js');
const { compareStack, everyHead } = await load('models/mtl/conformance.js');
const { largestBatch } = await load('models/mtl/stack.js');

const { driver, nvrtc } = requireCuda();
const cuda = openCuda(driver);
const LIMITS = { loss: 1e-4, norm: 1e-3, moments: 1e-5, weights: 1e-4, running: 1e-4 };
const reference = {
  inputs: 37,
  hidden: [256, 256, 128],
  heads: [
    { kind: 'tanh', outputs: 6 },
    ...Array(4).fill({ kind: 'sigmoid', outputs: 1 }),
    { kind: 'relu', outputs: 1 },
  ],
};
const every = { inputs: 5, hidden: [13, 70], heads: everyHead };

const engine = (change) => ({
  make: (request) => {
    const rows = largestBatch(request.trainRows, request.batchSize);
    const source = change === undefined ? kernelSource() : kernelSource().replace(...change);
    const headers = { 'shape.cuh': shapeSource(request.shape, rows) };
    return new CudaStack(cuda, compileCuda(nvrtc, source, headers, cuda.architecture).image, request);
  },
  masks: counterMasks,
});

const rows = [];
let failed = false;
function check(name, options, change) {
  const worst = compareStack(engine(change), { reload: 5, dropout: 0.3, ...options });
  const passes = Object.entries(LIMITS).every(([key, limit]) => worst[key] <= limit);
  const expected = change === undefined;
  if (passes !== expected) failed = true;
  rows.push({
    check: name,
    ...Object.fromEntries(Object.entries(worst).map(([key, value]) => [key, value.toExponential(1)])),
    result: `${passes ? 'passes' : 'fails'}${passes === expected ? '' : ' UNEXPECTEDLY'}`,
  });
}

check('B=32 K=1', { shape: reference, networks: 1, batchSize: 32, trainRows: 96, steps: 40 });
check('B=32 K=8', { shape: reference, networks: 8, batchSize: 32, trainRows: 96, steps: 10 });
check('B=64 K=2', { shape: reference, networks: 2, batchSize: 64, trainRows: 150, steps: 10 });
check('B=512 K=2', { shape: reference, networks: 2, batchSize: 512, trainRows: 700, steps: 4 });
check('every head, last batch of 13', { shape: every, networks: 3, batchSize: 12, trainRows: 25, steps: 60 });
check('a gradient 2 % too large must fail', { shape: every, networks: 3, batchSize: 12, trainRows: 30, steps: 10 }, [
  'outputs[(size_t)r * OUTPUTS + column] = slope;',
  'outputs[(size_t)r * OUTPUTS + column] = slope *= 1.02f;',
]);
console.table(rows);
console.log(
  `${cuda.name} (${cuda.architecture}), driver for CUDA ${cuda.driverVersion}: ${failed ? 'FAILED' : 'passed'}`,
);
cuda.close();
process.exit(failed ? 1 : 0);
