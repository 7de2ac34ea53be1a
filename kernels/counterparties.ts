/** With whom a wallet trades in a window: how few they are, and whether they trade back. Formulas: docs/methods.md, "Profiles of wallets". */
import { allocate } from './memory';
import { byte, float, int, setFloat, setInt, WalletFills } from './wallet-fills';

/** Shares of one, of the fills whose counterparty is known; NaN without one. In the order of the columns of a profile. */
// @ts-ignore: decorator
@unmanaged
class Shares {
  /** USD with the largest counterparty. */
  top: f64;
  /** Sum of the squared shares of USD by counterparty. */
  herfindahl: f64;
  /** USD with counterparties that were both bought from and sold to. */
  reciprocal: f64;
  /** Shares of a token that were bought from and sold to the same counterparty, both ways counted. */
  roundTrip: f64;
  /** USD with itself. */
  self: f64;
}

/** Ways of a fill: bought from, sold to. */
const BOUGHT = 1;
const SOLD = 2;
const BOTH = 3;

// @ts-ignore: decorator
@unmanaged
class Counterparties {
  result: Shares;
  fills: WalletFills;
  /** By slot of the counterparty: USD (f64) and ways (i32) in the window, all 0 between two; fills ever (i32). */
  usd: usize;
  ways: usize;
  fillsWith: usize;
  /** Slots that occur in the window (i32). */
  used: usize;
  /** Pairs of counterparty and token that are traded more than once; by fill its pair (i32), or -1 if it is not traded both ways. */
  pairs: i32;
  pairOf: usize;
  /** By pair: its key (i64), ways ever (i32), and shares bought and sold in the window (f64), all 0 between two. */
  keys: usize;
  pairWays: usize;
  bought: usize;
  sold: usize;
  /** A table of pairs + 1 (i32) by their keys, a power of two of entries of which the first `mask + 1` are used. */
  table: usize;
  mask: u32;
}

export function makeCounterparties(fills: WalletFills): Counterparties {
  const all = changetype<Counterparties>(allocate(offsetof<Counterparties>()));
  all.fills = fills;
  all.result = changetype<Shares>(allocate(offsetof<Shares>()));
  return all;
}

/** Gives where `Shares` is. */
export function counterpartiesResult(all: Counterparties): usize {
  return changetype<usize>(all.result);
}

/** Makes room for wallets of so many fills. */
export function reserveCounterparties(all: Counterparties, room: i32): void {
  const ints = <usize>room << 2;
  const floats = <usize>room << 3;
  all.usd = allocate(floats);
  all.ways = allocate(ints);
  all.fillsWith = allocate(ints);
  all.used = allocate(ints);
  all.pairOf = allocate(ints);
  all.keys = allocate(floats);
  all.pairWays = allocate(ints);
  all.bought = allocate(floats);
  all.sold = allocate(floats);
  all.table = allocate((<usize>maskFor(room) + 1) << 2);
}

/** Of a table of which at least half stays empty. */
function maskFor(pairs: i32): u32 {
  let size: u32 = 16;
  while (size < 2 * <u32>pairs) size <<= 1;
  return size - 1;
}

/** Takes the fills of the next wallet. */
export function loadCounterparties(all: Counterparties): void {
  const fills = all.fills;
  all.pairs = 0;
  for (let k = 0; k < fills.counterparties; k++) setInt(all.fillsWith, k, 0);
  let several = 0;
  for (let i = 0; i < fills.count; i++) {
    setInt(all.pairOf, i, -1);
    const other = int(fills.counterparty, i);
    if (other < 0) continue;
    const before = int(all.fillsWith, other);
    setInt(all.fillsWith, other, before + 1);
    // A single fill goes one way.
    if (before > 0) several += before == 1 ? 2 : 1;
  }
  if (several == 0) return;
  all.mask = maskFor(several);
  memory.fill(all.table, 0, (<usize>all.mask + 1) << 2);
  for (let i = 0; i < fills.count; i++) {
    const other = int(fills.counterparty, i);
    const token = int(fills.token, i);
    if (other < 0 || token < 0 || int(all.fillsWith, other) == 1) continue;
    const pair = pairWith(all, <i64>other * <i64>fills.tokens + <i64>token);
    setInt(all.pairOf, i, pair);
    setInt(all.pairWays, pair, int(all.pairWays, pair) | wayOf(fills, i));
  }
  for (let i = 0; i < fills.count; i++) {
    const pair = int(all.pairOf, i);
    if (pair >= 0 && int(all.pairWays, pair) != BOTH) setInt(all.pairOf, i, -1);
  }
}

