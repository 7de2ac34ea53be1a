/**
 * How a wallet trades in windows of time that move forward: a fill is counted when it enters and taken off when it
 * leaves. Formulas: docs/methods.md, "Profiles of wallets".
 */
import { allocate } from './memory';
import { byte, float, int, setFloat, setInt, WalletFills } from './wallet-fills';

const CATEGORIES = 4;
const HOURS = 24;
const SECOND: f64 = 1e6;
const HOUR: f64 = 3.6e9;
/** Roles of a fill, in its flags. */
const TAKER = 0;
const MAKER = 1;

/** NaN where undefined. In the order of the columns of a profile: src/wallets/profile/columns.ts. */
// @ts-ignore: decorator
@unmanaged
class Described {
  trades: f64;
  meanUsd: f64;
  maxUsd: f64;
  activeDays: f64;
  markets: f64;
  events: f64;
  /** Shares of fills by category. */
  politics: f64;
  sports: f64;
  crypto: f64;
  other: f64;
  /** Sum of the squared shares by category: 1 is one category alone. */
  domainFocus: f64;
  /** 1 less the sum of the squared shares of USD by event. */
  diversification: f64;
  netFlowUsd: f64;
  boughtUsd: f64;
  meanBuyUsd: f64;
  /** Mean over markets of the time from creation to the first fill. */
  impactHours: f64;
  buyShare: f64;
  /** USD a share over all fills. */
  meanPrice: f64;
  /** Share of purchases below 0.20 USD a share. */
  longshotShare: f64;
  /** Share of maker fills among those whose role is known. */
  makerShare: f64;
  /** Sample standard deviation of the gaps between fills over their mean; NaN below three gaps. */
  burstiness: f64;
  /** Shannon entropy of the UTC hours of the fills over log 24: 0 is one hour of the day, 1 all alike. */
  hourEntropy: f64;
  /** Sample standard deviation of the sizes in USD over their mean; NaN below two fills. */
  sizeVariation: f64;
}

/** Sums over the fills in the window; whole numbers, so that what leaves takes away exactly what it brought. */
// @ts-ignore: decorator
@unmanaged
class Activity {
  result: Described;
  fills: WalletFills;
  /** log k by k (f64), 0 for 0. */
  logs: usize;
  /** The window that the sums are of: from `first` to before `after`. */
  first: i32;
  after: i32;
  bought: f64;
  sold: f64;
  shares: f64;
  buys: i32;
  longshots: i32;
  makers: i32;
  takers: i32;
  days: i32;
  markets: i32;
  events: i32;
  /** Markets whose creation is known, and the time from there to their first fill in whole seconds and microseconds. */
  delayed: i32;
  delaySeconds: f64;
  delayMicros: f64;
  /** Fills by hour and by category (i32). */
  hours: usize;
  byCategory: usize;
  /** By slot: fills in the window (i32), and the USD of an event (f64). */
  marketFills: usize;
  eventFills: usize;
  eventUsd: usize;
  /** By fill (i32): the next one in its market, and the one before it in its event; -1 without. */
  next: usize;
  before: usize;
  /** By slot (i32), while loading: the last fill so far. */
  lastOf: usize;
  /** Fills of the window (i32) that no later one is larger than, the largest first: from `head` to `tail`. */
  falling: usize;
  head: i32;
  tail: i32;
}

export function makeActivity(fills: WalletFills): Activity {
  const activity = changetype<Activity>(allocate(offsetof<Activity>()));
  activity.fills = fills;
  activity.result = changetype<Described>(allocate(offsetof<Described>()));
  activity.hours = allocate(HOURS << 2);
  activity.byCategory = allocate(CATEGORIES << 2);
  return activity;
}

/** Makes room for wallets of so many fills. Gives where log k is to be put for k from 0 to `room`, f64. */
export function reserveActivity(activity: Activity, room: i32): usize {
  const ints = <usize>room << 2;
  activity.eventUsd = allocate(<usize>room << 3);
  activity.marketFills = allocate(ints);
  activity.eventFills = allocate(ints);
  activity.next = allocate(ints);
  activity.before = allocate(ints);
  activity.lastOf = allocate(ints);
  activity.falling = allocate(ints);
  activity.logs = allocate((<usize>room + 1) << 3);
  return activity.logs;
}

/** Gives where `Described` is. */
export function activityResult(activity: Activity): usize {
  return changetype<usize>(activity.result);
}

