/** For how long a wallet had held the shares that it parted with in a window. */
import { isBuy } from '../../facts/layout.ts';
import { DAY } from '../../tables/time.ts';
import { type Dates, datesAfter } from '../dates.ts';
import { atLeast, putFirst, type WalletView } from './wallet-view.ts';

export interface Holding {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /** Mean days, by shares, as of date number `date`; NaN without such shares. */
  daysAt(date: number): number;
}

/**
 * Sales are matched with earlier purchases of the token, first in, first out; what is left when the resolution of its
 * market becomes known is parted with then. Purchases from that moment on do not count. Shares sold without a known
 * purchase (minted, or bought before the data begin) are left out.
 */
export function makeHolding(dates: Dates): Holding {
  const shares = new Float64Array(dates.times.length);
  const shareDays = new Float64Array(dates.times.length);
  // By fill: what is left of a purchase, and the next purchase of its token. By token: the first and last that is left.
  let left = new Float64Array(0);
  let next = new Int32Array(0);
  let head = new Int32Array(0);
  let tail = new Int32Array(0);
  const part = (moment: number, amount: number, days: number): void => {
    const { first, last } = datesAfter(dates, moment);
    for (let q = first; q <= last; q++) {
      shares[q] = (shares[q] as number) + amount;
      shareDays[q] = (shareDays[q] as number) + days;
    }
  };
  return {
    load: (view) => {
      putFirst(shares, 0, shares.length);
      putFirst(shareDays, 0, shareDays.length);
      left = atLeast(left, view.count);
      next = atLeast(next, view.count);
      head = atLeast(head, view.tokens);
      tail = atLeast(tail, view.tokens);
      putFirst(head, -1, view.tokens);
      for (let i = 0; i < view.count; i++) {
        const token = view.token[i] as number;
        const time = view.time[i] as number;
        const resolved = view.knowableAt[view.market[i] as number] as number;
        if (token < 0 || time >= resolved) continue;
        if (isBuy(view.flags[i] as number) === 1) {
          left[i] = view.shares[i] as number;
          next[i] = -1;
          if (head[token] === -1) head[token] = i;
          else next[tail[token] as number] = i;
          tail[token] = i;
          continue;
        }
        let wanted = view.shares[i] as number;
        let amount = 0;
        let days = 0;
        let lot = head[token] as number;
        while (lot >= 0 && wanted > 0) {
          const taken = Math.min(wanted, left[lot] as number);
          left[lot] = (left[lot] as number) - taken;
          wanted -= taken;
          amount += taken;
          days += (taken * (time - (view.time[lot] as number))) / DAY;
          if (left[lot] === 0) lot = next[lot] as number;
        }
        head[token] = lot;
        if (amount > 0) part(time, amount, days);
      }
      for (let token = 0; token < view.tokens; token++) {
        const resolved = view.knowableAt[view.marketOfToken[token] as number] as number;
        if (resolved === Number.POSITIVE_INFINITY) continue;
        let amount = 0;
        let days = 0;
        for (let lot = head[token] as number; lot >= 0; lot = next[lot] as number) {
          amount += left[lot] as number;
          days += ((left[lot] as number) * (resolved - (view.time[lot] as number))) / DAY;
        }
        if (amount > 0) part(resolved, amount, days);
      }
    },
    daysAt: (date) =>
      (shares[date] as number) > 0 ? (shareDays[date] as number) / (shares[date] as number) : Number.NaN,
  };
}
