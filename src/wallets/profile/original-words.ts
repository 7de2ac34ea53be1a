/** Which words the reference pipeline takes for which topic: substrings, so that "Netflix" is crypto (etf). */

/** Topics by bit: 1, 2 and 4. A market may hold several. */
export const topics = ['politics', 'sports', 'crypto'] as const;

// biome-ignore format: words are easier to read in rows than in a column
const words: Readonly<Record<(typeof topics)[number], readonly string[]>> = {
  politics: [
    'election', 'president', 'senate', 'congress', 'democrat', 'republican', 'trump', 'biden', 'harris', 'nominee',
    'poll', 'vote', 'cabinet', 'war', 'geopolitics', 'ukraine', 'israel', 'policy',
  ],
  sports: [
    'nfl', 'nba', 'mlb', 'nhl', 'soccer', 'ufc', 'f1', 'formula 1', 'premier league', 'champions league', 'super bowl',
    'finals', 'playoff', 'vs', 'tournament', 'cup', 'medal', 'tennis', 'golf',
  ],
  crypto: [
    'bitcoin', 'btc', 'ethereum', 'eth', 'solana', 'sol', 'crypto', 'nft', 'airdrop', 'defi', 'token', 'stablecoin',
    'usdc', 'usdt', 'tether', 'binance', 'coinbase', 'etf', 'memecoin', 'halving',
  ],
};

/** SQL for the bits of the topics that a market's slug or question holds. */
export function topicSql(slug: string, question: string): string {
  // One below the other, as no word goes over the end of a line.
  const text = `lower(concat(${slug}, chr(10), ${question}))`;
  const holds = (topic: (typeof topics)[number]): string => `regexp_matches(${text}, '${words[topic].join('|')}')`;
  return topics.map((topic, bit) => `CASE WHEN ${holds(topic)} THEN ${2 ** bit} ELSE 0 END`).join(' + ');
}
