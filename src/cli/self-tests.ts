/**
 * Known-answer tests of the engines on this machine: a library that is there may still be broken, or built for another
 * CPU. Each runs in a process of its own (self-test-process.ts) and takes a second or two.
 */

/** Runs and says in words what was checked, or throws. */
type SelfTest = () => Promise<string>;

export const selfTests = {
  'DuckDB and Parquet': duckdb,
  'train.mtl on wasm': () => mtl('wasm'),
  'train.mtl on openblas': () => mtl('openblas'),
  'train.mtl on cuda': () => mtl('cuda'),
  'train.mtl on tensorflow': () => mtl('tensorflow'),
  'kernels of clusters, components and neighbours': kernels,
  XGBoost: xgboost,
} as const satisfies Record<string, SelfTest>;
export type SelfTestName = keyof typeof selfTests;

/** What a test needs beyond npm; without it the test is left out. */
export const selfTestNeeds: Partial<Record<SelfTestName, 'openblas' | 'cuda' | 'tensorflow' | 'xgboost'>> = {
  'train.mtl on openblas': 'openblas',
  'train.mtl on cuda': 'cuda',
  'train.mtl on tensorflow': 'tensorflow',
  XGBoost: 'xgboost',
};

/** Largest differences from the double-precision oracle that an engine may show. */
const LIMITS = { loss: 1e-4, norm: 1e-3, moments: 1e-5, weights: 1e-4, running: 1e-4 } as const;

async function mtl(engine: 'wasm' | 'openblas' | 'cuda' | 'tensorflow'): Promise<string> {
  const { compareStack, everyHead } = await import('../models/mtl/conformance.ts');
  const worst = compareStack(await stackEngine(engine), {
    shape: { inputs: 5, hidden: [13, 7], heads: everyHead },
    networks: 2,
    batchSize: 12,
    trainRows: 30,
    steps: 15,
    reload: 5,
    dropout: 0.3,
  });
  for (const [key, limit] of Object.entries(LIMITS)) {
    const value = worst[key as keyof typeof LIMITS];
    if (!(value <= limit)) throw new Error(`${key} is off by ${value.toExponential(1)}, more than ${limit}`);
  }
  return `15 steps as the oracle takes them: losses within ${worst.loss.toExponential(1)}, weights within ${worst.weights.toExponential(1)}`;
}

async function stackEngine(engine: string): Promise<import('../models/mtl/conformance.ts').StackEngine> {
  const [{ networkStacks }, { networkMasks }, { counterMasks }] = await Promise.all([
    import('../models/mtl/network-stack.ts'),
    import('../models/mtl/oracle.ts'),
    import('../models/mtl/counter-masks.ts'),
  ]);
  if (engine === 'wasm') return { make: networkStacks().make, masks: networkMasks };
  if (engine === 'openblas') {
    const [{ requireOpenblas }, { loadOpenblas }, { Cuts }, { openblasProducts }] = await Promise.all([
      import('../native/openblas.ts'),
      import('../native/blas.ts'),
      import('../models/mtl/cuts.ts'),
      import('../models/mtl/openblas.ts'),
    ]);
    const openblas = loadOpenblas(requireOpenblas().path);
    const products = openblasProducts(openblas, new Cuts(openblas, () => process.cpuUsage().user));
    return { make: networkStacks(products).make, masks: networkMasks };
  }
  if (engine === 'cuda') {
    const [{ requireCuda }, { cudaStacks }] = await Promise.all([
      import('../native/find-cuda.ts'),
      import('../models/mtl/cuda/engine.ts'),
    ]);
    const { driver, nvrtc } = requireCuda();
    return { make: cudaStacks(driver, nvrtc).make, masks: counterMasks };
  }
  const { tensorflowStacks } = await import('../models/mtl/tensorflow/engine.ts');
  return { make: tensorflowStacks().stacks.make, masks: counterMasks };
}

