/** What a settlement says of itself: totals, checks that hold it to the data, and two figures. */
import type { BarsFigure, Figure, HistogramFigure } from '../../contract/figure.ts';
import type { Check, MetricsFile } from '../../contract/metrics.ts';
import type { Duck } from '../../tables/duck.ts';
import { statuses } from './ledger.ts';
import type { SettlementResult } from './settle.ts';

interface Totals {
  readonly settled: number;
  readonly closed: number;
  readonly open: number;
  readonly cash: number;
  readonly cashUsd: number;
  readonly feeUsd: number;
  readonly realisedPnlUsd: number;
  readonly settlementUsd: number;
  readonly settledPnlUsd: number;
  readonly markedPnlUsd: number;
  readonly openCostUsd: number;
  readonly unmarked: number;
  readonly settledMarkets: number;
}

/** Totals of the table `ledger`, exact until they become doubles here. */
async function totalsOf(duck: Pick<Duck, 'rows'>): Promise<Totals> {
  const counts = statuses.map((status) => `count(*) FILTER (status = '${status}')::DOUBLE AS "${status}"`).join(', ');
  const sum = (column: string, when = 'true'): string => `coalesce(sum(${column}) FILTER (${when}), 0)::DOUBLE`;
  const [totals] = await duck.rows<Totals>(
    `SELECT ${counts}, ${['cashUsd', 'feeUsd', 'realisedPnlUsd', 'settlementUsd', 'settledPnlUsd', 'markedPnlUsd']
      .map((column) => `${sum(column)} AS ${column}`)
      .join(', ')}, ${sum('costUsd', "status = 'open'")} AS openCostUsd,
       count(*) FILTER (status = 'open' AND markUsd IS NULL)::DOUBLE AS unmarked,
       count(DISTINCT market) FILTER (status = 'settled')::DOUBLE AS settledMarkets FROM ledger`,
  );
  return totals as Totals;
}

const amount = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Checks that the ledger is what the data say, and that the data say all. `fills`, `moves` and `ledger` are there. */
async function checksOf(duck: Pick<Duck, 'rows'>, { belowZero, rows }: SettlementResult): Promise<Check[]> {
  const [sums] = await duck.rows<{ cash: string; data: string; torn: number }>(
    `SELECT coalesce(sum(cashUsd), 0)::VARCHAR AS cash,
       (coalesce((SELECT sum(CASE side WHEN 'SELL' THEN usd ELSE -usd END) FROM fills), 0)
         + coalesce((SELECT sum(usd) FROM moves), 0))::VARCHAR AS data,
       count(*) FILTER (netShares <> boughtShares - soldShares + receivedShares - givenShares
         OR realisedPnlUsd <> cashUsd + costUsd OR netShares = 0 AND costUsd <> 0)::DOUBLE AS torn FROM ledger`,
  );
  const [markets] = await duck.rows<{ all: number; balanced: number; gap: number }>(
    `SELECT count(*)::DOUBLE AS "all", count(*) FILTER (balanced)::DOUBLE AS balanced,
       coalesce(sum(abs(cash + settlement)) FILTER (settled AND NOT balanced), 0)::DOUBLE AS gap
     FROM (SELECT *, CASE WHEN settled THEN cash + settlement = 0 ELSE known AND zero = one AND cash + zero = 0 END AS balanced
       FROM (SELECT sum(cashUsd) AS cash, coalesce(sum(settlementUsd), 0) AS settlement, bool_and(status = 'settled') AS settled,
           bool_and(outcomeIndex IS NOT NULL) AS known, coalesce(sum(netShares) FILTER (outcomeIndex = 0), 0) AS zero,
           coalesce(sum(netShares) FILTER (outcomeIndex = 1), 0) AS one
         FROM ledger WHERE status <> 'cash' GROUP BY market))`,
  );
  const { cash = '', data = '', torn = 0 } = sums ?? {};
  const { all = 0, balanced = 0, gap = 0 } = markets ?? {};
  return [
    {
      name: 'Ledger adds up',
      verdict: cash === data && torn === 0 ? 'pass' : 'fail',
      detail: `Cash of all rows is ${cash} USD, of all fills and flows ${data} USD; ${amount(torn)} of ${amount(rows)} rows contradict themselves.`,
    },
    {
      name: 'Cash conserved',
      verdict: balanced === all ? 'pass' : 'undecided',
      detail:
        balanced === all
          ? `In all ${amount(all)} markets what some wallets won others lost, to the last 0.000001 USD.`
          : `${amount(balanced)} of ${amount(all)} markets add up to nothing; in the others the data lack a side of some match, a split or a merge (${amount(gap)} USD in settled markets).`,
    },
    {
      name: 'No negative holdings',
      verdict: belowZero === 0 ? 'pass' : 'undecided',
      detail:
        belowZero === 0
          ? `No wallet gave tokens that it had not got, in ${amount(rows)} rows.`
          : `${amount(belowZero)} of ${amount(rows)} rows give tokens whose coming is not in the data; their cost is unknown, so what was sold counts as a sale to be bought back at the payout.`,
    },
  ];
}

