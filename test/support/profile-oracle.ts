/** Profiles and targets straight from their definitions: every row looks at every trade. Slow, and independent of src/. */
import { priceOf, type World, type WorldTrade } from './world.ts';

const DAY = 86_400;

export interface OracleOptions {
  readonly dates: readonly number[];
  readonly lookback: number;
  readonly minTrades: number;
}

type Row = Record<string, number | string | null>;

const groupBy = <T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const shareOf = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length / items.length;
const sampleDeviation = (values: readonly number[]): number => {
  const mean = sum(values) / values.length;
  return Math.sqrt(sum(values.map((v) => (v - mean) ** 2)) / (values.length - 1));
};

/** Profit of a fill in 1e-6 USD if its token pays `payout`. */
const profit = (t: WorldTrade, payout: number): number =>
  (t.side === 'BUY' ? 1 : -1) * (payout * t.shares - t.usd) - (t.fee ?? 0);

function settledMeasures(world: World, window: readonly WorldTrade[], asOf: number) {
  const resolution = new Map(world.resolutions.filter((r) => r.knowableAt < asOf).map((r) => [r.market, r]));
  const byMarket = groupBy(window, (t) => t.market);
  const payout = (t: WorldTrade): number => {
    const payout0 = resolution.get(t.market)?.payout0 as number;
    return t.outcomeIndex === 0 ? payout0 : 1 - payout0;
  };
  const positions: { event: string; pnl: number; shares: number; bought: number; knowableAt: number }[] = [];
  let unsettled = 0;
  for (const [market, fills] of byMarket) {
    const known = resolution.get(market);
    if (known === undefined || fills.some((t) => t.outcomeIndex === null)) {
      unsettled++;
      continue;
    }
    const early = fills.filter((t) => t.time < known.knowableAt);
    if (early.length === 0) continue;
    positions.push({
      event: fills[0]?.event as string,
      pnl: sum(early.map((t) => profit(t, payout(t)))),
      shares: sum(early.map((t) => t.shares)),
      bought: sum(early.filter((t) => t.side === 'BUY').map((t) => t.usd)),
      knowableAt: known.knowableAt,
    });
  }
  const pnl = sum(positions.map((p) => p.pnl));
  const shares = sum(positions.map((p) => p.shares));
  const bought = sum(positions.map((p) => p.bought));
  const edge = shares > 0 ? pnl / shares : null;
  const events = [...groupBy(positions, (p) => p.event).values()];
  const weights = events.map((ps) => sum(ps.map((p) => p.shares)));
  const sizes = events.map((ps) => Math.abs(sum(ps.map((p) => p.pnl))));
  const ofSize = (size: number): number => size / sum(sizes);
  const withShares = positions.filter((p) => p.shares > 0);
  const residuals = events.map((ps) => sum(ps.map((p) => p.pnl)) - (edge ?? 0) * sum(ps.map((p) => p.shares)));
  const G = events.length;
  return {
    settledPnlUsd: positions.length > 0 ? pnl / 1e6 : null,
    settledPositions: positions.length,
    winCount: positions.filter((p) => p.pnl > 0).length,
    winRate: positions.length > 0 ? shareOf(positions, (p) => p.pnl > 0) : null,
    edge,
    edgeStandardError:
      G < 2 || edge === null ? null : Math.sqrt((G / (G - 1)) * sum(residuals.map((r) => r * r))) / shares,
    edgeEffectiveEvents: shares > 0 ? shares ** 2 / sum(weights.map((w) => w * w)) : null,
    edgeByPosition: withShares.length > 0 ? sum(withShares.map((p) => p.pnl / p.shares)) / withShares.length : null,
    largestEventPnlShare: sum(sizes) > 0 ? ofSize(Math.max(...sizes)) : null,
    pnlHerfindahl: sum(sizes) > 0 ? sum(sizes.map((size) => ofSize(size) ** 2)) : null,
    roi: bought > 0 ? pnl / bought : null,
    unsettledPositions: unsettled,
    knowableAt: positions.map((p) => p.knowableAt),
  };
}

