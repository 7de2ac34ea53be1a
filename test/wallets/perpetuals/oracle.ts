/**
 * The features once more, slowly and from their definitions: every execution looks through all quotes, books and
 * candles. It shares no code with what it checks.
 */
export type Raw = Readonly<Record<string, unknown>>;

export interface RawTables {
  readonly fills: readonly Raw[];
  readonly quotes: readonly Raw[];
  readonly books: readonly Raw[];
  readonly candles: readonly Raw[];
}

const at = (row: Raw, name: string): number => (row[name] as Date).getTime();
const num = (row: Raw, name: string): number | null => row[name] as number | null;

type Values = readonly (number | null | undefined)[];
const known = (values: Values): number[] => values.filter((value) => value !== null && value !== undefined);
const meanOf = (values: Values): number | null => {
  const all = known(values);
  return all.length === 0 ? null : all.reduce((a, b) => a + b, 0) / all.length;
};
const deviationOf = (values: Values): number | null => {
  const all = known(values);
  const mean = meanOf(all) as number;
  return all.length < 2 ? null : Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (all.length - 1));
};
const maxOf = (values: Values): number | null => (known(values).length === 0 ? null : Math.max(...known(values)));
const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

const latest = (rows: readonly Raw[], moment: number, age: number, strict: boolean): Raw | undefined => {
  let best: Raw | undefined;
  for (const row of rows) {
    const when = at(row, 'knowableAt');
    if (strict ? when >= moment : when > moment) continue;
    if (best === undefined || when >= at(best, 'knowableAt')) best = row;
  }
  return best !== undefined && moment - at(best, 'knowableAt') <= age ? best : undefined;
};

interface Settings {
  readonly lookbackMs: number;
  readonly horizonMs: number;
  readonly quoteAgeMs: number;
  readonly candleAgeMs: number;
}