/** Metrics and figures of a settlement; `remarks` say how it was asked for. */
export async function describeSettlement(
  duck: Pick<Duck, 'rows'>,
  result: SettlementResult,
  remarks: readonly string[],
): Promise<{ readonly metrics: MetricsFile; readonly figures: readonly Figure[] }> {
  const totals = await totalsOf(duck);
  const positions = totals.settled + totals.closed + totals.open;
  const { odd } = result;
  const said = (count: number, words: string): string[] => (count === 0 ? [] : [`${amount(count)} ${words}`]);
  return {
    metrics: {
      scalars: {
        rows: result.rows,
        wallets: result.wallets,
        markets: result.markets,
        'markets.settled': totals.settledMarkets,
        'positions.settled': totals.settled,
        'positions.closed': totals.closed,
        'positions.open': totals.open,
        'share.unresolved': positions === 0 ? null : (totals.closed + totals.open) / positions,
        cashUsd: totals.cashUsd,
        feeUsd: totals.feeUsd,
        realisedPnlUsd: totals.realisedPnlUsd,
        settlementUsd: totals.settlementUsd,
        settledPnlUsd: totals.settledPnlUsd,
        markedPnlUsd: totals.unmarked === 0 ? totals.markedPnlUsd : null,
        openCostUsd: totals.openCostUsd,
        'rows.belowZero': result.belowZero,
        'fees.unknown': odd.feeUnknown,
        'fees.unknownRole': odd.roleUnknown,
        'redemptions.ofUnknownTokens': odd.redeemedBlindly,
        'redemptions.otherThanPayout': odd.redeemedOtherwise,
      },
      checks: await checksOf(duck, result),
      notes: [
        ...remarks,
        ...said(odd.feeUnknown, 'fills have no recorded fee and count as free.'),
        ...said(odd.roleUnknown, 'fills do not tell whether the wallet was maker or taker and pay as takers.'),
        ...said(odd.redeemedBlindly, 'redemptions do not tell which token they paid for; last prices divide them.'),
        ...said(odd.redeemedOtherwise, 'redemptions brought other cash than the payouts give for the tokens held.'),
        ...said(totals.unmarked, 'open positions have no price to be marked at.'),
      ],
    },
    figures: [await profitFigure(duck), statusFigure(totals, positions)],
  };
}

/** Wallets by settled profit: gains and losses apart, on one logarithmic axis. */
async function profitFigure(duck: Pick<Duck, 'rows'>): Promise<HistogramFigure> {
  const wallets = await duck.rows<{ pnl: number }>(
    `SELECT sum(settledPnlUsd)::DOUBLE AS pnl FROM ledger WHERE status = 'settled' GROUP BY wallet ORDER BY wallet`,
  );
  const profits = wallets.map(({ pnl }) => pnl);
  const largest = profits.reduce((most, pnl) => Math.max(most, Math.abs(pnl)), 1);
  const edges = [0.01];
  for (let step = 0; (edges.at(-1) as number) <= largest; step++)
    edges.push(step % 2 === 0 ? 3 * 10 ** (step / 2 - 2) : 10 ** ((step + 1) / 2 - 2));
  const count = (sign: 1 | -1): number[] => {
    const counts = new Array<number>(edges.length - 1).fill(0);
    for (const pnl of profits) {
      const bin = edges.findLastIndex((edge) => edge <= sign * pnl);
      if (bin >= 0) counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  const winners = profits.filter((pnl) => pnl > 0).length;
  const losers = profits.filter((pnl) => pnl < 0).length;
  return {
    id: 'settled-profit',
    section: 'data',
    kind: 'histogram',
    title:
      profits.length === 0
        ? 'No position is settled yet'
        : `${amount(winners)} of ${amount(profits.length)} wallets are ahead in what is settled, ${amount(losers)} behind`,
    subtitle: `Wallets by size of settled profit or loss, USD, logarithmic bins; n = ${amount(profits.length)} wallets`,
    caption:
      'Profit of a wallet over all tokens with a final outcome, after fees; less than 0.01 USD either way is not drawn.',
    method: 'Settlement',
    x: { label: 'Profit or loss of a wallet', unit: 'USD', scale: 'log' },
    edges,
    groups: [
      { label: 'ahead', role: 'this', counts: count(1) },
      { label: 'behind', role: 'cost', counts: count(-1) },
    ],
  };
}

function statusFigure(totals: Totals, positions: number): BarsFigure {
  const share = (count: number): number | null => (positions === 0 ? null : (100 * count) / positions);
  const open = share(totals.open + totals.closed);
  return {
    id: 'unresolved-positions',
    section: 'data',
    kind: 'bars',
    title:
      open === null
        ? 'There are no positions'
        : `${open.toFixed(1)} % of positions wait for an outcome; ${amount(totals.openCostUsd)} USD is still held in them`,
    subtitle: `Positions (a wallet in a token) by state, %; n = ${amount(positions)}`,
    caption: 'Held at weighted average cost. Closed: sold or redeemed before the outcome was known here.',
    method: 'Settlement',
    unit: '%',
    bars: [
      { label: 'settled', role: 'this', value: share(totals.settled) },
      { label: 'open', role: 'other', value: share(totals.open) },
      { label: 'closed, outcome unknown', role: 'other', value: share(totals.closed) },
    ],
  };
}
