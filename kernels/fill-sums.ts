/** Exact sums of fills that stand in order of time: by hour, by token and by wallet. */
import { Fills } from './plain-fills';
import { allocate } from './memory';

const HOUR: i64 = 3_600_000_000;

// @ts-ignore: decorator
@unmanaged
export class FillSums {
  /** Hours in which there are fills. */
  hours: i32;
  /** USD and tokens of all fills, 1e-6; not exact. No sum of the others is further from 0. */
  gross: f64;
  /** By hour: its number since 1970, fills, and USD of all fills and of those of takers, 1e-6 (i64). */
  hour: usize;
  fills: usize;
  usd: usize;
  takerUsd: usize;
  /** By place of a token: what sold less what bought, USD, and tokens bought less those sold, 1e-6 (i64); last price (f64). */
  cash: usize;
  net: usize;
  price: usize;
  /** By number of a wallet: its fills (i32). */
  fillsOfWallet: usize;
}

/** Room for the sums of `capacity` fills. */
export function makeSums(capacity: i32): FillSums {
  const sums = changetype<FillSums>(allocate(offsetof<FillSums>()));
  sums.hour = allocate(<usize>capacity << 3);
  sums.fills = allocate(<usize>capacity << 3);
  sums.usd = allocate(<usize>capacity << 3);
  sums.takerUsd = allocate(<usize>capacity << 3);
  sums.cash = allocate(<usize>capacity << 3);
  sums.net = allocate(<usize>capacity << 3);
  sums.price = allocate(<usize>capacity << 3);
  sums.fillsOfWallet = allocate(<usize>capacity << 2);
  return sums;
}

/**
 * Sums the fills that were read last.
 *
 * @param tokens by fill: the place of its token among `tokenCount` of them (i32)
 */
export function sumFills(sums: FillSums, fills: Fills, tokens: usize, tokenCount: i32): void {
  memory.fill(sums.cash, 0, <usize>tokenCount << 3);
  memory.fill(sums.net, 0, <usize>tokenCount << 3);
  memory.fill(sums.fillsOfWallet, 0, <usize>fills.wallets.count << 2);
  sums.hours = 0;
  sums.gross = 0;
  let end: i64 = i64.MIN_VALUE;
  let at: usize = 0;
  for (let row: usize = 0; row < <usize>fills.rows; row++) {
    const time = load<i64>(fills.time + (row << 3));
    const usd = load<i64>(fills.usd + (row << 3));
    const shares = load<i64>(fills.shares + (row << 3));
    if (time >= end) {
      const hour = time / HOUR;
      end = (hour + 1) * HOUR;
      at = <usize>sums.hours << 3;
      sums.hours++;
      store<i64>(sums.hour + at, hour);
      store<i64>(sums.fills + at, 0);
      store<i64>(sums.usd + at, 0);
      store<i64>(sums.takerUsd + at, 0);
    }
    sums.gross += <f64>usd + <f64>shares;
    const taker = <i64>load<u8>(fills.maker + row) - 1;
    add(sums.fills + at, 1);
    add(sums.usd + at, usd);
    add(sums.takerUsd + at, usd & taker);

    const token = <usize>load<u32>(tokens + (row << 2)) << 3;
    const sign = <i64>load<u8>(fills.sold + row) * 2 - 1;
    add(sums.cash + token, sign * usd);
    add(sums.net + token, -sign * shares);
    store<f64>(sums.price + token, load<f64>(fills.price + (row << 3)));
    const wallet = sums.fillsOfWallet + (<usize>load<u32>(fills.wallet + (row << 2)) << 2);
    store<i32>(wallet, load<i32>(wallet) + 1);
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, value: i64): void {
  store<i64>(at, load<i64>(at) + value);
}