/** Features of one wallet as of a moment (milliseconds), by name; undefined if it has no fill in the window. */
export function oracle(
  tables: RawTables,
  wallet: string,
  asOf: number,
  settings: Settings,
): Readonly<Record<string, number | null>> | undefined {
  const fills = tables.fills.filter(
    (row) =>
      row['wallet'] === wallet && at(row, 'knowableAt') < asOf && at(row, 'knowableAt') >= asOf - settings.lookbackMs,
  );
  if (fills.length === 0) return undefined;
  const groups = new Map<string, Raw[]>();
  for (const row of fills) {
    const key = ['coin', 'time', 'knowableAt', 'side', 'role', 'transaction']
      .map((name) => String(row[name] instanceof Date ? at(row, name) : row[name]))
      .join();
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const executions = [...groups.values()].map((rows) => describe(rows, tables, asOf, settings));
  const takers = executions.filter(({ maker }) => !maker);
  const makers = executions.filter(({ maker }) => maker);
  const inCandle = executions.map(({ candle }) => candle).filter((one) => one !== undefined);
  const candleOf = (f: (o: number, h: number, l: number, c: number, v: number) => number | null): Values =>
    inCandle.map((one) =>
      f(
        ...(['open', 'high', 'low', 'close', 'volume'].map((name) => num(one, name)) as [
          number,
          number,
          number,
          number,
          number,
        ]),
      ),
    );
  const volatility = candleOf((o, h, l) => (h - l) / o);
  const momentum = candleOf((o, _h, _l, c) => (c - o) / o);
  const trend = candleOf((o, h, l, c) => (h === l ? null : Math.abs(c - o) / (h - l)));
  const volume = candleOf((_o, _h, _l, _c, v) => v);
  const coins = [...new Set(executions.map(({ coin }) => coin))];
  const pairs = coins.flatMap((coin) => {
    const own = executions.filter((one) => one.coin === coin);
    return own.slice(1).map((one, i) => (one.sign === own[i]?.sign ? 0 : 1) as number);
  });
  const sided = coins.map((coin) => {
    const usd = (sign: number): number =>
      makers.filter((one) => one.coin === coin && one.sign === sign).reduce((sum, one) => sum + one.usd, 0);
    return [usd(1), usd(-1)] as [number, number];
  });
  const makerShare = shareOf(makers.length, executions.length);
  const twoSidedness = shareOf(
    sided.reduce((sum, [a, b]) => sum + 2 * Math.min(a, b), 0),
    sided.reduce((sum, [a, b]) => sum + a + b, 0),
  );
  return {
    fillCount: fills.length,
    executionCount: executions.length,
    coinCount: coins.length,
    counterpartyCount: new Set(fills.map((row) => row['counterparty'])).size,
    totalUsd: fills.reduce((sum, row) => sum + (row['usd'] as number), 0),
    meanUsd: meanOf(executions.map(({ usd }) => usd)),
    usdDeviation: deviationOf(executions.map(({ usd }) => usd)),
    flipRate: meanOf(pairs),
    quotedShare: executions.filter(({ mid }) => mid !== null).length / executions.length,
    slippageMean: meanOf(executions.map(({ beyond }) => (beyond === null ? null : Math.abs(beyond)))),
    slippageDeviation: deviationOf(executions.map(({ beyond }) => (beyond === null ? null : Math.abs(beyond)))),
    takerSlippageBps: meanOf(takers.map(({ beyond }) => (beyond === null ? null : 1e4 * beyond))),
    makerCaptureBps: meanOf(makers.map(({ beyond }) => (beyond === null ? null : -1e4 * beyond))),
    bookWalkBps: meanOf(takers.map(({ walk }) => walk)),
    depthShareMean: meanOf(takers.map(({ depth }) => depth)),
    depthShareMax: maxOf(takers.map(({ depth }) => depth)),
    priceImpactBps: meanOf(takers.map(({ impact }) => impact)),
    orderBookParticipation: meanOf(makers.map(({ participation }) => participation)),
    momentumScore: meanOf(
      executions.map(({ change, sign }) => (change === null ? null : Math.max(0, Math.min(1, 10 * change * sign)))),
    ),
    meanReversionScore: meanOf(
      executions.map(({ change, sign }) => (change === null ? null : Math.max(0, Math.min(1, -10 * change * sign)))),
    ),
    makerShare,
    twoSidedness,
    marketMakerScore: makers.length === 0 ? makerShare : (makerShare as number) * (twoSidedness as number),
    candleVolatilityMean: meanOf(volatility),
    candleVolatilityDeviation: deviationOf(volatility),
    candleMomentumMean: meanOf(momentum),
    candleMomentumMax: maxOf(momentum),
    candleTrendMean: meanOf(trend),
    candleVolumeDeviation: deviationOf(volume),
    positiveMomentumRatio: meanOf(momentum.map((one) => ((one as number) > 0 ? 1 : 0))),
  };
}

function describe(rows: readonly Raw[], tables: RawTables, asOf: number, settings: Settings) {
  const first = rows[0] as Raw;
  const coin = first['coin'] as string;
  const time = at(first, 'time');
  const sign = first['side'] === 'BUY' ? 1 : -1;
  const maker = first['role'] === 'maker';
  const usd = rows.reduce((sum, row) => sum + (row['usd'] as number), 0);
  const size = rows.reduce((sum, row) => sum + (row['size'] as number), 0);
  const ofCoin = (all: readonly Raw[]): Raw[] => all.filter((row) => row['coin'] === coin);
  const middle = (one: Raw | undefined): number | null => {
    const [bid, ask] = one === undefined ? [null, null] : [num(one, 'bid'), num(one, 'ask')];
    return bid === null || ask === null ? null : (bid + ask) / 2;
  };
  const quotes = ofCoin(tables.quotes);
  const before = latest(quotes, time, settings.quoteAgeMs, true);
  const mid = middle(before);
  const beyond = mid === null ? null : (sign * (usd / size - mid)) / mid;
  const later = time + settings.horizonMs;
  const laterMid = later < asOf ? middle(latest(quotes, later, settings.quoteAgeMs, false)) : null;
  const best = before === undefined ? null : num(before, sign > 0 ? 'bid' : 'ask');
  const quoted = before === undefined ? null : num(before, sign > 0 ? 'bidSize' : 'askSize');
  const participation = best === null ? null : first['price'] === best ? Math.min(1, size / (quoted as number)) : 0;

  const books = ofCoin(tables.books);
  const snapshot = latest(books, time, settings.quoteAgeMs, true)?.['snapshot'];
  const side = (name: string): Raw[] =>
    books
      .filter((row) => snapshot !== undefined && row['snapshot'] === snapshot && row['side'] === name)
      .sort((a, b) => (a['level'] as number) - (b['level'] as number));
  const opposite = side(sign > 0 ? 'ASK' : 'BID');
  const own = side(sign > 0 ? 'BID' : 'ASK');
  let [left, paid] = [size, 0];
  for (const row of opposite) {
    const part = Math.min(left, row['size'] as number);
    paid += part * (row['price'] as number);
    left -= part;
  }
  const bookMid =
    opposite.length > 0 && own.length > 0
      ? ((opposite[0]?.['price'] as number) + (own[0]?.['price'] as number)) / 2
      : null;
  const walk = bookMid === null || left > 1e-9 ? null : (1e4 * sign * (paid / size - bookMid)) / bookMid;
  const top = opposite.slice(0, 5).reduce((sum, row) => sum + (row['size'] as number), 0);

  const candles = ofCoin(tables.candles);
  const past = candles
    .filter((row) => at(row, 'knowableAt') < time)
    .sort((a, b) => at(b, 'time') - at(a, 'time'))
    .find((row) => time - at(row, 'knowableAt') <= settings.candleAgeMs);
  return {
    coin,
    sign,
    maker,
    usd,
    mid,
    beyond,
    participation,
    walk,
    depth: top === 0 ? null : Math.min(1, size / top),
    impact: mid === null || laterMid === null ? null : (1e4 * sign * (laterMid - mid)) / mid,
    change:
      past === undefined ? null : ((past['close'] as number) - (past['open'] as number)) / (past['open'] as number),
    candle: candles.find(
      (row) => at(row, 'time') <= time && at(row, 'closesAt') >= time && at(row, 'knowableAt') < asOf,
    ),
  };
}