/** Takes the fills of the next wallet. */
export function loadActivity(activity: Activity): void {
  const fills = activity.fills;
  activity.first = 0;
  activity.after = 0;
  activity.bought = 0;
  activity.sold = 0;
  activity.shares = 0;
  activity.buys = 0;
  activity.longshots = 0;
  activity.makers = 0;
  activity.takers = 0;
  activity.days = 0;
  activity.markets = 0;
  activity.events = 0;
  activity.delayed = 0;
  activity.delaySeconds = 0;
  activity.delayMicros = 0;
  activity.head = 0;
  activity.tail = 0;
  memory.fill(activity.hours, 0, HOURS << 2);
  memory.fill(activity.byCategory, 0, CATEGORIES << 2);
  for (let k = 0; k < fills.markets; k++) {
    setInt(activity.marketFills, k, 0);
    setInt(activity.lastOf, k, -1);
  }
  for (let i = fills.count - 1; i >= 0; i--) {
    const market = int(fills.market, i);
    setInt(activity.next, i, int(activity.lastOf, market));
    setInt(activity.lastOf, market, i);
  }
  for (let k = 0; k < fills.events; k++) {
    setInt(activity.eventFills, k, 0);
    setFloat(activity.eventUsd, k, 0);
    setInt(activity.lastOf, k, -1);
  }
  for (let i = 0; i < fills.count; i++) {
    const event = int(fills.event, i);
    setInt(activity.before, i, int(activity.lastOf, event));
    setInt(activity.lastOf, event, i);
  }
}

/** Describes the fills from `begin` to before `end`, at least one. Neither may be smaller than in the last call for the wallet. */
export function moveActivity(activity: Activity, begin: i32, end: i32): void {
  // What lies between two windows enters neither.
  if (begin >= activity.after) {
    while (activity.first < activity.after) leave(activity);
    activity.first = begin;
    activity.after = begin;
  }
  while (activity.after < end) enter(activity);
  while (activity.first < begin) leave(activity);
  describe(activity);
}

function enter(activity: Activity): void {
  const fills = activity.fills;
  const i = activity.after++;
  const market = int(fills.market, i);
  const inMarket = int(activity.marketFills, market);
  setInt(activity.marketFills, market, inMarket + 1);
  if (inMarket == 0) {
    activity.markets++;
    countFirst(activity, i, 1);
  }
  if (int(activity.eventFills, int(fills.event, i)) == 0) activity.events++;
  count(activity, i, 1);
  if (i == activity.first || int(fills.day, i) != int(fills.day, i - 1)) activity.days++;
  const usd = float(fills.usd, i);
  let tail = activity.tail;
  while (tail > activity.head && float(fills.usd, int(activity.falling, tail - 1)) <= usd) tail--;
  setInt(activity.falling, tail, i);
  activity.tail = tail + 1;
}

function leave(activity: Activity): void {
  const fills = activity.fills;
  const i = activity.first++;
  const market = int(fills.market, i);
  const inMarket = int(activity.marketFills, market) - 1;
  setInt(activity.marketFills, market, inMarket);
  countFirst(activity, i, -1);
  if (inMarket == 0) activity.markets--;
  else countFirst(activity, int(activity.next, i), 1);
  count(activity, i, -1);
  if (int(activity.eventFills, int(fills.event, i)) == 0) activity.events--;
  if (i + 1 == activity.after || int(fills.day, i) != int(fills.day, i + 1)) activity.days--;
  if (activity.head < activity.tail && int(activity.falling, activity.head) == i) activity.head++;
}

// @ts-ignore: decorator
@inline
function addTo(list: usize, place: i32, by: i32): void {
  setInt(list, place, int(list, place) + by);
}

/** Counts a fill (`by` is 1), or takes it off again (-1), in all sums that do not ask for its neighbours. */
function count(activity: Activity, i: i32, by: i32): void {
  const fills = activity.fills;
  const usd = float(fills.usd, i);
  const shares = float(fills.shares, i);
  const flags = byte(fills.flags, i);
  const event = int(fills.event, i);
  const amount = <f64>by * usd;
  addTo(activity.byCategory, byte(fills.category, int(fills.market, i)), by);
  addTo(activity.hours, byte(fills.hour, i), by);
  addTo(activity.eventFills, event, by);
  setFloat(activity.eventUsd, event, float(activity.eventUsd, event) + amount);
  activity.shares += <f64>by * shares;
  if ((flags & 1) != 0) {
    activity.buys += by;
    activity.bought += amount;
    if (5 * usd < shares) activity.longshots += by;
  } else activity.sold += amount;
  const role = (flags >> 3) & 3;
  if (role == MAKER) activity.makers += by;
  else if (role == TAKER) activity.takers += by;
}

