/** Runs the pass of a settlement over plain rows, without files. Amounts in whole 1e-6, times in microseconds. */
import { eventKinds, type FlowColumns, type Knowledge } from '../../../src/markets/settlement/knowledge.ts';
import { historyColumns, historyKinds, ledgerColumns, statuses } from '../../../src/markets/settlement/ledger.ts';
import { type FactsRead, factsRead, Pass } from '../../../src/markets/settlement/pass.ts';
import type { FeeRules } from '../../../src/markets/settlement/pricing.ts';
import { type Totals, totalsMemory } from '../../../src/markets/settlement/totals.ts';
import type { RowSink } from '../../../src/tables/made-rows.ts';

export interface PlainFill {
  readonly wallet: number;
  readonly market: number;
  readonly outcome: 0 | 1;
  readonly time: number;
  readonly buy: boolean;
  readonly usd: number;
  readonly shares: number;
}

export interface PlainFlow {
  readonly wallet: number;
  readonly market: number;
  readonly time: number;
  readonly kind: (typeof eventKinds)[number];
  readonly cash: number;
  readonly shares0: number | null;
  readonly shares1: number | null;
  readonly price0?: number;
  readonly price1?: number;
  readonly group?: number;
}

/** Twice the payout of outcome 0, and when it was knowable; undefined: open. */
export type PlainMarket = { readonly half0: 0 | 1 | 2; readonly knowableAt: number } | undefined;

export type PlainRow = Readonly<Record<string, number | string | null>>;

/** Two tokens a market: 2 m of outcome 0 and 2 m + 1 of outcome 1. */
export function knowledgeOf(markets: readonly PlainMarket[]): Knowledge {
  const count = markets.length;
  const doubles = (value: (market: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, m) => value(m));
  const tokens = Array.from({ length: 3 * count }, (_, token) => token);
  const marketOf = (token: number): number => (token < 2 * count ? Math.floor(token / 2) : token - 2 * count);
  const half0 = doubles((m) => markets[m]?.half0 ?? Number.NaN);
  const half1 = doubles((m) => 2 - (markets[m]?.half0 ?? Number.NaN));
  const knowableAt = doubles((m) => markets[m]?.knowableAt ?? Number.NaN);
  const none = new Float64Array(tokens.length).fill(Number.NaN);
  return {
    half0,
    half1,
    finalAt: knowableAt,
    knowableAt,
    category: new Uint8Array(count),
    token0: Int32Array.from({ length: count }, (_, m) => 2 * m),
    token1: Int32Array.from({ length: count }, (_, m) => 2 * m + 1),
    named: 2 * count,
    market: Int32Array.from(tokens, marketOf),
    outcome: Int8Array.from(tokens, (token) => (token < 2 * count ? token % 2 : -1)),
    standsFor: Int32Array.from(tokens),
    payout: Float64Array.from(tokens, (token) =>
      token >= 2 * count ? Number.NaN : ((token % 2 === 0 ? half0 : half1)[marketOf(token)] as number),
    ),
    lastUsd: none,
    lastShares: none,
    lastAt: none,
    termsOf: new Int32Array(count + 1),
    termsFrom: new Float64Array(0),
    termsRate: new Float64Array(0),
    termsExponent: new Float64Array(0),
    termsTakerOnly: new Uint8Array(0),
    termsRebate: new Float64Array(0),
  };
}

export const noFees: FeeRules = {
  mode: 'none',
  rates: [],
  from: 0,
  rebate: 0,
  scheduled: false,
  winningRate: 20_000,
  winningBase: 'profit',
};

/** Keeps rows as they are put. */
function memoryTable(names: readonly string[], words: Readonly<Record<string, readonly string[]>>) {
  const rows: PlainRow[] = [];
  let row: Record<string, number | string | null> = {};
  const table: RowSink = {
    put: (column, value) => {
      const name = names[column] as string;
      row[name] = Number.isNaN(value) ? null : (words[name]?.[value] ?? value + 0);
    },
    next: () => {
      rows.push(row);
      row = {};
    },
  };
  return { rows, table };
}

/** Settles fills (by time) and flows (by time) of any wallets; amounts of the rows in 1e-6 or, where halves, halves of it. */
export function passOver(
  markets: readonly PlainMarket[],
  fills: readonly PlainFill[],
  flows: readonly PlainFlow[] = [],
  options: { fees?: FeeRules; asOf?: number } = {},
): { ledger: readonly PlainRow[]; history: readonly PlainRow[]; totals: Totals } {
  const byWallet = fills.toSorted((a, b) => a.wallet - b.wallet);
  const columns: Record<string, number[]> = {
    wallet: byWallet.map(({ wallet }) => wallet),
    market: byWallet.map(({ market }) => market),
    token: byWallet.map(({ market, outcome }) => 2 * market + outcome),
    time: byWallet.map(({ time }) => time),
    usd: byWallet.map(({ usd }) => usd),
    shares: byWallet.map(({ shares }) => shares),
    fee: byWallet.map(() => 0),
    flags: byWallet.map(({ buy, outcome }) => (buy ? 1 : 0) + 2 * outcome),
  };
  const facts = { rows: fills.length, ...Object.fromEntries(factsRead.map((name) => [name, columns[name]])) };
  const rank = ({ kind }: PlainFlow): number => eventKinds.indexOf(kind);
  const sorted = flows.toSorted((a, b) => a.wallet - b.wallet || a.time - b.time || rank(a) - rank(b));
  const flow = (value: (flow: PlainFlow) => number | null | undefined): Float64Array =>
    Float64Array.from(sorted, (one) => value(one) ?? Number.NaN);
  const flowColumns: FlowColumns = {
    count: sorted.length,
    wallet: flow(({ wallet }) => wallet),
    kind: flow(rank),
    time: flow(({ time }) => time),
    market: flow(({ market }) => market),
    cash: flow(({ cash }) => cash),
    shares0: flow(({ shares0 }) => shares0),
    shares1: flow(({ shares1 }) => shares1),
    price0: flow(({ price0 }) => price0),
    price1: flow(({ price1 }) => price1),
    group: flow(({ group }) => group ?? 0),
  };
  const pass = new Pass(
    knowledgeOf(markets),
    { asOf: options.asOf ?? Number.POSITIVE_INFINITY, fees: options.fees ?? noFees },
    totalsMemory(markets.length),
  );
  const ledger = memoryTable(
    ledgerColumns.map(({ name }) => name),
    { status: statuses },
  );
  const history = memoryTable(
    historyColumns.map(({ name }) => name),
    { kind: historyKinds },
  );
  Array.from(pass.run(facts as unknown as FactsRead, flowColumns, ledger.table, history.table));
  return { ledger: ledger.rows, history: history.rows, totals: pass.totals };
}
