/** What the report says of a simulated exchange of perpetuals. */
import type { Figure } from '../../../contract/figure.ts';
import type { MetricsFile } from '../../../contract/metrics.ts';
import { type Duck, quote } from '../../../tables/duck.ts';
import { traderKinds } from './assumptions.ts';

interface Kind {
  readonly kind: string;
  readonly wallets: number;
  readonly fills: number;
  readonly usd: number;
  readonly maker: number | null;
  readonly winners: number | null;
  readonly pnl: number;
}

/** Metrics and figures of the exchange that `loadPerpetuals` loaded and whose fills lie at `fills`. */
export async function describePerpetuals(
  duck: Duck,
  fills: string,
  unfilled: number,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const kinds = await duck.rows<Kind>(
    `SELECT w.kind, count(*)::DOUBLE AS wallets, coalesce(sum(f.fills), 0)::DOUBLE AS fills,
       coalesce(sum(f.usd), 0)::DOUBLE AS usd, (sum(f.maker) / sum(f.fills))::DOUBLE AS maker,
       avg((f.pnl > 0)::INTEGER)::DOUBLE AS winners, coalesce(sum(f.pnl), 0)::DOUBLE AS pnl
     FROM trader w LEFT JOIN (SELECT wallet AS address, count(*) AS fills, sum(usd) AS usd,
         sum((role = 'maker')::INTEGER) AS maker, sum(closedPnlUsd - feeUsd) AS pnl
       FROM read_parquet(${quote(fills)}) GROUP BY wallet) f USING (address)
     GROUP BY w.kind`,
  );
  const [span] = await duck.rows<{
    from: number | null;
    to: number | null;
    coins: number;
    wallets: number;
    usd: number;
  }>(
    `SELECT epoch_ms(min(time))::DOUBLE AS "from", epoch_ms(max(time))::DOUBLE AS "to",
       count(DISTINCT coin)::DOUBLE AS coins, count(DISTINCT wallet)::DOUBLE AS wallets,
       coalesce(sum(usd), 0)::DOUBLE AS usd FROM read_parquet(${quote(fills)})`,
  );
  const { from = null, to = null, coins = 0, wallets = 0, usd = 0 } = span ?? {};
  const rows = kinds.reduce((sum, { fills: n }) => sum + n, 0);
  const period =
    from === null || to === null ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return {
    metrics: {
      scalars: { rows, wallets, coins, usd },
      quality: [
        {
          source: 'simulated exchange of perpetuals',
          rowsRead: rows,
          rowsKept: rows,
          rejected: [],
          duplicates: { count: 0, policy: 'keep' },
          ...period,
          facts: [
            { label: 'Wallets that traded', value: wallets },
            { label: 'Coins', value: coins },
            { label: 'Volume, both sides of a match', value: usd, unit: 'USD' },
            { label: 'Orders that found no trade', value: unfilled },
          ],
        },
      ],
      notes: ['The trades are simulated: what is found in them tests the methods, and says nothing of any real venue.'],
    },
    figures: [
      {
        id: 'kinds-of-trader',
        section: 'data',
        kind: 'table',
        title: 'What each kind of trader did and realised',
        subtitle: 'Profit realised less fees; open positions do not count',
        caption: 'A winner realised more than it paid in fees.',
        columns: [
          { name: 'kind', align: 'left' },
          { name: 'wallets', align: 'right' },
          { name: 'fills', align: 'right' },
          { name: 'volume', unit: 'USD', align: 'right' },
          { name: 'maker share', align: 'right' },
          { name: 'share of winners', align: 'right' },
          { name: 'realised', unit: 'USD', align: 'right' },
        ],
        rows: traderKinds.flatMap((kind) =>
          kinds
            .filter((row) => row.kind === kind)
            .map((row) => [kind, row.wallets, row.fills, row.usd, row.maker, row.winners, row.pnl]),
        ),
      },
    ],
  };
}
