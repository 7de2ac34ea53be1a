/** The columns of a profile. */
import type { NumberColumn } from '../rows.ts';

function feature(name: string, unit: string, description: string): NumberColumn {
  return { name, role: 'feature', unit, description, type: 'DOUBLE' };
}

function count(name: string, unit: string, description: string): NumberColumn {
  return { ...feature(name, unit, description), type: 'INTEGER' };
}

/**
 * Columns after `wallet` and `asOf`. All describe the window [asOf - lookback, asOf) unless they say more; formulas and
 * sources are in docs/methods.md, "Profiles of wallets".
 */
export const profileColumns: readonly NumberColumn[] = [
  feature('tenureDays', 'days', 'Time since the first fill of the wallet ever seen'),
  count('tradeCount', 'fills', 'Fills in the window'),
  feature(
    'tradesPerDay',
    'fills/day',
    'Fills by the days observed: the window, or the tenure if shorter, at least one',
  ),
  feature('aggressionMeanUsd', 'USD', 'Mean size of a fill'),
  feature('aggressionMaxUsd', 'USD', 'Largest fill'),
  count('activeDays', 'days', 'UTC days with a fill'),
  count('marketCount', 'markets', 'Distinct markets'),
  count('eventCount', 'events', 'Distinct events'),
  feature('domainPoliticsShare', 'share', 'Fills in politics'),
  feature('domainSportsShare', 'share', 'Fills in sports'),
  feature('domainCryptoShare', 'share', 'Fills in crypto'),
  feature('domainOtherShare', 'share', 'Fills in other or unlisted markets'),
  feature('domainFocus', 'index', 'Sum of the squared domain shares; 1 is a single domain'),
  feature('diversification', 'index', '1 less the sum of squared shares of USD by event; 0 is a single event'),
  feature('netFlowUsd', 'USD', 'Sold less bought, before fees'),
  feature('investedUsd', 'USD', 'Bought, before fees'),
  feature('convictionMeanBuyUsd', 'USD', 'Mean size of a purchase; unknown without one'),
  feature(
    'timeToImpactHours',
    'hours',
    'Mean over markets of the time from their creation to the first fill in the window; unknown without such times',
  ),
  feature('buyShare', 'share', 'Fills that buy'),
  feature('meanPrice', 'USD/share', 'USD by shares over all fills'),
  feature('longshotShare', 'share', 'Purchases below 0.20 USD a share; unknown without a purchase'),
  feature('makerShare', 'share', 'Maker fills among those whose role is known'),
  feature('burstiness', 'ratio', 'Standard deviation of gaps between fills by their mean; unknown below three gaps'),
  feature('hourEntropy', 'share', 'Entropy of the UTC hours of fills by that of 24 equal hours'),
  feature('sizeVariation', 'ratio', 'Standard deviation of sizes by their mean; unknown below two fills'),
  feature(
    'holdingDays',
    'days',
    'How long shares had been held that were sold, or came to a known resolution, in the window; first in, first out',
  ),
  feature(
    'settledPnlUsd',
    'USD',
    'Profit after recorded fees of positions whose resolution was known; unknown without one',
  ),
  count('settledPositions', 'positions', 'Positions whose resolution was known'),
  count('winCount', 'positions', 'Settled positions with a profit'),
  feature('winRate', 'share', 'Settled positions with a profit'),
  feature('edge', 'USD/share', 'Payout less all-in price, by shares, over settled positions'),
  feature('edgeStandardError', 'USD/share', 'Standard error of the edge, clustered by event; unknown below two events'),
  feature('edgeEffectiveEvents', 'events', 'Number of equal events that would weigh as much: (sum w)^2 / sum w^2'),
  feature('edgeByPosition', 'USD/share', 'Mean over settled positions of their own edge: each counts alike'),
  feature('roi', 'ratio', 'Settled profit by the USD bought in settled positions'),
  feature('alpha', 'ratio', 'roi less that of all wallets together as of the same date'),
  feature('largestEventPnlShare', 'share', 'Absolute settled profit of the largest event among those of all events'),
  feature('pnlHerfindahl', 'index', 'Sum of squared shares of absolute settled profit by event; 1 is a single event'),
  feature(
    'closingLineValue',
    'USD/share',
    'Last price of the token before its market closed or resolved less the price paid, by shares; sales turned round',
  ),
  feature('topCounterpartyShare', 'share', 'USD with the largest counterparty among those with known ones'),
  feature('counterpartyHerfindahl', 'index', 'Sum of squared shares of USD by counterparty; 1 is a single one'),
  feature('reciprocalShare', 'share', 'USD with counterparties that it both bought from and sold to'),
  feature('roundTripShare', 'share', 'Shares of a token bought from and sold back to the same counterparty'),
  feature('selfTradeShare', 'share', 'USD with itself as the counterparty'),
  feature('fundingAgeDays', 'days', 'Time since the wallet was funded; unknown if not known by then'),
  {
    ...feature(
      'markedPnlUsd',
      'USD',
      'Profit with tokens still held at their last price before the date; never mixed with settled profit',
    ),
    role: 'info',
  },
  count('unsettledPositions', 'positions', 'Positions whose resolution was not known'),
];
