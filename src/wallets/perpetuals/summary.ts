/** What the report says of the features: how much is known, who is large, and whether profit outlasts fees. */
import type { Figure } from '../../contract/figure.ts';
import type { Finding } from '../../contract/metrics.ts';
import { counted, written } from '../../evaluation/words.ts';
import type { Rng } from '../../random/rng.ts';
import { type Duck, identifier, quote } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { shareWithInterval } from '../concentration.ts';
import { aboveHalf, estimateOf } from '../findings.ts';
import { perpetualFeatures } from './profile.ts';

const LARGEST = 20;

/** One feature for each thing that may be missing. */
const witnesses: readonly (readonly [feature: string, what: string])[] = [
  ['makerShare', 'Who was maker'],
  ['counterpartyCount', 'Counterparties'],
  ['positionChainShare', 'Positions'],
  ['closedPnlUsd', 'Realised profit'],
  ['feesUsd', 'Fees in dollars'],
  ['holdingHours', 'Holding times'],
  ['slippageMean', 'A quote before an execution'],
  ['bookWalkBps', 'A book before a taker'],
  ['priceImpactBps', 'A quote after a taker'],
  ['momentumScore', 'A candle before an execution'],
  ['candleVolatilityMean', 'The candle of an execution'],
  ['evmTransactionCount', 'Transactions of the EVM chain'],
];

export interface PerpetualSummary {
  readonly lastDate: number;
  readonly rows: number;
  /** Rows in which a feature is known, by name. */
  readonly known: Readonly<Record<string, number>>;
  readonly largest: readonly Readonly<Record<string, string | number | null>>[];
  /** Realised profit less fees as of the last date, of wallets of which both are known, USD. */
  readonly netUsd: readonly number[];
  readonly wallets: number;
}

/** Reads the finished table. */
export async function summarisePerpetuals(duck: Pick<Duck, 'rows'>, path: string): Promise<PerpetualSummary> {
  const file = `read_parquet(${quote(path)})`;
  const counts = perpetualFeatures.map(({ name }) => `count(${identifier(name)})::DOUBLE AS ${identifier(name)}`);
  const [found] = await duck.rows<Record<string, number>>(
    `SELECT count(*)::DOUBLE AS "all rows", coalesce(epoch_us(max("asOf")), 0)::DOUBLE AS "last date", ${counts.join(', ')} FROM ${file}`,
  );
  const { 'all rows': rows = 0, 'last date': lastDate = 0, ...known } = found ?? {};
  const last = `${file} WHERE "asOf" = (SELECT max("asOf") FROM ${file})`;
  const nets = await duck.rows<{ net: number | null }>(
    `SELECT closedPnlUsd - feesUsd AS net FROM ${last} ORDER BY wallet`,
  );
  return {
    lastDate,
    rows,
    known,
    largest: await duck.rows(
      `SELECT wallet, ${largestColumns.map(([name]) => `${identifier(name)}::DOUBLE AS ${identifier(name)}`).join(', ')}
       FROM ${last} ORDER BY totalUsd DESC, wallet LIMIT ${LARGEST}`,
    ),
    netUsd: nets.flatMap(({ net }) => (net === null ? [] : [net])),
    wallets: nets.length,
  };
}

const largestColumns = [
  ['totalUsd', 'Volume', 'USD'],
  ['executionCount', 'Executions', undefined],
  ['makerShare', 'As maker', 'share'],
  ['holdingHours', 'Held', 'hours'],
  ['takerSlippageBps', 'Paid beyond mid', 'bp'],
  ['makerCaptureBps', 'Gained on mid', 'bp'],
  ['closedPnlUsd', 'Realised', 'USD'],
  ['feesUsd', 'Fees', 'USD'],
  ['positionChainShare', 'Chain holds', 'share'],
] as const;

export function perpetualFigures(summary: PerpetualSummary, lookback: string): Figure[] {
  const { largest, rows, known, lastDate, wallets } = summary;
  const missing = witnesses.filter(([name]) => known[name] === 0);
  return [
    {
      kind: 'bars',
      id: 'known-of-wallets',
      section: 'data',
      title:
        missing.length === 0
          ? 'Everything is known of at least some wallets'
          : `${missing.length} of ${witnesses.length} kinds of facts are known of no wallet`,
      subtitle: `Share of ${counted(rows, 'rows')} (a wallet and a date each) in which it is known`,
      caption: 'A feature whose context was not recorded is null in the row, never 0.',
      method: 'Features of perpetual wallets',
      unit: 'share',
      bars: witnesses.map(([name, label]) => ({
        label,
        role: 'this',
        value: rows === 0 ? null : (known[name] ?? 0) / rows,
        note: name,
      })),
    },
    {
      kind: 'table',
      id: 'largest-perpetual-wallets',
      section: 'wallets',
      title: `The largest of ${counted(wallets, 'wallets')}: what they trade, pay and realise`,
      subtitle: `Fills of the ${lookback} before ${formatMoment(lastDate)}`,
      caption: 'Realised profit is the exchange’s own, before fees. A dash is unknown.',
      method: 'Features of perpetual wallets',
      columns: [
        { name: 'Wallet', align: 'left' },
        ...largestColumns.map(([, name, unit]) => ({
          name,
          align: 'right' as const,
          ...(unit === undefined ? {} : { unit }),
        })),
      ],
      rows: largest.map((row) => [row['wallet'] ?? null, ...largestColumns.map(([name]) => row[name] ?? null)]),
    },
  ];
}

/** Do most wallets realise more than they pay in fees? Nothing if it is known of none. */
export function netFinding(summary: PerpetualSummary, rng: Rng): Finding | undefined {
  const { netUsd } = summary;
  if (netUsd.length === 0) return undefined;
  const ahead = netUsd.filter((net) => net > 0).length;
  const share = shareWithInterval(ahead, netUsd.length, rng);
  const verdict = aboveHalf(share, netUsd.length);
  const total = netUsd.reduce((sum, net) => sum + net, 0);
  return {
    verdict,
    headline: { yes: 'Most are.', no: 'Most are not.', undecided: 'Not shown.' }[verdict],
    sentence: `${ahead.toLocaleString('en-US')} of ${counted(netUsd.length, 'wallets')} realised more than they paid in fees; together ${written(total)} USD after fees. What is still open is not in it.`,
    metric: 'share of wallets whose realised profit exceeds their fees',
    estimate: estimateOf(share),
    n: netUsd.length,
    baseline: { label: 'half', value: 0.5 },
    ...(verdict === 'undecided' ? { decides: 'More wallets: nothing is concluded from so few.' } : {}),
  };
}
