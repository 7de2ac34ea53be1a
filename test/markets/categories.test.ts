import { describe, expect, it } from 'vitest';
import { categoryOf, categorySql } from '../../src/markets/categories.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { temporaryFolder } from '../support/stage.ts';

const examples: readonly [string, string][] = [
  ['Bitcoin Up or Down - January 8, 5:15PM-5:30PM ET', 'crypto'],
  ['XRP Up or Down - January 8, 5:15PM-5:30PM ET', 'crypto'],
  ['Will ETH reach $5,000?', 'crypto'],
  ['will-a-spot-solana-etf-be-approved', 'crypto'],
  ['Dota 2: Spirit Academy vs Inner Circle (BO1)', 'sports'],
  ['Team Lynx to win 0 games?', 'sports'],
  ['Game Handicap: LYNX (-1.5)', 'sports'],
  ['Games Total: O/U 2.5', 'sports'],
  ['NBA: Lakers vs. Celtics', 'sports'],
  ['Premier League winner', 'sports'],
  ['Who will win the NFL playoffs?', 'sports'],
  ['Presidential election winner 2028', 'politics'],
  ['Will the Senate vote on it by June?', 'politics'],
  ['Will Trump meet Putin?', 'politics'],
  ['Another war in the region?', 'politics'],
  ['Most polls favour the incumbent?', 'politics'],
  // Words that only contain a word of a category.
  ['Top show on Netflix this week?', 'other'],
  ['Highest temperature in the Netherlands?', 'other'],
  ['Will Elizabeth and Beth be altogether there?', 'other'],
  ['Will inflation be above 3 %?', 'other'],
  ['Golden State Warriors sold?', 'other'],
  ['Will the award go to software from Delaware?', 'other'],
  ['Will Warner Bros be bought?', 'other'],
  ['Total solar eclipse seen?', 'other'],
  ['Will the dispute be resolved?', 'other'],
  ['Will the deficit grow?', 'other'],
  ['Will Apple leave Cupertino?', 'other'],
  ['Air pollution above the limit?', 'other'],
  ['Will the next Star Wars film open above 200 million?', 'other'],
  ['Trump vs Harris: who leads in October?', 'politics'],
  ['How many NFTs are sold?', 'crypto'],
  ['', 'other'],
];

describe('categoryOf', () => {
  it.each(examples)('%s: %s', (question, category) => {
    expect(categoryOf(question)).toBe(category);
  });

  it('is the same rule in SQL', async () => {
    const duck = await openDuck({ threads: 1, memoryMb: 300, scratch: await temporaryFolder() });
    const list = examples.map(([question], i) => `(${i}, ${quote(question)})`).join(', ');
    const rows = await duck.rows<{ category: string }>(
      `SELECT ${categorySql('question')} AS category FROM (VALUES ${list}) t(i, question) ORDER BY i`,
    );
    duck.close();
    expect(rows.map((row) => row.category)).toEqual(examples.map(([, category]) => category));
  });
});
