/** Targets straight from their definitions: every fill looks at every trade. Slow, and independent of src/. */
import { priceOf, type World, type WorldTrade } from './world.ts';

const DAY = 86_400;

/** Times and spans in seconds. */
export interface TargetOracleOptions {
  readonly dates: readonly number[];
  readonly lookback: number;
  readonly horizon: number;
  readonly minTrades: number;
  readonly settleWithin: number;
  readonly recent: number;
  readonly trend: number;
  readonly influence: number;
  readonly closingLead: number;
}

type Values = Record<string, number | null>;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const cut = (x: number, low = -1): number => Math.max(low, Math.min(1, x));
const sampleDeviation = (values: readonly number[]): number =>
  Math.sqrt(sum(values.map((v) => (v - mean(values)) ** 2)) / (values.length - 1));
const populationDeviation = (values: readonly number[]): number => {
  const found = Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
  return found <= 1e-5 ? 0 : found;
};
const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** What a fill was in, within all markets; null if the source names neither token nor outcome. */
const tokenOf = (t: WorldTrade): string | null =>
  t.token != null ? `${t.market} ${t.token}` : t.outcomeIndex === null ? null : `${t.market} #${t.outcomeIndex}`;
const signOf = (t: WorldTrade): 1 | -1 => (t.side === 'BUY' ? 1 : -1);

/** Mean weighted by USD over fills for which the value is defined. */
function weighted(fills: readonly WorldTrade[], read: (t: WorldTrade) => number | null): number | null {
  const known = fills.flatMap((t) => {
    const value = read(t);
    return value === null ? [] : [{ usd: t.usd, value }];
  });
  const weight = sum(known.map((k) => k.usd));
  return weight > 0 ? sum(known.map((k) => k.usd * k.value)) / weight : null;
}

