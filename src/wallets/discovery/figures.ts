/** Figures of the tests: p-values as luck would have them and as they are, and the wallets found. */
import type { Figure, ForestFigure, HistogramFigure, LineFigure, TableFigure } from '../../contract/figure.ts';
import { counted, written } from '../../evaluation/words.ts';
import { log } from '../../numeric/elementary.ts';
import type { Discovery, TestedWallet } from './discover.ts';
import { ranked, short } from './findings.ts';

const METHOD = 'Discovery of skill';
const BINS = 20;
const SHOWN = 12;
/** Points of the smallest p-values that are all drawn; of the rest every so many. */
const DRAWN = 200;

/** How figures name a wallet. */
export type NameOf = (wallet: number) => string;

export interface Drawn {
  readonly rate: number;
  readonly minEvents: number;
  /** Section of the forest of edges. */
  readonly answer: boolean;
  readonly skilled: ReadonlySet<number> | undefined;
}

export function discoveryFigures(found: Discovery, drawn: Drawn, nameOf: NameOf): readonly Figure[] {
  if (found.wallets.length === 0) return [];
  return [
    bestEdges(found, drawn, nameOf),
    pValues(found, drawn),
    againstLuck(found, drawn),
    bestWallets(found, drawn, nameOf),
  ];
}

/** The wallets found, or the nearest to it, best first. */
function shown({ wallets }: Discovery, most: number): { readonly rows: TestedWallet[]; readonly found: number } {
  const found = wallets.filter((wallet) => wallet.found);
  const rows = ranked(found.length > 0 ? found : wallets).slice(0, most);
  return { rows, found: found.length };
}

function bestEdges(discovery: Discovery, { rate, answer }: Drawn, nameOf: NameOf): ForestFigure {
  const { rows, found } = shown(discovery, SHOWN);
  return {
    kind: 'forest',
    id: 'edges-of-best-wallets',
    section: answer ? 'answer' : 'wallets',
    title:
      found === 0
        ? 'No wallet is shown to beat its prices; the nearest ones'
        : `What the ${found > rows.length ? `${rows.length} best of ${counted(found, 'wallets')}` : counted(found, 'wallets')} found earn beyond their prices`,
    subtitle: `Edge less its share of luck, USD a share, 95 % interval; n is events; false discovery rate ${short(100 * rate)} %`,
    caption: `The mean of outcome less price is pulled towards zero by its noise, as the edges of all ${counted(discovery.wallets.length, 'wallets')} tested vary with a standard deviation of ${written(Math.sqrt(discovery.tau2))}.`,
    method: METHOD,
    unit: 'USD/share',
    zero: 0,
    rows: rows.map((wallet) => ({
      label: nameOf(wallet.wallet),
      role: wallet.found ? ('this' as const) : ('other' as const),
      n: wallet.bets,
      value: wallet.shrunkEdge,
      low: wallet.shrunkEdge - 1.96 * wallet.shrunkStandardError,
      high: wallet.shrunkEdge + 1.96 * wallet.shrunkStandardError,
    })),
  };
}

