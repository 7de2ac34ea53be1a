/** What profiles answer in words: who makes the volume, and whether most wallets are ahead. */
import type { Estimate, Finding } from '../contract/metrics.ts';
import { quantile } from '../evaluation/bootstrap.ts';
import { counted, written } from '../evaluation/words.ts';
import type { Concentration, ShareEstimate } from './concentration.ts';
import type { MarkedSummary } from './summary.ts';

/** With fewer wallets an interval is shown, but nothing is concluded from it. */
const FEWEST_WALLETS = 10;

export function percent(share: number): string {
  const value = 100 * share;
  return `${value < 10 && value > 0 ? value.toPrecision(2) : Math.round(value)} %`;
}

export function estimateOf({ value, interval }: ShareEstimate): Estimate {
  const { low, high } = interval;
  return { value, low, high, ...('why' in interval ? { why: interval.why } : {}) };
}

function within({ interval: { low, high } }: ShareEstimate): string {
  return low === null || high === null ? '' : ` (95 % interval ${percent(low)} to ${percent(high)})`;
}

/** Whether a share is above a half: its interval decides, if there are enough wallets for one to say anything. */
export function aboveHalf({ interval: { low, high } }: ShareEstimate, wallets: number): 'yes' | 'no' | 'undecided' {
  if (wallets < FEWEST_WALLETS || low === null || high === null) return 'undecided';
  return low > 0.5 ? 'yes' : high < 0.5 ? 'no' : 'undecided';
}

/** Does a tenth of the wallets make more than half of the volume? */
export function concentrationFinding(found: Concentration): Finding {
  const { top1, top10, wallets } = found;
  const verdict = aboveHalf(top10, wallets);
  const headline = { yes: 'A few wallets.', no: 'Not a few alone.', undecided: 'Not shown.' }[verdict];
  return {
    verdict,
    headline,
    sentence: `The largest 10 % of ${counted(wallets, 'wallets')} made ${percent(top10.value)} of the ${written(found.volumeUsd)} USD traded${within(top10)}; the largest 1 %, ${counted(top1.wallets, 'wallets')}, made ${percent(top1.value)}${within(top1)}.`,
    metric: 'volume share of the largest 10 %',
    estimate: estimateOf(top10),
    n: wallets,
    baseline: { label: 'if all traded alike', value: top10.wallets / wallets },
    ...(verdict === 'undecided'
      ? { decides: 'More wallets: whether a tenth of them makes more than half is not settled by these.' }
      : {}),
  };
}

/**
 * Are most wallets ahead at the last price? At best probably: wallets in one market share its last price, so they are
 * fewer than they seem, and a price is not a payout.
 */
export function aheadFinding(marked: MarkedSummary, share: ShareEstimate): Finding {
  const wallets = marked.values.length;
  const even = wallets - marked.ahead - marked.behind;
  const above = aboveHalf(share, wallets);
  const verdict = above === 'yes' ? 'probably' : above;
  const headline = {
    probably: 'Most are probably ahead.',
    no: 'Most are not ahead.',
    undecided: 'Ahead or behind is open.',
  }[verdict];
  const rest = marked.unknown === 0 ? '' : `; of ${counted(marked.unknown, 'wallets')} it is not known`;
  return {
    verdict,
    headline,
    sentence: `At the last price ${counted(marked.ahead, 'wallets')} of ${written(wallets)} (${percent(share.value)}) are ahead, ${marked.behind.toLocaleString('en-US')} behind and ${even.toLocaleString('en-US')} even: by ${written(quantile(marked.values, 0.5))} USD in the median and ${written(marked.totalUsd)} USD together, none of it settled${rest}.`,
    metric: 'share of wallets ahead at the last price',
    estimate: estimateOf(share),
    n: wallets,
    baseline: { label: 'half', value: 0.5 },
    decides:
      'Resolutions would: a price is not a payout. The interval draws wallets, but wallets in one market share its last price, so it is too short. A sale of tokens bought before the data begin counts as owed.',
  };
}