/** What a fill was in: the token, else the outcome; null if the source names neither. */
const instrument = (t: WorldTrade): string | number | null => t.token ?? t.outcomeIndex;

function markedPnl(world: World, window: readonly WorldTrade[], asOf: number): number | null {
  let total = 0;
  const held = new Map<string, { net: number; price: number }>();
  for (const t of window) {
    const known = world.resolutions.find((r) => r.market === t.market && r.knowableAt < asOf);
    if (known !== undefined && t.outcomeIndex !== null) {
      total += profit(t, t.outcomeIndex === 0 ? known.payout0 : 1 - known.payout0);
      continue;
    }
    total += profit(t, 0);
    if (t.shares === 0) continue;
    const name = instrument(t);
    if (name === null) return null;
    const last = world.trades.findLast(
      (o) => o.market === t.market && instrument(o) === name && o.time < asOf && priceOf(o) !== null,
    );
    const key = `${t.market} ${name}`;
    const net = (held.get(key)?.net ?? 0) + (t.side === 'BUY' ? t.shares : -t.shares);
    held.set(key, { net, price: priceOf(last as WorldTrade) as number });
  }
  for (const { net, price } of held.values()) total += net * price;
  return total / 1e6;
}

/** Profit by USD bought of every fill of every wallet in the window that settles. */
function benchmarkRoi(world: World, { lookback }: OracleOptions, asOf: number): number | null {
  const payouts = new Map(world.resolutions.filter((r) => r.knowableAt < asOf).map((r) => [r.market, r]));
  const fills = world.trades.filter((t) => {
    const known = payouts.get(t.market);
    return (
      t.time >= asOf - lookback &&
      t.time < asOf &&
      t.outcomeIndex !== null &&
      known !== undefined &&
      t.time < known.knowableAt
    );
  });
  const pnl = fills.map((t) => {
    const payout0 = payouts.get(t.market)?.payout0 as number;
    return profit(t, t.outcomeIndex === 0 ? payout0 : 1 - payout0);
  });
  const bought = sum(fills.filter((t) => t.side === 'BUY').map((t) => t.usd));
  return bought > 0 ? sum(pnl) / bought : null;
}

/** When a market closed, as far as is known before a date. */
function closeOf(world: World, market: string, asOf: number): number | null {
  const moments = [
    world.markets.find((m) => m.market === market)?.closedAt,
    world.resolutions.find((r) => r.market === market)?.knowableAt,
  ].filter((moment): moment is number => moment != null && moment < asOf);
  return moments.length > 0 ? Math.min(...moments) : null;
}

function closingLineValue(world: World, window: readonly WorldTrade[], asOf: number): number | null {
  let gained = 0;
  let shares = 0;
  for (const t of window) {
    const close = closeOf(world, t.market, asOf);
    if (close === null || t.time >= close || instrument(t) === null) continue;
    const last = world.trades.findLast(
      (o) => o.market === t.market && instrument(o) === instrument(t) && o.time < close && priceOf(o) !== null,
    );
    if (last === undefined) continue;
    gained += (t.side === 'BUY' ? 1 : -1) * ((priceOf(last) as number) * t.shares - t.usd);
    shares += t.shares;
  }
  return shares > 0 ? gained / shares : null;
}

/** Every share a lot of its own: those sold, or left at a known resolution, in the window. */
function holdingDays(
  world: World,
  all: readonly WorldTrade[],
  { lookback }: OracleOptions,
  asOf: number,
): number | null {
  let shares = 0;
  let days = 0;
  const part = (amount: number, from: number, to: number): void => {
    if (to < asOf - lookback || to >= asOf) return;
    shares += amount;
    days += (amount * (to - from)) / DAY;
  };
  const past = all.filter((t) => t.time < asOf && instrument(t) !== null);
  for (const fills of groupBy(past, (t) => `${t.market} ${instrument(t)}`).values()) {
    const resolved =
      world.resolutions.find((r) => r.market === fills[0]?.market)?.knowableAt ?? Number.POSITIVE_INFINITY;
    const lots: { time: number; left: number }[] = [];
    for (const t of fills.filter((f) => f.time < resolved)) {
      if (t.side === 'BUY') lots.push({ time: t.time, left: t.shares });
      let wanted = t.side === 'SELL' ? t.shares : 0;
      for (const lot of lots) {
        const taken = Math.min(wanted, lot.left);
        lot.left -= taken;
        wanted -= taken;
        if (taken > 0) part(taken, lot.time, t.time);
      }
    }
    for (const lot of lots) if (lot.left > 0 && resolved < asOf) part(lot.left, lot.time, resolved);
  }
  return shares > 0 ? days / shares : null;
}

