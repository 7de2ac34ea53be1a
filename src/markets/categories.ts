/** What a market is about, by the words of its question. */

export const categories = ['politics', 'sports', 'crypto', 'other'] as const;
export type Category = (typeof categories)[number];

/**
 * Words and phrases of each category. They match whole words only: "eth" is in neither "Netherlands" nor "together",
 * "war" not in "Warriors", "etf" not in "Netflix". Words of more than three letters match their plural too.
 */
// biome-ignore format: words are easier to read in rows than in a column
export const categoryWords: Readonly<Record<Exclude<Category, 'other'>, readonly string[]>> = {
  crypto: [
    'bitcoin', 'btc', 'ethereum', 'eth', 'solana', 'sol', 'xrp', 'ripple', 'dogecoin', 'doge', 'cardano', 'bnb',
    'crypto', 'cryptocurrency', 'nft', 'nfts', 'airdrop', 'defi', 'token', 'stablecoin', 'usdc', 'usdt', 'tether',
    'binance', 'coinbase', 'etf', 'etfs', 'memecoin', 'halving', 'blockchain', 'altcoin', 'microstrategy', 'hyperliquid',
  ],
  sports: [
    'nfl', 'nba', 'wnba', 'mlb', 'nhl', 'mls', 'ncaa', 'soccer', 'football', 'basketball', 'baseball', 'hockey',
    'ufc', 'mma', 'boxing', 'f1', 'formula 1', 'grand prix', 'nascar', 'premier league', 'champions league',
    'la liga', 'serie a', 'bundesliga', 'super bowl', 'world series', 'finals', 'playoff', 'vs', 'tournament', 'cup',
    'medal', 'olympic', 'tennis', 'wimbledon', 'golf', 'pga', 'cricket', 'ipl', 'rugby', 'esports', 'dota 2',
    'counter-strike', 'league of legends', 'valorant', 'handicap', 'o/u', 'moneyline', 'bo1', 'bo3', 'bo5',
    'to win 0 games', 'to win 1 games', 'to win 2 games', 'heavyweight', 'touchdown',
  ],
  politics: [
    'election', 'president', 'presidential', 'presidency', 'senate', 'senator', 'congress', 'congressional',
    'parliament', 'parliamentary', 'democrat', 'democratic', 'republican', 'gop', 'trump', 'biden', 'harris',
    'vance', 'putin', 'zelensky', 'netanyahu', 'nominee', 'nomination', 'poll', 'vote', 'voter', 'ballot',
    'referendum', 'cabinet', 'war', 'ceasefire', 'geopolitics', 'geopolitical', 'ukraine', 'russia', 'israel',
    'gaza', 'iran', 'policy', 'governor', 'mayor', 'mayoral', 'prime minister', 'chancellor', 'impeach',
    'impeached', 'impeachment', 'supreme court', 'tariff', 'white house', 'government shutdown', 'nato',
  ],
};

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/**
 * The regular expression of a category, lower case, in the syntax that JavaScript and RE2 (DuckDB) share. Letters and
 * digits bound a word; other signs, among them `_` and `-`, separate words, as in slugs.
 */
export function categoryPattern(category: Exclude<Category, 'other'>): string {
  const words = categoryWords[category].map(
    (word) => escapePattern(word).replaceAll(' ', '[ _-]+') + (word.length > 3 ? 's?' : ''),
  );
  return `(?:^|[^a-z0-9])(?:${words.join('|')})(?:$|[^a-z0-9])`;
}

/**
 * Where several categories match, the first of these is taken. Names of coins are the surest words; politics comes
 * before sports because of "Trump vs Harris", at the price of "Israel vs Norway".
 */
const precedence = ['crypto', 'politics', 'sports'] as const;

const patterns = new Map(precedence.map((category) => [category, new RegExp(categoryPattern(category))]));

/** The category of a question or title; `other` if no word tells. */
export function categoryOf(question: string): Category {
  const text = question.toLowerCase();
  return precedence.find((category) => (patterns.get(category) as RegExp).test(text)) ?? 'other';
}

/** The same rule as a SQL expression over a text column. */
export function categorySql(expression: string): string {
  const cases = precedence.map(
    (category) =>
      `WHEN regexp_matches(lower(${expression}), '${categoryPattern(category).replaceAll("'", "''")}') THEN '${category}'`,
  );
  return `CASE ${cases.join(' ')} ELSE 'other' END`;
}