function makeOracle(world: World, options: TargetOracleOptions) {
  const priced = world.trades.filter((t) => priceOf(t) !== null && tokenOf(t) !== null);
  const pathOf = (t: WorldTrade): WorldTrade[] => priced.filter((o) => tokenOf(o) === tokenOf(t));
  const lastPrice = (path: readonly WorldTrade[], isBefore: (time: number) => boolean): number | null => {
    const found = path.findLast((o) => isBefore(o.time));
    return found === undefined ? null : (priceOf(found) as number);
  };
  const resolution = new Map(world.resolutions.map((r) => [r.market, r]));
  const payout = (t: WorldTrade): number => {
    const payout0 = resolution.get(t.market)?.payout0 as number;
    return t.outcomeIndex === 0 ? payout0 : 1 - payout0;
  };

  const describe = (t: WorldTrade, span: number) => {
    const prices = pathOf(t)
      .filter((o) => o.time >= t.time - span && o.time < t.time)
      .map((o) => priceOf(o) as number);
    if (prices.length < 3) return null;
    const deviation = populationDeviation(prices);
    const last = prices.at(-1) as number;
    const direction = deviation === 0 ? 0 : cut((last - (prices[0] as number)) / (Math.sqrt(12) * deviation));
    return { mean: mean(prices), deviation, last, direction };
  };

  const style = (fills: readonly WorldTrade[]): Values => {
    const usable = fills.filter((t) => t.shares > 0 && tokenOf(t) !== null);
    const axis = (read: (r: Path, l: Path, sign: number) => number | null): number | null =>
      weighted(usable, (t) => read(describe(t, options.recent), describe(t, options.trend), signOf(t)));
    const passive = (t: WorldTrade): number => {
      if (t.role != null) return t.role === 'maker' ? 1 : 0;
      const before = lastPrice(pathOf(t), (time) => time < t.time);
      const price = priceOf(t);
      if (before === null || price === null || Math.abs(before - price) < 1e-9) return 0.5;
      return signOf(t) * (before - price) > 0 ? 1 : 0;
    };
    const making = unique(fills.map(tokenOf))
      .filter((token) => token !== null)
      .map((token) => {
        const own = fills.filter((t) => tokenOf(t) === token);
        const of = (side: string): number => sum(own.filter((t) => t.side === side).map((t) => t.shares));
        const usd = sum(own.map((t) => t.usd));
        const balance = (2 * Math.min(of('BUY'), of('SELL'))) / (of('BUY') + of('SELL'));
        return { usd, value: (balance * sum(own.map((t) => t.usd * passive(t)))) / usd };
      })
      .filter(({ usd }) => usd > 0);
    return {
      nextMomentum: axis((r, _, s) => (r === null || r.deviation === 0 ? null : s * r.direction)),
      nextMeanReversion: axis((r, _, s) =>
        r === null || r.deviation === 0 ? null : cut((s * (r.mean - r.last)) / (2 * r.deviation)),
      ),
      nextVolatilityTrading: axis((r, l) =>
        r === null || l === null || l.deviation === 0
          ? null
          : (r.deviation - l.deviation) / (r.deviation + l.deviation),
      ),
      nextMarketMaking:
        making.length === 0 ? null : sum(making.map((m) => m.usd * m.value)) / sum(making.map((m) => m.usd)),
      nextTrendFollowing: axis((_, l, s) => (l === null || l.deviation === 0 ? null : s * l.direction)),
      nextContrarian: axis((r, l, s) =>
        r === null || l === null || r.deviation === 0 || l.deviation === 0
          ? null
          : Math.max(0, Math.min(-s * r.direction, -s * l.direction)),
      ),
    };
  };

  const settled = (fills: readonly WorldTrade[], deadline: number) => {
    const counted = unique(fills.map((t) => t.market)).flatMap((market) => {
      const own = fills.filter((t) => t.market === market);
      const knowableAt = resolution.get(market)?.knowableAt ?? Number.POSITIVE_INFINITY;
      if (own.some((t) => t.outcomeIndex === null)) return [];
      const early = own.filter((t) => t.time < knowableAt);
      return early.length === 0 ? [] : [{ early, knowableAt }];
    });
    const done = counted.filter(({ knowableAt }) => knowableAt < deadline);
    const all = done.flatMap(({ early }) => early);
    const profit = sum(all.map((t) => signOf(t) * (payout(t) * t.shares - t.usd) - (t.fee ?? 0)));
    const judged = done.flatMap(({ early, knowableAt }) =>
      early.flatMap((t) => {
        const closing = pathOf(t).findLast((o) => o.time < knowableAt - options.closingLead);
        return closing === undefined || closing.time <= t.time || t.time >= knowableAt - options.closingLead
          ? []
          : [{ t, price: priceOf(closing) as number }];
      }),
    );
    const judgedShares = sum(judged.map(({ t }) => t.shares));
    const shares = sum(all.map((t) => t.shares));
    return {
      edge: shares > 0 ? profit / shares : null,
      pnl: done.length > 0 ? profit / 1e6 : null,
      closing:
        judgedShares > 0
          ? sum(judged.map(({ t, price }) => signOf(t) * (price * t.shares - t.usd))) / judgedShares
          : null,
      knownAt: Math.max(Number.NEGATIVE_INFINITY, ...done.map(({ knowableAt }) => knowableAt)),
      pending: done.length < counted.length,
    };
  };

  const risk = (all: readonly WorldTrade[], from: number, to: number) => {
    const midnights: number[] = [];
    for (let m = Math.ceil(from / DAY) * DAY; m <= to; m += DAY) midnights.push(m);
    const undefinedRisk = { drawdown: null, volatility: null, change: null };
    const holdings = (midnight: number) => {
      const past = all.filter((t) => t.time < midnight);
      let cash = sum(past.map((t) => -signOf(t) * t.usd - (t.fee ?? 0)));
      let [value, stake] = [0, 0];
      if (past.some((t) => tokenOf(t) === null && t.shares > 0)) return null;
      for (const token of unique(past.map(tokenOf))) {
        const own = past.filter((t) => tokenOf(t) === token && t.shares > 0);
        const net = sum(own.map((t) => signOf(t) * t.shares));
        const one = own[0];
        if (one === undefined || net === 0) continue;
        const known = resolution.get(one.market);
        const told = own.findLast((t) => t.outcomeIndex !== null);
        if (known !== undefined && known.knowableAt < midnight && told !== undefined) {
          cash += net * payout(told);
          continue;
        }
        const price = lastPrice(pathOf(one), (time) => time < midnight) as number;
        value += net * price;
        stake += net > 0 ? net * price : -net * (1 - price);
      }
      return { equity: cash + value, stake };
    };
    const opened = (start: number, end: number): number =>
      sum(
        all
          .filter((t) => t.time >= start && t.time < end && t.shares > 0)
          .map((t) => {
            // Tokens that were paid out at a midnight are gone from then on.
            const known = resolution.get(t.market);
            const told = all.some(
              (o) => o.time < start && o.shares > 0 && o.outcomeIndex !== null && tokenOf(o) === tokenOf(t),
            );
            const gone = known !== undefined && told && known.knowableAt < start ? start : Number.NEGATIVE_INFINITY;
            const at = all.indexOf(t);
            const had = sum(
              all
                .filter((o, i) => i < at && tokenOf(o) === tokenOf(t) && o.time >= gone)
                .map((o) => signOf(o) * o.shares),
            );
            const opening = had * signOf(t) >= 0 ? t.shares : Math.max(0, t.shares - Math.abs(had));
            const price = priceOf(t) as number;
            return opening * (t.side === 'BUY' ? price : 1 - price);
          }),
      );
    const states = midnights.map(holdings);
    if (midnights.length < 2 || states.includes(null)) return undefinedRisk;
    const known = states as { equity: number; stake: number }[];
    const capital = Math.max(
      ...known.slice(0, -1).map(({ stake }, k) => stake + opened(midnights[k] as number, midnights[k + 1] as number)),
    );
    if (!(capital > 0)) return undefinedRisk;
    const equity = known.map((k) => k.equity);
    const returns = equity.slice(1).map((e, k) => (e - (equity[k] as number)) / capital);
    const falls = equity.map((e, k) => Math.max(...equity.slice(0, k + 1)) - e);
    return {
      drawdown: Math.max(...falls) / capital,
      volatility: returns.length < 2 ? null : sampleDeviation(returns),
      change: ((equity.at(-1) as number) - (equity[0] as number)) / capital,
    };
  };

  const bot = (fills: readonly WorldTrade[]): number | null => {
    const times = unique(fills.map((t) => t.time));
    if (times.length < 15) return null;
    const gaps = times.slice(1).map((t, i) => t - (times[i] as number));
    const variation = (values: readonly number[]): number =>
      mean(values) === 0 ? 0 : sampleDeviation(values) / mean(values);
    const bins = times.map((time) => {
      const usd = sum(fills.filter((t) => t.time === time).map((t) => t.usd)) / 1e6;
      return usd === 0 ? -Infinity : Math.floor(4 * Math.log10(usd) + 1e-9);
    });
    const entropy = -sum(
      unique(bins).map((bin) => {
        const share = bins.filter((b) => b === bin).length / bins.length;
        return share * Math.log(share);
      }),
    );
    const hours = Array.from({ length: 24 }, (_, h) => times.filter((t) => Math.floor(t / 3600) % 24 === h).length);
    const hourly = Math.sqrt(mean(hours.map((h) => (h - mean(hours)) ** 2))) / mean(hours);
    const reactions = times.flatMap((time) => {
      const t = fills.find((o) => o.time === time) as WorldTrade;
      if (tokenOf(t) === null || t.shares === 0) return [];
      const other = pathOf(t).findLast((o) => o.time < time && o.wallet !== t.wallet);
      return other !== undefined && time - other.time <= 3600 ? [time - other.time] : [];
    });
    const parts: [number, number][] = [
      [0.35, 1 - variation(gaps)],
      [0.25, 1 - entropy / Math.log(10)],
      [0.2, 1.5 - hourly],
    ];
    if (reactions.length >= 5) parts.push([0.2, 1 - variation(reactions)]);
    return sum(parts.map(([w, v]) => w * cut(v, 0))) / sum(parts.map(([w]) => w));
  };

  const influence = (fills: readonly WorldTrade[], from: number, to: number): Values => {
    const w = options.influence;
    const early = fills.filter((t) => t.time + w < to && t.shares > 0 && tokenOf(t) !== null);
    const count = (t: WorldTrade, inside: (time: number) => boolean): number =>
      unique(
        pathOf(t)
          .filter((o) => inside(o.time) && o.side === t.side && o.wallet !== t.wallet)
          .map((o) => o.wallet),
      ).length;
    const after = (t: WorldTrade): number => count(t, (time) => time > t.time && time <= t.time + w);
    const before = (t: WorldTrade): number => count(t, (time) => time < t.time && time >= t.time - w);
    return {
      nextPriceImpact: weighted(early, (t) => {
        const path = pathOf(t);
        const was = lastPrice(path, (time) => time < t.time);
        if (was === null) return null;
        const start = lastPrice(path, (time) => time < from) ?? (priceOf(path[0] as WorldTrade) as number);
        const drift = ((lastPrice(path, (time) => time < to) as number) - start) / (to - from);
        return signOf(t) * ((lastPrice(path, (time) => time <= t.time + w) as number) - was - w * drift);
      }),
      nextFollowers: weighted(early, after),
      nextExcessFollowers: weighted(early, (t) => after(t) - before(t)),
    };
  };

  /** All targets of a window, ranks still the values to rank. */
  return (all: readonly WorldTrade[], from: number, to: number, deadline: number) => {
    const fills = all.filter((t) => t.time >= from && t.time < to);
    const done = settled(fills, deadline);
    const { drawdown, volatility, change } = risk(all, from, to);
    const usd = sum(fills.map((t) => t.usd));
    const byEvent = unique(fills.map((t) => t.event)).map((e) =>
      sum(fills.filter((t) => t.event === e).map((t) => t.usd)),
    );
    const values: Values = {
      nextEdge: done.edge,
      nextProfitable: done.pnl === null ? null : Number(done.pnl > 0),
      nextPnlUsd: done.pnl,
      nextVolumeUsd: usd / 1e6,
      nextTradeCount: fills.length,
      ...style(fills),
      nextDrawdown: drawdown,
      nextDailyVolatility: volatility,
      nextEdgeRank: done.edge,
      nextReturnRank: change,
      nextBotScore: bot(fills),
      ...influence(fills, from, to),
      nextClosingLineValue: done.closing,
      nextMakerShare: weighted(fills, (t) => (t.role == null ? null : Number(t.role === 'maker'))),
      nextBreadth: usd > 0 ? usd ** 2 / sum(byEvent.map((e) => e * e)) : null,
      nextSophistication: null,
    };
    return { values, knownAt: done.knownAt, pending: done.pending };
  };
}