function counterpartyMeasures(window: readonly WorldTrade[]): Row {
  const known = window.filter((t) => t.counterparty != null);
  const usd = sum(known.map((t) => t.usd));
  const shares = sum(known.map((t) => t.shares));
  const groups = [...groupBy(known, (t) => t.counterparty).values()];
  const usdOf = (fills: readonly WorldTrade[]): number => sum(fills.map((t) => t.usd));
  const sharesOf = (fills: readonly WorldTrade[], side: string): number =>
    sum(fills.filter((t) => t.side === side).map((t) => t.shares));
  const pairs = groupBy(
    known.filter((t) => instrument(t) !== null),
    (t) => `${t.counterparty} ${t.market} ${instrument(t)}`,
  );
  const closed = [...pairs.values()].map((fills) => 2 * Math.min(sharesOf(fills, 'BUY'), sharesOf(fills, 'SELL')));
  const both = groups.filter((fills) => new Set(fills.map((t) => t.side)).size === 2);
  return {
    topCounterpartyShare: usd > 0 ? Math.max(...groups.map(usdOf)) / usd : null,
    counterpartyHerfindahl: usd > 0 ? sum(groups.map((fills) => (usdOf(fills) / usd) ** 2)) : null,
    reciprocalShare: usd > 0 ? sum(both.map(usdOf)) / usd : null,
    roundTripShare: shares > 0 ? sum(closed) / shares : null,
    selfTradeShare: usd > 0 ? usdOf(known.filter((t) => t.counterparty === t.wallet)) / usd : null,
  };
}

