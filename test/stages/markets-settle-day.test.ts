/** A day of fills settled: the recorded one where it is there, and a generated one of the same shape. */
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import settleDefinition from '../../src/stages/markets-settle.ts';
import settle from '../../src/stages/run/markets-settle.ts';
import importDay from '../../src/stages/run/source-polymarket.ts';
import definition from '../../src/stages/source-polymarket.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

const header = 'timestamp,title,size,price,side,asset,conditionId,proxyWallet,outcome';

/** Newest first, as the service gives them; a fifth of the rows twice. */
function generatedDay(): string {
  const rng = makeRng('a day to settle');
  const lines: string[] = [];
  for (let i = 0; i < 400; i++) {
    const [market, side] = [rng.below(3), rng.below(2)];
    const second = String(rng.below(60)).padStart(2, '0');
    const minute = String(rng.below(60)).padStart(2, '0');
    const line = [
      `2026-01-08 12:${minute}:${second}`,
      '"Bitcoin, up or down?"',
      (1 + rng.below(50_000)) / 100,
      (1 + rng.below(999)) / 1000,
      rng.uniform() < 0.7 ? 'BUY' : 'SELL',
      `${'7'.repeat(70)}${market}${side}`,
      `0x${String(market).repeat(64)}`,
      `0x${String(rng.below(30)).padStart(40, 'a')}`,
      side === 0 ? 'Up' : 'Down',
    ].join(',');
    lines.push(line);
    if (rng.uniform() < 0.2) lines.push(line);
  }
  return `${[header, ...lines.sort((a, b) => (a < b ? 1 : -1))].join('\n')}\n`;
}

/**
 * What each wallet paid, got and holds in each token, straight from the text: no code of the settlement. Cash is size
 * times price, in whole numbers of 1e-24, rounded half to even once.
 */
const independent = (file: string, policy: string): string => `WITH lines AS (
    SELECT *, row_number() OVER () AS line FROM read_csv(${quote(file)}, header = true, all_varchar = true)),
  kept AS (SELECT * FROM lines ${policy === 'keep' ? '' : `QUALIFY row_number() OVER (PARTITION BY ${header} ORDER BY line) = 1`}),
  exact AS (SELECT *, (size::DECIMAL(20, 6) * 1000000)::HUGEINT AS shares,
      (size::DECIMAL(20, 6) * 1000000)::HUGEINT * (price::DECIMAL(20, 18) * 1000000000::DECIMAL(10, 0) * 1000000000::DECIMAL(10, 0))::HUGEINT AS product FROM kept),
  divided AS (SELECT *, product // 1000000000000000000 AS down, product % 1000000000000000000 AS rest FROM exact),
  fills AS (SELECT lower(proxyWallet) AS wallet, asset AS token, "timestamp" AS happened, line, CASE side WHEN 'BUY' THEN 1 ELSE -1 END AS sign, shares,
      down + CASE WHEN rest > 500000000000000000 OR rest = 500000000000000000 AND down % 2 = 1 THEN 1 ELSE 0 END AS usd FROM divided),
  last AS (SELECT token, arg_max(usd::DOUBLE / shares::DOUBLE, (happened, line)) AS price FROM fills GROUP BY token)
  SELECT wallet, token, count(*)::INTEGER AS fills, sum(sign * shares)::HUGEINT AS net, sum(-sign * usd)::HUGEINT AS cash,
    (sum(-sign * usd)::DOUBLE + sum(sign * shares)::DOUBLE * any_value(price)) / 1e6 AS marked
  FROM fills JOIN last USING (token) GROUP BY wallet, token`;

const days = [
  {
    name: 'recorded',
    skip: shared === undefined,
    write: (file: string) => copyFile(sharedFile('data/polymarket/data-api-trades-2026-01-08.csv'), file),
  },
  { name: 'generated', skip: false, write: (file: string) => writeFile(file, generatedDay()) },
];

for (const day of days)
  describe.skipIf(day.skip)(`settling the ${day.name} day${day.skip ? `: ${whyNoShared}` : ''}`, () => {
    it('gives the totals of an independent query, under both readings of repeated rows', async () => {
      const folder = await temporaryFolder();
      const file = path.join(folder, 'fills.csv');
      await day.write(file);
      const duck = await openDuck({ threads: 1, memoryMb: 500, scratch: folder });
      const totals: number[] = [];
      try {
        for (const policy of ['keep', 'drop-exact']) {
          const params = { format: 'data-api-csv', trades: file, timeZone: 'America/New_York', duplicates: policy };
          const source = await runStage(definition, importDay, { params });
          const result = await runStage(settleDefinition, settle, {
            params: { fees: 'none' },
            inputs: { trades: [source.path('trades')], markets: [source.path('markets')] },
          });
          await duck.run(`CREATE OR REPLACE TABLE expected AS ${independent(file, policy)};
            CREATE OR REPLACE TABLE got AS SELECT wallet, token, fills, (netShares::DECIMAL(38, 6) * 1000000)::HUGEINT AS net,
              (cashUsd::DECIMAL(38, 6) * 1000000)::HUGEINT AS cash,
              markedPnlUsd::DOUBLE AS marked FROM read_parquet(${quote(result.path('ledger'))})`);
          const [found] = await duck.rows<Record<string, number>>(`SELECT count(*)::DOUBLE AS "rows",
              count(*) FILTER (e.wallet IS NULL OR g.wallet IS NULL OR e.fills <> g.fills OR e.net <> g.net OR e.cash <> g.cash)::DOUBLE AS wrong,
              count(*) FILTER (NOT coalesce(abs(e.marked - g.marked) < 2e-6, false))::DOUBLE AS apart,
              sum(e.fills)::DOUBLE AS fills, sum(e.cash)::DOUBLE / 1e6 AS cash, sum(e.marked) AS marked
            FROM expected e FULL JOIN got g ON g.wallet = e.wallet AND g.token = e.token`);
          expect(found).toMatchObject({ wrong: 0, apart: 0 });
          const { scalars, checks } = await result.metrics();
          expect(scalars).toMatchObject({
            rows: found?.['rows'],
            cashUsd: found?.['cash'],
            'positions.settled': 0,
            settledPnlUsd: 0,
          });
          expect(scalars['markedPnlUsd']).toBeCloseTo(found?.['marked'] as number, 2);
          expect((checks ?? []).find(({ name }) => name === 'Ledger adds up')?.verdict).toBe('pass');
          totals.push(found?.['fills'] as number, found?.['cash'] as number);
        }
      } finally {
        duck.close();
      }
      const [kept, keptCash, dropped, droppedCash] = totals as [number, number, number, number];
      expect(kept).toBeGreaterThan(dropped);
      expect(keptCash).not.toBe(droppedCash);
    });
  });