type Path = { mean: number; deviation: number; last: number; direction: number } | null;

function rank(rows: readonly Values[], name: string): (number | null)[] {
  const known = rows.map((r) => r[name]).filter((v): v is number => v != null);
  return rows.map((r) => {
    const value = r[name];
    if (value == null) return null;
    const below = known.filter((v) => v < value).length;
    const equal = known.filter((v) => v === value).length;
    return (below + equal / 2) / known.length;
  });
}

function withRanks(rows: readonly Values[]): Values[] {
  const parts = ['nextClosingLineValue', 'nextMakerShare', 'nextBreadth'].map((name) => rank(rows, name));
  const edge = rank(rows, 'nextEdgeRank');
  const change = rank(rows, 'nextReturnRank');
  return rows.map((row, i) => {
    const known = parts.map((p) => p[i]).filter((v): v is number => v != null);
    return {
      ...row,
      nextEdgeRank: edge[i] ?? null,
      nextReturnRank: change[i] ?? null,
      nextSophistication: known.length < 2 ? null : mean(known),
    };
  });
}

const settlementNames = ['nextEdge', 'nextProfitable', 'nextPnlUsd', 'nextClosingLineValue'];
const dateNames = ['nextEdgeRank', 'nextSophistication'];
const extensive = ['nextPnlUsd', 'nextVolumeUsd', 'nextTradeCount'];

