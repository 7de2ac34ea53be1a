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
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { TZ: 'America/Los_Angeles' },
  },
});
