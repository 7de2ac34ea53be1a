/** What the tests answer in words. */
import type { Finding } from '../../contract/metrics.ts';
import { expectedBestOf } from '../../evaluation/multiple.ts';
import { counted, interval, signed, written } from '../../evaluation/words.ts';
import { betsNeeded } from '../../numeric/binary-bet.ts';
import { normalQuantile } from '../../random/rng.ts';
import type { Discovery, DiscoveryOptions, TestedWallet } from './discover.ts';
import type { Against } from './truth.ts';

/** The edge for which it is said how many events would show it: the mean edge that worlds plant unless told. */
const EDGE_OF_INTEREST = 0.03;
const POWER = 0.8;

type Asked = Pick<DiscoveryOptions, 'falseDiscoveryRate' | 'minEvents'>;

/** By p, smallest first; ties by number. */
export function ranked(wallets: readonly TestedWallet[]): TestedWallet[] {
  return wallets.toSorted((a, b) => a.p - b.p || a.wallet - b.wallet);
}

/** At most three digits, without zeros at the end. */
export const short = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');
const percent = (share: number): string => `${short(100 * share)} %`;

/** Does any wallet beat the prices it pays? */
export function discoveryFinding({ wallets, untested }: Discovery, asked: Asked): Finding {
  const { falseDiscoveryRate: rate, minEvents } = asked;
  const found = ranked(wallets.filter((wallet) => wallet.found));
  const screened = wallets.filter((wallet) => wallet.significant && !wallet.found).length;
  const rested = screened === 0 ? '' : ` ${counted(screened, 'others')} would pass, but their gains rest on one event.`;
  const tested = `${counted(wallets.length, 'wallets')} with bets on ${minEvents} settled events or more`;
  const common = { metric: 'wallets found', unit: 'wallets', n: wallets.length, estimate: { value: found.length } };
  const [best] = found;
  if (best !== undefined) {
    const most = found.reduce((a, b) => (b.shrunkEdge > a.shrunkEdge ? b : a), best);
    const half = 1.96 * most.shrunkStandardError;
    return {
      ...common,
      verdict: 'yes',
      headline: 'Some do.',
      sentence: `${found.length.toLocaleString('en-US')} of ${tested} won more than their prices say; at a false discovery rate of ${percent(rate)} about ${short(rate * found.length)} of them ${rate * found.length === 1 ? 'is' : 'are'} luck. The largest edge, less its share of luck, is ${signed(most.shrunkEdge)} USD a share (95 % interval ${interval(most.shrunkEdge - half, most.shrunkEdge + half)}).${rested}`,
      baseline: { label: 'of them expected luck', value: rate * found.length },
    };
  }
  if (wallets.length === 0)
    return {
      ...common,
      verdict: 'undecided',
      headline: 'Nobody to test.',
      sentence: `None of ${counted(untested, 'wallets')} has bets on ${minEvents} settled events.`,
      decides: 'More resolved events, or a smaller minEvents.',
    };
  const first = ranked(wallets)[0] as TestedWallet;
  const price = median(wallets.map(({ meanPrice }) => meanPrice));
  const needed = betsNeeded(price, EDGE_OF_INTEREST, normalQuantile(1 - rate / wallets.length), normalQuantile(POWER));
  return {
    ...common,
    verdict: 'undecided',
    headline: 'None shown.',
    sentence: `None of ${tested} won more than their prices say at a false discovery rate of ${percent(rate)}. The smallest adjusted p is ${written(first.q)}, at ${written(first.z)} standard errors; the best of so many without skill is expected at ${written(expectedBestOf(wallets.length))}.${rested}`,
    ...(Number.isNaN(needed)
      ? {}
      : {
          decides: `An edge of ${EDGE_OF_INTEREST} USD a share at a price of ${written(price)} takes about ${written(needed)} events of one wallet to stand out among so many; the median wallet tested has ${written(median(wallets.map(({ bets }) => bets)))}.`,
        }),
  };
}

/** Are the wallets found the planted ones, and as many of them as can be? */
export function truthFinding(against: Against, rate: number): Finding {
  const { precision, recall, predicted, found, right, skilled } = against;
  const common = { metric: 'precision', n: found, baseline: { label: 'promised', value: 1 - rate } };
  const recalled = `${percent(recall.value)} of ${counted(skilled, 'skilled wallets')} tested were found`;
  const promise =
    predicted === undefined
      ? ''
      : `; the planted edges let ${percent(predicted.power)} be found (95 % range ${percent(predicted.low)} to ${percent(predicted.high)})`;
  if (found === 0)
    return {
      ...common,
      verdict: 'undecided',
      headline: 'Nothing to compare.',
      sentence:
        skilled === 0
          ? 'Nothing was found, and no wallet tested has skill.'
          : `Nothing was found: ${recalled}${promise}.`,
      estimate: { value: null, why: 'no wallet was found' },
    };
  const holds = precision.high >= 1 - rate;
  const asPredicted = predicted === undefined || (recall.value >= predicted.low && recall.value <= predicted.high);
  return {
    ...common,
    verdict: holds && asPredicted ? 'yes' : 'no',
    headline: holds ? (asPredicted ? 'The right ones.' : 'Not as many as predicted.') : 'Too many false ones.',
    sentence: `${right.toLocaleString('en-US')} of ${counted(found, 'wallets')} found with skill: ${percent(precision.value)} (95 % interval ${percent(precision.low)} to ${percent(precision.high)}), where ${percent(1 - rate)} is promised on average${skilled === 0 ? '' : `. ${recalled}${promise}`}.`,
    estimate: { value: precision.value, low: precision.low, high: precision.high },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
