import { describe, expect, it } from 'vitest';
import { type Duck, openDuck } from '../../src/tables/duck.ts';
import { temporaryFolder } from '../support/stage.ts';

const residentMb = (): number => process.memoryUsage.rss() / 2 ** 20;

async function settingsOf(duck: Duck): Promise<unknown> {
  return duck.rows("SELECT current_setting('memory_limit') AS memory, current_setting('threads')::INTEGER AS threads");
}

describe('a database that is trimmed', () => {
  it('gives back what it no longer needs, and keeps its limits and tables', async () => {
    const duck = await openDuck({ threads: 2, memoryMb: 700, scratch: await temporaryFolder() });
    try {
      const settings = await settingsOf(duck);
      await duck.run('CREATE TABLE kept AS SELECT range AS i FROM range(1000)');
      const before = residentMb();
      await duck.run(
        `CREATE TABLE large AS SELECT i, md5(i::VARCHAR) AS a, md5((i + 1)::VARCHAR) AS b FROM range(500000) r(i)`,
      );
      await duck.run("SELECT string_agg(a, '' ORDER BY i), string_agg(b, '' ORDER BY i) FROM large GROUP BY i // 4096");
      await duck.run('DROP TABLE large');
      const held = residentMb() - before;
      await duck.trim();
      const left = residentMb() - before;
      expect(held).toBeGreaterThan(60);
      expect(left).toBeLessThan(held / 2);
      expect(await settingsOf(duck)).toEqual(settings);
      expect(await duck.rows('SELECT sum(i)::INTEGER AS sum FROM kept')).toEqual([{ sum: 499500 }]);
    } finally {
      duck.close();
    }
  });
});
