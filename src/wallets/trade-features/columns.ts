/** Columns of the table of fills: what was known when each was made, and what became of it. */
import type { ColumnSpec } from '../../tables/columns.ts';

const feature = (name: string, unit: string, description: string): ColumnSpec => ({
  name,
  role: 'feature',
  unit,
  description,
});

/** Features of a fill, in the order in which `describeFill` gives them. Known strictly before the fill, but for its own terms. */
export const tradeFeatures: readonly ColumnSpec[] = [
  feature('price', 'USD/share', 'Price of the fill'),
  feature('isBuy', 'indicator', '1 if it bought, 0 if it sold'),
  feature('isTaker', 'indicator', '1 if it took, 0 if it waited in the book; null if unknown'),
  feature('usd', 'USD', 'Size of the fill'),
  feature('sizeZ', 'sd', 'Size less the mean of the earlier fills of the wallet, by their sample standard deviation'),
  feature('walletFills', 'fills', 'Earlier fills of the wallet'),
  feature('walletDays', 'days', 'Time since the first fill of the wallet'),
  feature('walletSettledFills', 'fills', 'Earlier fills of the wallet whose outcome was public'),
  feature('walletEdge', 'USD/share', 'Profit of those by shares'),
  feature('marketVolumeUsd', 'USD', 'Earlier volume of the market, each match once'),
  feature('spread', 'USD/share', 'Last quoted spread of the token; without quotes, last taker purchase less last sale'),
  feature('hoursToEnd', 'hours', 'Time to the planned end of the event, where that was known'),
  feature('isPolitics', 'indicator', 'Category of the market'),
  feature('isSports', 'indicator', 'Category of the market'),
  feature('isCrypto', 'indicator', 'Category of the market'),
];

/** Labels of a fill, in the order in which they follow the features. */
export const tradeLabels: readonly ColumnSpec[] = [
  {
    name: 'netMove',
    role: 'label',
    unit: 'USD/share',
    description: 'Price of the same token at the horizon less the price paid, turned round for a sale, after costs',
  },
  { name: 'profitable', role: 'label', unit: 'indicator', description: '1 if netMove is above 0, else 0' },
];

/** All columns of the table in their order. */
export const tradeColumns: readonly ColumnSpec[] = [
  { name: 'trade', role: 'id', description: 'seq of the fill among the trades' },
  { name: 'time', role: 'time', description: 'Time of the fill, UTC' },
  { name: 'event', role: 'group', description: 'Event of the market: its markets resolve together' },
  { name: 'labelEnd', role: 'labelEnd', description: 'When the labels were known: the fill and the horizon' },
  ...tradeLabels,
  ...tradeFeatures,
  { name: 'wallet', role: 'info', description: 'Address of the wallet' },
  { name: 'market', role: 'info', description: 'Id of the market' },
  { name: 'seq', role: 'info', description: 'seq of the fill, as a number' },
];