// @ts-ignore: decorator
@inline
function wayOf(fills: WalletFills, i: i32): i32 {
  return (byte(fills.flags, i) & 1) != 0 ? BOUGHT : SOLD;
}

/** The pair with a key, a new one if there is none yet. */
function pairWith(all: Counterparties, key: i64): i32 {
  let slot = <u32>((<u64>key * 0x9e3779b97f4a7c15) >> 32) & all.mask;
  let known = int(all.table, slot);
  while (known != 0) {
    if (load<i64>(all.keys + (<usize>(known - 1) << 3)) == key) return known - 1;
    slot = (slot + 1) & all.mask;
    known = int(all.table, slot);
  }
  const pair = all.pairs++;
  setInt(all.table, slot, pair + 1);
  store<i64>(all.keys + (<usize>pair << 3), key);
  setInt(all.pairWays, pair, 0);
  setFloat(all.bought, pair, 0);
  setFloat(all.sold, pair, 0);
  return pair;
}

// @ts-ignore: decorator
@inline
function addTo(list: usize, place: i32, amount: f64): void {
  setFloat(list, place, float(list, place) + amount);
}

/** Measures the fills from `begin` to before `end`. */
export function measureCounterparties(all: Counterparties, begin: i32, end: i32): void {
  const fills = all.fills;
  const result = all.result;
  let known: f64 = 0;
  let knownShares: f64 = 0;
  let used = 0;
  for (let i = begin; i < end; i++) {
    const other = int(fills.counterparty, i);
    if (other < 0) continue;
    const way = wayOf(fills, i);
    const ways = int(all.ways, other);
    const usd = float(fills.usd, i);
    const shares = float(fills.shares, i);
    if (ways == 0) setInt(all.used, used++, other);
    setInt(all.ways, other, ways | way);
    addTo(all.usd, other, usd);
    known += usd;
    knownShares += shares;
    const pair = int(all.pairOf, i);
    if (pair >= 0) addTo(way == BOUGHT ? all.bought : all.sold, pair, shares);
  }
  let top: f64 = 0;
  let squares: f64 = 0;
  let reciprocal: f64 = 0;
  let self: f64 = 0;
  for (let j = 0; j < used; j++) {
    const other = int(all.used, j);
    const usd = float(all.usd, other);
    const share = usd / known;
    top = max(top, usd);
    squares += share * share;
    if (int(all.ways, other) == BOTH) reciprocal += usd;
    if (other == fills.self) self += usd;
    setFloat(all.usd, other, 0);
    setInt(all.ways, other, 0);
  }
  result.top = known > 0 ? top / known : NaN;
  result.herfindahl = known > 0 ? squares : NaN;
  result.reciprocal = known > 0 ? reciprocal / known : NaN;
  result.roundTrip = knownShares > 0 ? (2 * roundTrips(all, begin, end)) / knownShares : NaN;
  result.self = known > 0 ? self / known : NaN;
}

/** Shares bought from and sold to the same counterparty; empties the sums of the pairs. */
function roundTrips(all: Counterparties, begin: i32, end: i32): f64 {
  let closed: f64 = 0;
  if (all.pairs == 0) return closed;
  for (let i = begin; i < end; i++) {
    const pair = int(all.pairOf, i);
    if (pair < 0) continue;
    closed += min(float(all.bought, pair), float(all.sold, pair));
    setFloat(all.bought, pair, 0);
    setFloat(all.sold, pair, 0);
  }
  return closed;
}