/** Rows of wallets.targets with all families and baselines; times in seconds. */
export function oracleTargetRows(world: World, options: TargetOracleOptions): Record<string, unknown>[] {
  const last = (world.trades.at(-1) as WorldTrade).time;
  const measure = makeOracle(world, options);
  const wallets = unique(world.trades.map((t) => t.wallet)).sort((a, b) => (a < b ? -1 : 1));
  return options.dates.flatMap((asOf) => {
    const to = asOf + options.horizon;
    const deadline = to + options.settleWithin;
    const rows = wallets.flatMap((wallet) => {
      const all = world.trades.filter((t) => t.wallet === wallet);
      const window = all.filter((t) => t.time >= asOf - options.lookback && t.time < asOf);
      if (window.length < options.minTrades) return [];
      const next = measure(all, asOf, to, deadline);
      const past = measure(all, asOf - options.lookback, asOf, asOf);
      const settledAt = to > last ? to : Math.max(to, next.pending ? deadline : next.knownAt);
      return [{ wallet, next: next.values, past: past.values, settledAt }];
    });
    const dateEnd = Math.max(...rows.map((r) => r.settledAt));
    const next = withRanks(rows.map((r) => r.next));
    const past = withRanks(rows.map((r) => r.past));
    const meanPast = (name: string): number | null => {
      const known = past.map((p) => p[name]).filter((v): v is number => v != null);
      return known.length === 0 ? null : mean(known);
    };
    return rows.map((row, i) => {
      const isKnown = (name: string): boolean =>
        to <= last &&
        (dateNames.includes(name) ? dateEnd <= last : !settlementNames.includes(name) || row.settledAt <= last);
      const labels = Object.entries(next[i] as Values).map(([name, v]) => [name, isKnown(name) ? v : null]);
      const pasts = Object.entries(past[i] as Values).map(([name, v]) => {
        const scale = extensive.includes(name) ? options.horizon / options.lookback : 1;
        const value = v ?? meanPast(name);
        return [name.replace('next', 'past'), value == null ? null : value * scale];
      });
      return {
        wallet: row.wallet,
        asOf,
        ...Object.fromEntries(labels),
        labelEnd: to > last ? to : dateEnd <= last ? dateEnd : row.settledAt <= last ? row.settledAt : to,
        windowEnd: to,
        settledAt: row.settledAt,
        ...Object.fromEntries(pasts),
      };
    });
  });
}
