import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

// The slow tests run under `make test-full`.
const full = process.env['FATHOM_TEST_FULL'] === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(full ? [] : ['test/full/**'])],
    // The slow ones share a cluster.
    fileParallelism: !full,
    pool: 'forks',
    // By default a core is left free; but tests wait for processes and disks a third of the time.
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { TZ: 'America/Los_Angeles' },
  },
});
