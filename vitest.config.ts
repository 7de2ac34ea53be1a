import { configDefaults, defineConfig } from 'vitest/config';

// The slow tests run under `make test-full`.
const slow = process.env['FATHOM_TEST_FULL'] === '1' ? [] : ['test/full/**'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...slow],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { TZ: 'America/Los_Angeles' },
  },
});
