/**
 * Fills as the exchange contracts log them. An OrderFilled event is the fill of one order, seen by its maker: what it
 * gave (`makerAssetId`, `making`) and what it took. Asset "0" is collateral, so who gives it buys. The order that took
 * liquidity has an event of its own, whose `taker` is an exchange contract: that row is the taker's fill, all others
 * are makers'. So every fill has one row, volume counted once is that of the takers' rows, and an exchange contract is
 * never a wallet.
 */
import { quote } from '../../tables/duck.ts';
import { type Check, fromMillionths, notAddress } from './checks.ts';
import { exchangeContracts } from './poly-data.ts';

export const exchanges = `(${exchangeContracts.map(quote).join(', ')})`;

/** Names of the columns that `chainFields` reads, in the file at hand. */
export interface ChainColumns {
  readonly makerAsset: string;
  readonly making: string;
  readonly takerAsset: string;
  readonly taking: string;
}

/** Whole millionths on the chain, up to a billion dollars; the contracts' numbers are unsigned. */
const units = (column: string): string =>
  `CASE WHEN regexp_full_match(${column}, '[0-9]{1,15}') THEN ${column}::BIGINT END`;

const badUnits = (column: string): Check[] => [
  { reason: `${column}: negative`, when: `coalesce(starts_with(${column}, '-'), false)` },
  { reason: `${column}: not whole millionths`, when: `(${units(column)}) IS NULL` },
];

/** A quotient of whole numbers, rounded half to even. */
export function quotientHalfEven(numerator: string, denominator: string): string {
  const [n, d] = [`(${numerator})::HUGEINT`, `(${denominator})::HUGEINT`];
  return `(${n} // ${d} + CASE WHEN 2 * (${n} % ${d}) > ${d} OR (2 * (${n} % ${d}) = ${d} AND (${n} // ${d}) % 2 = 1)
    THEN 1 ELSE 0 END)::BIGINT`;
}

/** SQL of the parts of a fill. They are null or wrong where `chainChecks` has a reason. */
export function chainFields({ makerAsset, making, takerAsset, taking }: ChainColumns): {
  readonly side: string;
  readonly token: string;
  readonly usdUnits: string;
  readonly sharesUnits: string;
  readonly usd: string;
  readonly shares: string;
} {
  const buys = `(${makerAsset} = '0')`;
  const usdUnits = `CASE WHEN ${buys} THEN ${units(making)} ELSE ${units(taking)} END`;
  const sharesUnits = `CASE WHEN ${buys} THEN ${units(taking)} ELSE ${units(making)} END`;
  return {
    side: `CASE WHEN ${buys} THEN 'BUY' ELSE 'SELL' END`,
    token: `CASE WHEN ${buys} THEN ${takerAsset} ELSE ${makerAsset} END`,
    usdUnits,
    sharesUnits,
    usd: fromMillionths(usdUnits),
    shares: fromMillionths(sharesUnits),
  };
}

/** Reasons to refuse a fill, apart from its time. */
export function chainChecks(columns: ChainColumns): Check[] {
  const { makerAsset, making, takerAsset, taking } = columns;
  const { usdUnits, sharesUnits } = chainFields(columns);
  const token = (column: string): string => `regexp_full_match(${column}, '[1-9][0-9]{0,77}')`;
  return [
    ...badUnits(making),
    ...badUnits(taking),
    {
      reason: `${makerAsset}, ${takerAsset}: not one of them collateral, the other a token`,
      when: `NOT coalesce((${makerAsset} = '0' AND ${token(takerAsset)}) OR (${takerAsset} = '0' AND ${token(makerAsset)}), false)`,
    },
    { reason: 'tokens: none', when: `coalesce((${sharesUnits}) = 0, false)` },
    { reason: 'price: outside [0, 1]', when: `coalesce((${usdUnits}) > (${sharesUnits}), false)` },
    notAddress('maker'),
    { reason: 'maker: an exchange contract', when: `lower(maker) IN ${exchanges}` },
  ];
}

export const takerChecks: readonly Check[] = [notAddress('taker')];

/** SQL of the wallet, its role and who stood on the other side. */
export const partyFields = `lower(maker) AS wallet,
  CASE WHEN lower(taker) IN ${exchanges} THEN 'taker' ELSE 'maker' END AS role,
  CASE WHEN lower(taker) NOT IN ${exchanges} THEN lower(taker) END AS counterparty`;

/**
 * SQL of a fee in dollars. Of the older contracts the fee is a part of what the order took: tokens of a purchase, here
 * at the price of the fill; of the newer ones it is collateral.
 */
export function feeUsd(fee: string, received: string, columns: ChainColumns): string {
  const { usdUnits, sharesUnits } = chainFields(columns);
  const tokens = `${received} AND ${columns.makerAsset} = '0'`;
  return fromMillionths(
    `CASE WHEN ${tokens} THEN ${quotientHalfEven(`${units(fee)}::HUGEINT * (${usdUnits})`, `nullif(${sharesUnits}, 0)`)} ELSE ${units(fee)} END`,
  );
}

export const badFee = (fee: string): Check => ({
  reason: `${fee}: not whole millionths`,
  when: `${fee} IS NOT NULL AND (${units(fee)}) IS NULL`,
});