/** Counts a fill as the first of its market, or takes that off again. */
function countFirst(activity: Activity, i: i32, by: i32): void {
  const fills = activity.fills;
  const created = float(fills.createdAt, int(fills.market, i));
  if (created != created) return;
  const delay = float(fills.time, i) - created;
  const seconds = floor<f64>(delay / SECOND);
  activity.delayed += by;
  activity.delaySeconds += <f64>by * seconds;
  activity.delayMicros += <f64>by * (delay - SECOND * seconds);
}

function describe(activity: Activity): void {
  const result = activity.result;
  const fills = activity.fills;
  const n = <f64>(activity.after - activity.first);
  const buys = <f64>activity.buys;
  const known = <f64>(activity.makers + activity.takers);
  const total = activity.bought + activity.sold;
  result.trades = n;
  result.meanUsd = total / 1e6 / n;
  result.maxUsd = float(fills.usd, int(activity.falling, activity.head)) / 1e6;
  result.activeDays = activity.days;
  result.markets = activity.markets;
  result.events = activity.events;
  result.politics = <f64>int(activity.byCategory, 0) / n;
  result.sports = <f64>int(activity.byCategory, 1) / n;
  result.crypto = <f64>int(activity.byCategory, 2) / n;
  result.other = <f64>int(activity.byCategory, 3) / n;
  result.domainFocus =
    result.politics * result.politics +
    result.sports * result.sports +
    result.crypto * result.crypto +
    result.other * result.other;
  result.diversification = total > 0 ? 1 - squaredShares(activity, total) : NaN;
  result.netFlowUsd = activity.sold / 1e6 - activity.bought / 1e6;
  result.boughtUsd = activity.bought / 1e6;
  result.meanBuyUsd = buys > 0 ? activity.bought / 1e6 / buys : NaN;
  const delays = SECOND * activity.delaySeconds + activity.delayMicros;
  result.impactHours = activity.delayed > 0 ? delays / HOUR / <f64>activity.delayed : NaN;
  result.buyShare = buys / n;
  result.meanPrice = activity.shares > 0 ? total / activity.shares : NaN;
  result.longshotShare = buys > 0 ? <f64>activity.longshots / buys : NaN;
  result.makerShare = known > 0 ? <f64>activity.makers / known : NaN;
  result.burstiness = burstiness(activity);
  result.hourEntropy = entropyOfHours(activity);
  result.sizeVariation = sizeVariation(activity, total / n);
}

/** Sum of the squared shares of USD by event, in the order in which the window first holds the events. */
function squaredShares(activity: Activity, total: f64): f64 {
  let squares: f64 = 0;
  for (let i = activity.first; i < activity.after; i++) {
    if (int(activity.before, i) >= activity.first) continue;
    const share = float(activity.eventUsd, int(activity.fills.event, i)) / total;
    squares += share * share;
  }
  return squares;
}

function burstiness(activity: Activity): f64 {
  const time = activity.fills.time;
  const gaps = activity.after - activity.first - 1;
  if (gaps < 3) return NaN;
  const mean = (float(time, activity.after - 1) - float(time, activity.first)) / <f64>gaps;
  if (mean == 0) return NaN;
  let squares: f64 = 0;
  for (let i = activity.first + 1; i < activity.after; i++) {
    const deviation = float(time, i) - float(time, i - 1) - mean;
    squares += deviation * deviation;
  }
  return sqrt<f64>(squares / <f64>(gaps - 1)) / mean;
}

function sizeVariation(activity: Activity, mean: f64): f64 {
  const n = activity.after - activity.first;
  if (n < 2 || mean == 0) return NaN;
  let squares: f64 = 0;
  for (let i = activity.first; i < activity.after; i++) {
    const deviation = float(activity.fills.usd, i) - mean;
    squares += deviation * deviation;
  }
  return sqrt<f64>(squares / <f64>(n - 1)) / mean;
}

function entropyOfHours(activity: Activity): f64 {
  const n = activity.after - activity.first;
  const logs = activity.logs;
  let sum: f64 = 0;
  for (let h = 0; h < HOURS; h++) {
    const count = int(activity.hours, h);
    if (count == n) return 0;
    sum += <f64>count * float(logs, count);
  }
  // -sum p log p = log n - (sum k log k) / n. Rounding must not leave a hair above 1.
  return min<f64>(1, max<f64>(0, (float(logs, n) - sum / <f64>n) / float(logs, HOURS)));
}
