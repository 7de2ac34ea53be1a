/** What the report says of a simulated world. */
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import type { Duck } from '../../tables/duck.ts';
import { tradeFigures, tradeTotals } from '../describe.ts';
import { archetypes, DAY } from './assumptions.ts';
import type { World } from './simulate.ts';

/** Sums over the purchases of one kind of wallet in one market. */
interface Purchases {
  readonly archetype: string;
  readonly market: number;
  readonly n: number;
  /** Payout minus price, summed over purchases. */
  readonly edge: number;
}

/** Metrics and figures of a world that `loadWorld` loaded and whose trades lie at `trades`. */
export async function describeWorld(
  duck: Duck,
  world: World,
  trades: string,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const totals = await tradeTotals(duck, trades);
  const markets = world.shards.flatMap((shard) => shard.markets);
  const resolved = markets.filter((market) => market.finalAt < world.end);
  const planted = world.shards.flatMap(({ wallets, edges }) =>
    wallets.flatMap((w, i) => (w.archetype === 'skilled' ? [edges[i] as number] : [])),
  );
  const unfilled = world.shards.reduce((sum, shard) => sum + shard.unfilled, 0);
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  const washShare = await washVolume(duck, world);
  const quality: Quality = {
    source: 'simulated world',
    rowsRead: totals.rows,
    rowsKept: totals.rows,
    rejected: [],
    duplicates: { count: 0, policy: 'keep' },
    ...(totals.from === null || totals.to === null
      ? {}
      : { from: new Date(totals.from).toISOString(), to: new Date(totals.to).toISOString() }),
    facts: [
      { label: 'Wallets that traded', value: totals.wallets },
      { label: 'Markets that traded', value: totals.markets },
      { label: 'Markets resolved by the end', value: resolved.length },
      { label: 'Markets that paid 50-50', value: resolved.filter((market) => market.fiftyFifty).length },
      { label: 'Markets whose resolution was disputed', value: resolved.filter((m) => m.disputedAt.length > 0).length },
      { label: 'Volume, both sides of a match', value: totals.usd, unit: 'USD' },
      { label: 'Orders that found no trade', value: unfilled },
      { label: 'Shards', value: world.shards.length },
      ...(washShare === null ? [] : [{ label: 'Share of volume in rings during the surge', value: washShare }]),
      {
        label: 'Mean planted edge of skilled wallets',
        value: mean(planted),
        unit: 'USD per token',
        ...(planted.length === 0 ? { why: 'no skilled wallets' } : {}),
      },
    ],
  };
  const metrics: MetricsFile = {
    scalars: {
      rows: totals.rows,
      wallets: totals.wallets,
      markets: totals.markets,
      resolved: resolved.length,
      usd: totals.usd,
      plantedEdge: mean(planted),
      shards: world.shards.length,
      washShare,
    },
    quality: [quality],
    notes: ['The trades are simulated: what is found in them tests the methods, and says nothing of any real venue.'],
  };
  return {
    metrics,
    figures: [...(await tradeFigures(duck, trades, totals)), await kindsTable(duck), await calibration(duck)],
  };
}

/** Share of the volume of the surge's days that wash traders traded with each other; null without them. */
async function washVolume(duck: Duck, { params }: World): Promise<number | null> {
  const { fromDay, toDay } = params.wash;
  const [row] = await duck.rows<{ share: number | null }>(
    `SELECT sum(f.size * f.ticks) FILTER (w.archetype = 'washTrader' AND c.archetype = 'washTrader') / sum(f.size * f.ticks)
       AS share
     FROM fills f JOIN wallet w ON w.id = f.wallet JOIN wallet c ON c.id = f.counterparty
     WHERE f.time >= ${fromDay * DAY} AND f.time < ${(toDay ?? params.days) * DAY}`,
  );
  return row?.share ?? null;
}

/** Payouts as the world knows them, also of markets still open at its end. */
const purchases = `SELECT w.archetype, m.id AS market, f.ticks, f.ticks::DOUBLE / 1000 AS price,
    CASE WHEN f.token % 2 = 0 THEN m.payout0 ELSE 1 - m.payout0 END AS payout
  FROM fills f JOIN wallet w ON w.id = f.wallet JOIN market m ON m.id = f.token // 2 WHERE f.sell = 0`;

