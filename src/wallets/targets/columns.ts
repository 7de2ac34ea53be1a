/** The targets: their families, definitions, units, and what each has to wait for. */
import type { NumberColumn } from '../rows.ts';

/** Groups of targets; the six after `outcomes` are the heads of the multi-task network. */
export const targetFamilies = [
  'outcomes',
  'style',
  'risk',
  'profitability',
  'bot',
  'influence',
  'sophistication',
] as const;
export type TargetFamily = (typeof targetFamilies)[number];

/**
 * When a target is known. `window`: when its window has passed. `settlement`: when the positions of the row are settled
 * too, or the time for it is up. `date`: when those of all rows of the date are, for ranks among them.
 */
export type KnownWhen = 'window' | 'settlement' | 'date';

export interface Target {
  readonly name: string;
  readonly family: TargetFamily;
  readonly unit: string;
  readonly description: string;
  readonly known: KnownWhen;
  readonly type: 'DOUBLE' | 'INTEGER';
  /** Grows with the length of the window: the look-back's value is scaled to the horizon before it predicts. */
  readonly extensive?: true;
  /** Ranked within the date; `measureWindow` gives the value that is ranked. */
  readonly rank?: true;
}

const target = (
  family: TargetFamily,
  known: KnownWhen,
  name: string,
  unit: string,
  description: string,
  more: Partial<Pick<Target, 'type' | 'extensive' | 'rank'>> = {},
): Target => ({ name, family, unit, description, known, type: 'DOUBLE', ...more });

const share = 'share of committed capital';

/** All targets, in the order of their columns; `windowValues` gives their values in this order. */
export const targets: readonly Target[] = [
  target(
    'outcomes',
    'settlement',
    'nextEdge',
    'USD/share',
    'Payout less all-in price, by shares, over settled positions',
  ),
  target('outcomes', 'settlement', 'nextProfitable', 'indicator', '1 if those positions made a profit, 0 if not'),
  target('outcomes', 'settlement', 'nextPnlUsd', 'USD', 'Profit of those positions after recorded fees', {
    extensive: true,
  }),
  target('outcomes', 'window', 'nextVolumeUsd', 'USD', 'Bought and sold', { extensive: true }),
  target('outcomes', 'window', 'nextTradeCount', 'fills', 'Fills', { type: 'INTEGER', extensive: true }),
  target('style', 'window', 'nextMomentum', '-1..1', 'Trades with the recent move of the price (+) or against it (-)'),
  target(
    'style',
    'window',
    'nextMeanReversion',
    '-1..1',
    'Buys below the recent mean and sells above it (+), or not (-)',
  ),
  target(
    'style',
    'window',
    'nextVolatilityTrading',
    '-1..1',
    'Trades when prices move more than usual (+) or less (-)',
  ),
  target(
    'style',
    'window',
    'nextMarketMaking',
    '0..1',
    'Two-sided and waiting: balance of sides x passive share by token',
  ),
  target('style', 'window', 'nextTrendFollowing', '-1..1', 'Trades with the longer trend (+) or against it (-)'),
  target(
    'style',
    'window',
    'nextContrarian',
    '0..1',
    'Trades against a move that the recent and the longer path share',
  ),
  target('risk', 'window', 'nextDrawdown', share, 'Largest fall of the daily equity from its highest point'),
  target(
    'risk',
    'window',
    'nextDailyVolatility',
    `${share} a day`,
    'Standard deviation of daily returns, idle days too',
  ),
  target('profitability', 'date', 'nextEdgeRank', 'quantile', 'Rank of nextEdge among the wallets of the date', {
    rank: true,
  }),
  target(
    'profitability',
    'window',
    'nextReturnRank',
    'quantile',
    'Rank of the return on committed capital, at the mark, among the wallets of the date',
    { rank: true },
  ),
  target('bot', 'window', 'nextBotScore', '0..1', 'Regularity of times, sizes, hours and reactions; heuristic'),
  target(
    'influence',
    'window',
    'nextPriceImpact',
    'USD/share',
    'Move of the price after its fills, signed, less drift',
  ),
  target('influence', 'window', 'nextFollowers', 'wallets', 'Others on the same side soon after a fill'),
  target('influence', 'window', 'nextExcessFollowers', 'wallets', 'Those less the ones equally long before it'),
  target(
    'sophistication',
    'settlement',
    'nextClosingLineValue',
    'USD/share',
    'Closing price less price paid, by shares, over settled positions',
  ),
  target('sophistication', 'window', 'nextMakerShare', 'share of USD', 'Maker fills among those of known role'),
  target('sophistication', 'window', 'nextBreadth', 'events', 'Effective number of events, by USD'),
  target(
    'sophistication',
    'date',
    'nextSophistication',
    'quantile',
    'Mean of the ranks of closing-line value, maker share and breadth within the date',
  ),
];

/** Name of the column with a target's baseline: the same quantity on the look-back. */
export const pastName = (name: string): string => name.replace(/^next/, 'past');

/** The columns after wallet and asOf. */
export function targetColumnsOf(families: readonly TargetFamily[], baselines: boolean): readonly NumberColumn[] {
  const chosen = targets.filter(({ family }) => families.includes(family));
  return [
    ...chosen.map(
      ({ name, unit, description, type }): NumberColumn => ({ name, role: 'label', unit, description, type }),
    ),
    {
      name: 'labelEnd',
      role: 'labelEnd',
      description: 'When all labels that the row has were known',
      type: 'TIMESTAMP',
    },
    ...(baselines ? baselineColumns(chosen) : []),
  ];
}

function baselineColumns(chosen: readonly Target[]): readonly NumberColumn[] {
  return [
    {
      name: 'windowEnd',
      role: 'info',
      description: 'End of the window, when labels that need no settlement were known',
      type: 'TIMESTAMP',
    },
    {
      name: 'settledAt',
      role: 'info',
      description: 'When the labels that need settlement were known, ranks aside',
      type: 'TIMESTAMP',
    },
    ...chosen.map(
      ({ name, unit }): NumberColumn => ({
        name: pastName(name),
        role: 'info',
        unit,
        description: `Baseline of ${name}: the same before the date, the mean of the date where it is undefined`,
        type: 'DOUBLE',
      }),
    ),
  ];
}