/** Three heaps of rows on a line: each is a cluster, the line is the first component, neighbours are found by trying all. */
async function kernels(): Promise<string> {
  const [{ kMeans }, { principalComponents }, { nearestNeighbours }, { makeRng }] = await Promise.all([
    import('../models/clusters/k-means.ts'),
    import('../projections/pca.ts'),
    import('../projections/neighbours.ts'),
    import('../random/rng.ts'),
  ]);
  const [rows, columns] = [300, 4];
  const rng = makeRng('self-test');
  const values = Float64Array.from({ length: rows * columns }, (_, i) => {
    const heap = Math.floor(i / columns) % 3;
    return (i % columns === 0 ? 100 * heap : 0) + rng.normal();
  });
  const matrix = { rows, columns, values };
  const { labels } = kMeans(matrix, 3, { starts: 3, maxIterations: 50 }, makeRng('starts'));
  for (let row = 3; row < rows; row++)
    if (labels[row] !== labels[row % 3]) throw new Error('k-means puts rows of one heap into two clusters');
  const { vectors, shares } = principalComponents(matrix, 1);
  if (!(Math.abs(vectors[0] as number) > 0.999 && (shares[0] as number) > 0.99))
    throw new Error(`the first component is ${[...vectors.subarray(0, columns)].join(', ')}`);
  const { indices } = nearestNeighbours(matrix, 1);
  for (let row = 0; row < rows; row++) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let other = 0; other < rows; other++) {
      if (other === row) continue;
      let squared = 0;
      for (let c = 0; c < columns; c++)
        squared += ((values[row * columns + c] as number) - (values[other * columns + c] as number)) ** 2;
      if (squared < least) [best, least] = [other, squared];
    }
    if (indices[row] !== best) throw new Error(`row ${indices[row]} is not the nearest of row ${row}, but ${best}`);
  }
  return `${rows} rows in three heaps are sorted, laid out and joined as they must`;
}

/** y is 1 exactly where x is above 0.5: one split finds it, and no row is on the wrong side. */
async function xgboost(): Promise<string> {
  const [{ requireXgboost }, { loadXgboost }, { makeMatrix }, { Booster }] = await Promise.all([
    import('../native/find.ts'),
    import('../models/boosting/xgboost-c.ts'),
    import('../models/boosting/matrix.ts'),
    import('../models/boosting/booster.ts'),
  ]);
  const library = loadXgboost(requireXgboost().path);
  const rows = 200;
  const x = Float64Array.from({ length: rows }, (_, i) => i / rows);
  const labels = Float32Array.from(x, (value) => Number(value > 0.5));
  const matrix = makeMatrix(library, { columns: [x], rows, featureNames: ['x'], labels }, 1);
  const booster = Booster.create(library, { objective: 'binary:logistic', max_depth: 1, eta: 1, nthread: 1 }, [matrix]);
  try {
    for (let round = 0; round < 3; round++) booster.update(round, matrix);
    const predicted = booster.predict(matrix, 3);
    const wrong = labels.reduce((sum, label, i) => sum + Number((predicted[i] as number) > 0.5 !== (label === 1)), 0);
    if (wrong > 0) throw new Error(`${wrong} of ${rows} rows stand on the wrong side of one split`);
  } finally {
    booster.free();
    matrix.free();
  }
  return `one split sorts ${rows} rows, as it must`;
}

/** Sums of decimals are exact, and a table comes back from Parquet as it went. */
async function duckdb(): Promise<string> {
  const [{ openDuck, quote }, { mkdtempSync, rmSync }, os, path] = await Promise.all([
    import('../tables/duck.ts'),
    import('node:fs'),
    import('node:os'),
    import('node:path'),
  ]);
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'fathom-doctor-'));
  const duck = await openDuck({ threads: 1, memoryMb: 256, scratch });
  try {
    const file = path.join(scratch, 'table.parquet');
    await duck.run(
      `COPY (SELECT i, (i / 10)::DECIMAL(18,6) AS usd FROM range(100000) t(i)) TO ${quote(file)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const [found] = await duck.rows<{ rows: number; usd: string }>(
      `SELECT count(*)::DOUBLE AS "rows", sum(usd)::VARCHAR AS usd FROM read_parquet(${quote(file)})`,
    );
    if (found?.rows !== 100_000 || found.usd !== '499995000.000000')
      throw new Error(`100,000 rows of 499,995,000 USD came back as ${JSON.stringify(found)}`);
  } finally {
    duck.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return 'a table came back from Parquet, its sum exact to the millionth';
}