/** Rows of wallets.profile; times in seconds. */
export function oracleProfiles(world: World, { dates, lookback, minTrades }: OracleOptions): Row[] {
  const category = new Map(world.markets.map((m) => [m.market, m.category ?? 'other']));
  return eachRow(world, { dates, lookback, minTrades }, (all, window, asOf) => {
    const n = window.length;
    const tenure = (asOf - (all[0] as WorldTrade).time) / DAY;
    const buys = window.filter((t) => t.side === 'BUY');
    const usd = sum(window.map((t) => t.usd));
    const shares = sum(window.map((t) => t.shares));
    const bought = sum(buys.map((t) => t.usd));
    const domain = (name: string): number => shareOf(window, (t) => (category.get(t.market) ?? 'other') === name);
    const domains = ['politics', 'sports', 'crypto', 'other'].map(domain);
    const events = [...groupBy(window, (t) => t.event).values()];
    const roles = window.filter((t) => t.role != null);
    const gaps = window.slice(1).map((t, i) => t.time - (window[i] as WorldTrade).time);
    const meanGap = sum(gaps) / gaps.length;
    const hours = [...groupBy(window, (t) => Math.floor(t.time / 3600) % 24).values()];
    const { knowableAt: _, ...settled } = settledMeasures(world, window, asOf);
    const benchmark = benchmarkRoi(world, { dates, lookback, minTrades }, asOf);
    const delays = [...groupBy(window, (t) => t.market).entries()].flatMap(([market, [first]]) => {
      const created = world.markets.find((m) => m.market === market)?.createdAt;
      return created == null ? [] : [((first as WorldTrade).time - created) / 3600];
    });
    const funded = world.funding?.find((f) => f.wallet === all[0]?.wallet)?.fundedAt;
    return {
      tenureDays: tenure,
      tradeCount: n,
      tradesPerDay: n / Math.min(lookback / DAY, Math.max(1, tenure)),
      aggressionMeanUsd: usd / n / 1e6,
      aggressionMaxUsd: Math.max(...window.map((t) => t.usd)) / 1e6,
      activeDays: new Set(window.map((t) => Math.floor(t.time / DAY))).size,
      marketCount: new Set(window.map((t) => t.market)).size,
      eventCount: events.length,
      domainPoliticsShare: domains[0] as number,
      domainSportsShare: domains[1] as number,
      domainCryptoShare: domains[2] as number,
      domainOtherShare: domains[3] as number,
      domainFocus: sum(domains.map((d) => d * d)),
      diversification: usd > 0 ? 1 - sum(events.map((e) => (sum(e.map((t) => t.usd)) / usd) ** 2)) : null,
      netFlowUsd: (usd - 2 * bought) / 1e6,
      investedUsd: bought / 1e6,
      convictionMeanBuyUsd: buys.length > 0 ? bought / buys.length / 1e6 : null,
      timeToImpactHours: delays.length > 0 ? sum(delays) / delays.length : null,
      holdingDays: holdingDays(world, all, { dates, lookback, minTrades }, asOf),
      closingLineValue: closingLineValue(world, window, asOf),
      alpha: settled.roi === null || benchmark === null ? null : settled.roi - benchmark,
      fundingAgeDays: funded !== undefined && funded < asOf ? (asOf - funded) / DAY : null,
      ...counterpartyMeasures(window),
      buyShare: buys.length / n,
      meanPrice: shares > 0 ? usd / shares : null,
      longshotShare: buys.length > 0 ? shareOf(buys, (t) => t.shares > 0 && t.usd / t.shares < 0.2) : null,
      makerShare: roles.length > 0 ? shareOf(roles, (t) => t.role === 'maker') : null,
      burstiness: gaps.length < 3 || meanGap === 0 ? null : sampleDeviation(gaps) / meanGap,
      hourEntropy: -sum(hours.map((h) => (h.length / n) * Math.log(h.length / n))) / Math.log(24),
      sizeVariation: n < 2 || usd === 0 ? null : sampleDeviation(window.map((t) => t.usd)) / (usd / n),
      ...settled,
      markedPnlUsd: markedPnl(world, window, asOf),
    };
  });
}

/** Rows of wallets.targets; times in seconds. */
export function oracleTargets(world: World, options: OracleOptions & { horizon: number }): Row[] {
  const last = Math.max(...world.trades.map((t) => t.time));
  return eachRow(world, options, (all, _, asOf) => {
    const end = asOf + options.horizon;
    if (end > last)
      return {
        nextEdge: null,
        nextProfitable: null,
        nextPnlUsd: null,
        nextVolumeUsd: null,
        nextTradeCount: null,
        labelEnd: end,
      };
    const next = all.filter((t) => t.time >= asOf && t.time < end);
    const settled = settledMeasures(world, next, Number.POSITIVE_INFINITY);
    return {
      nextEdge: settled.edge,
      nextProfitable: settled.settledPnlUsd === null ? null : Number(settled.settledPnlUsd > 0),
      nextPnlUsd: settled.settledPnlUsd,
      nextVolumeUsd: sum(next.map((t) => t.usd)) / 1e6,
      nextTradeCount: next.length,
      labelEnd: Math.max(end, ...settled.knowableAt),
    };
  });
}

function eachRow(
  world: World,
  { dates, lookback, minTrades }: OracleOptions,
  describe: (all: readonly WorldTrade[], window: readonly WorldTrade[], asOf: number) => Row,
): Row[] {
  const wallets = [...new Set(world.trades.map((t) => t.wallet))].sort((a, b) => (a < b ? -1 : 1));
  return dates.flatMap((asOf) =>
    wallets.flatMap((wallet) => {
      const all = world.trades.filter((t) => t.wallet === wallet);
      const window = all.filter((t) => t.time >= asOf - lookback && t.time < asOf);
      return window.length < minTrades ? [] : [{ wallet, asOf, ...describe(all, window, asOf) }];
    }),
  );
}
