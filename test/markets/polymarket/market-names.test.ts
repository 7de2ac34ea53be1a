/** Names of markets as threads share them: every text, number and gap against the rows themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Names, readMarketNames } from '../../../src/markets/polymarket/market-names.ts';
import { type Duck, openDuck } from '../../../src/tables/duck.ts';
import { temporaryFolder } from '../../support/stage.ts';

let duck: Duck;
beforeAll(async () => {
  duck = await openDuck({ threads: 2, memoryMb: 300, scratch: await temporaryFolder() });
});
afterAll(() => duck.close());

/** The text of each key. */
function textsOf({ bytes, offsets, map }: Names): string[] {
  return [...map].map((number) =>
    Buffer.from(bytes.subarray(offsets[number] as number, offsets[number + 1] as number)).toString('utf8'),
  );
}

describe('names of markets', () => {
  it('are the texts of the rows, in their order, over more than one group', async () => {
    await duck.run(`CREATE TABLE many AS SELECT
        CASE i % 5 WHEN 0 THEN '0' || i WHEN 1 THEN 'märkte-' || i ELSE i::VARCHAR END AS market,
        CASE WHEN i % 7 > 0 THEN 'event-' || i % 100 END AS event, (7 * i)::VARCHAR AS token0,
        CASE WHEN i % 11 > 0 THEN (9 * i)::VARCHAR END AS token1, CASE i % 3 WHEN 0 THEN 'Über' ELSE 'No' END AS outcome0,
        CASE i % 13 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Yes' END AS outcome1 FROM range(10000) r(i)`);
    const names = await readMarketNames(duck, 'many');
    const rows = await duck.rows<Record<string, string | null>>('FROM many');
    const of = (...columns: string[]): string[] => rows.flatMap((row) => columns.map((column) => row[column] ?? ''));
    expect(textsOf(names.market)).toEqual(of('market'));
    expect(textsOf(names.event)).toEqual(of('event'));
    expect(textsOf(names.token)).toEqual(of('token0', 'token1'));
    expect(textsOf(names.outcome)).toEqual(of('outcome0', 'outcome1'));
    expect([names.market.count, names.event.count, names.token.count, names.outcome.count]).toEqual([
      10_000, 101, 20_000, 4,
    ]);
    const plain = (id: string | null): number => (/^(?:0|[1-9][0-9]{0,14})$/.test(id ?? '') ? Number(id) : Number.NaN);
    expect([...names.numbers]).toEqual(rows.map((row) => plain(row['market'] ?? null)));
    expect([...names.incomplete]).toEqual(rows.map((row) => Number(Object.values(row).includes(null))));
  });

  it('may be none', async () => {
    const names = await readMarketNames(duck, '(FROM many LIMIT 0)');
    expect([names.numbers.length, names.token.count, names.event.bytes.length]).toEqual([0, 0, 0]);
  });
});
