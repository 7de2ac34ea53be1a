/** What a settlement says of itself: totals, checks that hold it to the data, and two figures. */
import type { BarsFigure, Figure, HistogramFigure } from '../../contract/figure.ts';
import type { Check, MetricsFile } from '../../contract/metrics.ts';
import type { SettlementResult } from './settle.ts';
import { oddities, profitEdges, type Totals } from './totals.ts';

const amount = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Whole 1e-6 USD in words, to the last digit. */
function exact(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, '0');
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** Checks that the ledger is what the data say, and that the data say all. */
function checksOf({ totals, rows, cash, ledgerCash }: SettlementResult): Check[] {
  const torn = totals.count('torn');
  const belowZero = totals.count('belowZero');
  const { all, balanced, gapHalves } = totals.conserved();
  const gap = Number(gapHalves) / 2e6;
  return [
    {
      name: 'Ledger adds up',
      verdict: cash === ledgerCash && torn === 0 ? 'pass' : 'fail',
      detail: `Cash of all rows is ${exact(ledgerCash)} USD, of all fills and flows ${exact(cash)} USD; ${amount(torn)} of ${amount(rows)} rows contradict themselves.`,
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
export function describeSettlement(
  result: SettlementResult,
  remarks: readonly string[],
): { readonly metrics: MetricsFile; readonly figures: readonly Figure[] } {
  const { totals } = result;
  const [settled, closed, open] = [totals.count('settled'), totals.count('closed'), totals.count('open')];
  const positions = settled + closed + open;
  const unmarked = totals.count('unmarked');
  const said = (count: number, words: string): string[] => (count === 0 ? [] : [`${amount(count)} ${words}`]);
  return {
    metrics: {
      scalars: {
        rows: result.rows,
        wallets: totals.count('wallets'),
        markets: result.markets,
        'markets.settled': totals.conserved().settled,
        'positions.settled': settled,
        'positions.closed': closed,
        'positions.open': open,
        'share.unresolved': positions === 0 ? null : (closed + open) / positions,
        cashUsd: totals.usd('cash'),
        feeUsd: totals.usd('fee'),
        realisedPnlUsd: totals.usd('realised'),
        settlementUsd: totals.usd('settlement'),
        settledPnlUsd: totals.usd('settledPnl'),
        markedPnlUsd: unmarked === 0 ? totals.usd('markedPnl') : null,
        openCostUsd: totals.usd('openCost'),
        'rows.belowZero': totals.count('belowZero'),
        'rows.history': result.historyRows,
        'fees.unknown': totals.oddity(oddities.feeUnknown),
        'fees.unknownRole': totals.oddity(oddities.roleUnknown),
        'fees.unscheduled': totals.oddity(oddities.termsUnknown),
        'redemptions.ofUnknownTokens': totals.oddity(oddities.redeemedBlindly),
        'redemptions.otherThanPayout': totals.oddity(oddities.redeemedOtherwise),
      },
      checks: checksOf(result),
      notes: [
        ...remarks,
        ...said(totals.oddity(oddities.feeUnknown), 'fills have no recorded fee and count as free.'),
        ...said(
          totals.oddity(oddities.roleUnknown),
          'fills do not tell whether the wallet was maker or taker and pay as takers.',
        ),
        ...said(totals.oddity(oddities.termsUnknown), 'fills are in markets without a fee schedule and count as free.'),
        ...said(
          totals.oddity(oddities.redeemedBlindly),
          'redemptions do not tell which token they paid for; last prices divide them.',
        ),
        ...said(
          totals.oddity(oddities.redeemedOtherwise),
          'redemptions brought other cash than the payouts give for the tokens held.',
        ),
        ...said(unmarked, 'open positions have no price to be marked at.'),
      ],
    },
    figures: [profitFigure(totals), statusFigure(totals, positions)],
  };
}

/** Wallets by settled profit: gains and losses apart, on one logarithmic axis. */
function profitFigure(totals: Totals): HistogramFigure {
  const { wallets, ahead, behind, largest } = totals.profit();
  // The bins go one beyond the largest, at least to a dollar.
  const beyond = profitEdges.findIndex((edge) => edge > Math.max(1, largest));
  const edges = profitEdges.slice(0, beyond < 0 ? profitEdges.length : beyond + 1);
  const count = (sizes: Float64Array): number[] => Array.from(sizes.subarray(0, edges.length - 1));
  return {
    id: 'settled-profit',
    section: 'data',
    kind: 'histogram',
    title:
      wallets === 0
        ? 'No position is settled yet'
        : `${amount(ahead)} of ${amount(wallets)} wallets are ahead in what is settled, ${amount(behind)} behind`,
    subtitle: `Wallets by size of settled profit or loss, USD, logarithmic bins; n = ${amount(wallets)} wallets`,
    caption:
      'Profit of a wallet over all tokens with a final outcome, after fees; less than 0.01 USD either way is not drawn.',
    method: 'Settlement',
    x: { label: 'Profit or loss of a wallet', unit: 'USD', scale: 'log' },
    edges,
    groups: [
      { label: 'ahead', role: 'this', counts: count(totals.memory.gains) },
      { label: 'behind', role: 'cost', counts: count(totals.memory.losses) },
    ],
  };
}

function statusFigure(totals: Totals, positions: number): BarsFigure {
  const share = (count: number): number | null => (positions === 0 ? null : (100 * count) / positions);
  const waiting = share(totals.count('open') + totals.count('closed'));
  return {
    id: 'unresolved-positions',
    section: 'data',
    kind: 'bars',
    title:
      waiting === null
        ? 'There are no positions'
        : `${waiting.toFixed(1)} % of positions wait for an outcome; ${amount(totals.usd('openCost'))} USD is still held in them`,
    subtitle: `Positions (a wallet in a token) by state, %; n = ${amount(positions)}`,
    caption: 'Held at weighted average cost. Closed: sold or redeemed before the outcome was known here.',
    method: 'Settlement',
    unit: '%',
    bars: [
      { label: 'settled', role: 'this', value: share(totals.count('settled')) },
      { label: 'open', role: 'other', value: share(totals.count('open')) },
      { label: 'closed, outcome unknown', role: 'other', value: share(totals.count('closed')) },
    ],
  };
}