function pValues({ wallets }: Discovery, { minEvents, skilled }: Drawn): HistogramFigure {
  const bins = (list: readonly TestedWallet[]): number[] => {
    const counts = new Array<number>(BINS).fill(0);
    for (const { p } of list) {
      const bin = Math.min(BINS - 1, Math.floor(p * BINS));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  const small = wallets.filter(({ p }) => p < 1 / BINS).length;
  const expected = wallets.length / BINS;
  return {
    kind: 'histogram',
    id: 'p-values',
    section: 'wallets',
    title: `${counted(small, 'wallets')} with a p below ${1 / BINS}; luck alone would give about ${short(expected)}`,
    subtitle: `One-sided p-values; n = ${counted(wallets.length, 'wallets')} with bets on ${minEvents} settled events or more`,
    caption: `Without skill and without costs the bars would be about equally high, ${short(expected)} each; costs move them to the right.`,
    method: METHOD,
    x: { label: 'p', scale: 'linear', min: 0, max: 1 },
    edges: Array.from({ length: BINS + 1 }, (_, k) => k / BINS),
    groups:
      skilled === undefined || skilled.size === 0
        ? [{ label: 'Wallets', role: 'this', counts: bins(wallets) }]
        : [
            { label: 'Skilled', role: 'this', counts: bins(wallets.filter(({ wallet }) => skilled.has(wallet))) },
            { label: 'Not skilled', role: 'other', counts: bins(wallets.filter(({ wallet }) => !skilled.has(wallet))) },
          ],
  };
}

function againstLuck({ wallets }: Discovery, { rate, skilled }: Drawn): LineFigure {
  const order = ranked(wallets);
  const every = Math.max(1, Math.ceil((order.length - DRAWN) / (2 * DRAWN)));
  const points = order
    .map((wallet, i) => ({
      wallet,
      i,
      x: minusLog10((i + 0.5) / order.length),
      y: minusLog10(Math.max(1e-300, wallet.p)),
    }))
    .filter(({ i }) => i < DRAWN || i % every === 0);
  const best = points[0];
  const of = (kept: readonly (typeof points)[number][]) => ({
    x: kept.map(({ x }) => x),
    y: kept.map(({ y }) => y),
    dots: true,
  });
  const is = ({ wallet }: (typeof points)[number]): boolean => wallet.found;
  const planted = ({ wallet }: (typeof points)[number]): boolean => skilled?.has(wallet.wallet) === true;
  const series = [
    { label: 'Found', role: 'this' as const, ...of(points.filter(is)) },
    ...(skilled === undefined || skilled.size === 0
      ? [{ label: 'Not found', role: 'other' as const, ...of(points.filter((point) => !is(point))) }]
      : [
          { label: 'Skilled, not found', role: 'cost' as const, ...of(points.filter((p) => !is(p) && planted(p))) },
          {
            label: 'Not skilled, not found',
            role: 'other' as const,
            ...of(points.filter((p) => !is(p) && !planted(p))),
          },
        ]),
  ].filter(({ x }) => x.length > 0);
  return {
    kind: 'line',
    id: 'p-values-against-luck',
    section: 'wallets',
    title:
      best !== undefined && best.y > best.x + 1
        ? 'The smallest p-values are smaller than luck makes them'
        : 'The smallest p-values are about what luck makes them',
    subtitle: `Sorted p-values, −log₁₀, against those of as many wallets without skill; n = ${counted(wallets.length, 'wallets')}`,
    caption: `On the diagonal there is luck alone. Found is what passes at a false discovery rate of ${short(100 * rate)} %.`,
    method: METHOD,
    x: { label: 'Expected, −log₁₀ p', scale: 'linear', min: 0 },
    y: { label: 'Observed, −log₁₀ p', scale: 'linear', min: 0 },
    reference: 'diagonal',
    series,
  };
}

function bestWallets(discovery: Discovery, { minEvents, rate, skilled }: Drawn, nameOf: NameOf): TableFigure {
  const { rows, found } = shown(discovery, 25);
  return {
    kind: 'table',
    id: 'best-wallets',
    section: 'wallets',
    title:
      found === 0
        ? 'No wallet found; the smallest p-values'
        : `${counted(found, 'wallets')} found${found > rows.length ? `, the ${rows.length} best` : ''}`,
    subtitle: `Wallets with bets on ${minEvents} settled events or more, by p; ${counted(discovery.wallets.length, 'wallets')} tested at a false discovery rate of ${short(100 * rate)} %`,
    caption:
      'Edge is the mean of outcome less all-in price, one bet an event; adjusted p is for all wallets tested. A dash is unknown.',
    method: METHOD,
    columns: [
      { name: 'Wallet', align: 'left' },
      { name: 'Events', align: 'right' },
      { name: 'Won', unit: 'share', align: 'right' },
      { name: 'Mean price', unit: 'USD/share', align: 'right' },
      { name: 'Edge', unit: 'USD/share', align: 'right' },
      { name: 'z', align: 'right' },
      { name: 'p', align: 'right' },
      { name: 'Adjusted p', align: 'right' },
      { name: 'Shrunk edge', unit: 'USD/share', align: 'right' },
      { name: 'Sharpe of a bet', align: 'right' },
      { name: 'Profit', unit: 'USD', align: 'right' },
      { name: 'Best event', unit: 'share of gains', align: 'right' },
      ...(skilled === undefined ? [] : [{ name: 'Skilled', align: 'left' as const }]),
    ],
    rows: rows.map((wallet) => [
      nameOf(wallet.wallet),
      wallet.bets,
      wallet.winRate,
      wallet.meanPrice,
      wallet.edge,
      known(wallet.z),
      wallet.p,
      wallet.q,
      wallet.shrunkEdge,
      known(wallet.sharpePerBet),
      wallet.pnlUsd,
      known(wallet.largestEventShare),
      ...(skilled === undefined ? [] : [skilled.has(wallet.wallet) ? 'yes' : 'no']),
    ]),
  };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function minusLog10(p: number): number {
  return -log(p) / Math.LN10;
}