async function kindsTable(duck: Duck): Promise<Figure> {
  const kinds = await duck.rows<{ archetype: string; wallets: number; fills: number; usd: number; maker: number }>(
    `SELECT w.archetype, count(DISTINCT w.id)::DOUBLE AS wallets, count(f.wallet)::DOUBLE AS fills,
       coalesce(sum((f.size * f.ticks)::BIGINT), 0)::DOUBLE / 1e5 AS usd, sum(f.maker::BIGINT)::DOUBLE AS maker
     FROM wallet w LEFT JOIN fills f ON f.wallet = w.id GROUP BY w.archetype`,
  );
  // Whole numbers of thousandths and halves, so that sums are exact in any order.
  const bought = await duck.rows<Purchases>(
    `SELECT archetype, market::DOUBLE AS market, count(*)::DOUBLE AS n,
       sum((payout * 1000)::BIGINT - ticks)::DOUBLE / 1000 AS edge
     FROM (${purchases}) GROUP BY archetype, market ORDER BY archetype, market`,
  );
  return {
    id: 'kinds-of-wallet',
    section: 'data',
    kind: 'table',
    title: 'What each kind of wallet did, and what its purchases were worth',
    subtitle: 'Mean of payout minus price per purchase, USD per token, with its standard error over markets',
    caption: 'Purchases count equally; the standard error clusters by market. Markets still open at the end count too.',
    columns: [
      { name: 'kind', align: 'left' },
      { name: 'wallets', align: 'right' },
      { name: 'fills', align: 'right' },
      { name: 'volume', unit: 'USD', align: 'right' },
      { name: 'maker share', align: 'right' },
      { name: 'mean edge', unit: 'USD per token', align: 'right' },
      { name: 'standard error', unit: 'USD per token', align: 'right' },
    ],
    rows: archetypes.flatMap((archetype) => {
      const kind = kinds.find((row) => row.archetype === archetype);
      if (kind === undefined) return [];
      const { mean, error } = clusteredMean(bought.filter((row) => row.archetype === archetype));
      return [
        [archetype, kind.wallets, kind.fills, kind.usd, kind.fills > 0 ? kind.maker / kind.fills : null, mean, error],
      ];
    }),
  };
}

/** Ratio of sums over clusters with its linearised standard error; null below two clusters. */
export function clusteredMean(clusters: readonly { readonly n: number; readonly edge: number }[]): {
  mean: number | null;
  error: number | null;
} {
  const n = clusters.reduce((sum, cluster) => sum + cluster.n, 0);
  if (n === 0) return { mean: null, error: null };
  const mean = clusters.reduce((sum, cluster) => sum + cluster.edge, 0) / n;
  if (clusters.length < 2) return { mean, error: null };
  let squares = 0;
  for (const cluster of clusters) squares += (cluster.edge - mean * cluster.n) ** 2;
  return { mean, error: Math.sqrt((squares * clusters.length) / (clusters.length - 1)) / n };
}

async function calibration(duck: Duck): Promise<Figure> {
  const bins = await duck.rows<{ n: number; price: number; payout: number }>(
    `SELECT least(floor(price * 10), 9) AS bin, count(*)::DOUBLE AS n, sum(ticks::BIGINT)::DOUBLE / 1000 AS price,
       sum((payout * 2)::BIGINT)::DOUBLE / 2 AS payout
     FROM (${purchases} AND w.archetype = 'casual') GROUP BY bin ORDER BY bin`,
  );
  const n = bins.reduce((sum, bin) => sum + bin.n, 0);
  return {
    id: 'calibration-of-casual-purchases',
    section: 'data',
    kind: 'line',
    title: 'Do prices mean what they say?',
    subtitle: `Mean payout against mean price of casual purchases, USD per token, in tenths; n = ${n.toLocaleString('en-US')}`,
    caption: 'On the diagonal a token is worth its price. Purchases in one market share its outcome.',
    x: { label: 'Price paid', unit: 'USD per token', scale: 'linear', min: 0, max: 1 },
    y: { label: 'Payout', unit: 'USD per token', scale: 'linear', min: 0, max: 1 },
    reference: 'diagonal',
    series: [
      {
        label: 'casual purchases',
        role: 'this',
        dots: true,
        x: bins.map((bin) => bin.price / bin.n),
        y: bins.map((bin) => bin.payout / bin.n),
      },
    ],
  };
}
