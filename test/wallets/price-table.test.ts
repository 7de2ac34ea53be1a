import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import { RECORD } from '../../src/wallets/profile/market-records.ts';
import { type FoundPrices, PriceTable } from '../../src/wallets/profile/price-table.ts';

const DAY = 86_400e6;
const START = 20_000 * DAY;
const dates = { times: Float64Array.from({ length: 9 }, (_, q) => START + q * DAY), every: DAY, lookback: 3 * DAY };

interface Fill {
  readonly token: number;
  readonly time: number;
  readonly seq: number;
  readonly usd: number;
  readonly shares: number;
  readonly fee: number | undefined;
  /** Bit 0: bought; bits 1-2: outcome. */
  readonly flags: number;
}

interface Case {
  readonly tokens: number;
  /** Two tokens each; event, category, payouts, when known, closed and created. */
  readonly markets: Float64Array;
  readonly fills: readonly Fill[];
}

const marketOf = (token: number): number => token >> 1;

function makeCase(seed: number, tokens: number, count: number): Case {
  const rng = makeRng('prices', seed);
  const markets = new Float64Array((RECORD * tokens) / 2);
  for (let k = 0; k < tokens / 2; k++) {
    const half0 = rng.below(3);
    const known = rng.uniform() < 0.3 ? Number.POSITIVE_INFINITY : START + Math.floor((rng.uniform() * 14 - 4) * DAY);
    const closed = Math.min(known, START + Math.floor((rng.uniform() * 14 - 4) * DAY));
    markets.set([0, 0, half0, 2 - half0, known, closed, 0], RECORD * k);
  }
  const fills = Array.from({ length: count }, (_, seq) => ({
    token: rng.uniform() < 0.05 ? -1 : rng.below(tokens),
    // Some exactly at a date.
    time: START + (rng.uniform() < 0.1 ? (rng.below(14) - 5) * DAY : Math.floor((rng.uniform() * 14 - 5) * DAY)),
    seq: 7 + 3 * seq,
    usd: rng.below(1e9),
    shares: rng.uniform() < 0.05 ? 0 : rng.below(2e9),
    fee: rng.uniform() < 0.3 ? undefined : rng.below(1000),
    flags: rng.below(6),
  }));
  return { tokens, markets, fills };
}

/** What the table finds in some fills, whose order means nothing. */
function found({ tokens, markets }: Case, fills: readonly Fill[]): FoundPrices {
  const table = new PriceTable({ dates, markets, tokens });
  const { kernels } = table;
  const rows = fills.length;
  const put = (values: readonly number[]): number => {
    const at = kernels.allocate(8 * Math.max(1, values.length));
    new BigInt64Array(kernels.memory.buffer, at, values.length).set(values.map((value) => BigInt(value)));
    return at;
  };
  const fees = fills.flatMap(({ fee }) => fee ?? []);
  const columns = {
    token: put(fills.map((fill) => fill.token)),
    market: put(fills.map((fill) => Math.max(0, marketOf(fill.token)))),
    time: put(fills.map((fill) => fill.time)),
    seq: put(fills.map((fill) => fill.seq)),
    usd: put(fills.map((fill) => fill.usd)),
    shares: put(fills.map((fill) => fill.shares)),
    fee: put(fees),
  };
  const [feePresent, flags, meaning] = [rows, 4 * rows, 4 * 6].map((bytes) => kernels.allocate(bytes)) as [
    number,
    number,
    number,
  ];
  const { buffer } = kernels.memory;
  new Uint8Array(buffer, feePresent, rows).set(fills.map(({ fee }) => Number(fee !== undefined)));
  // Places in a list that stands the other way round.
  new Int32Array(buffer, flags, rows).set(fills.map((fill) => 5 - fill.flags));
  new Int32Array(buffer, meaning, 6).set([5, 4, 3, 2, 1, 0]);
  table.count({ ...columns, feePresent, flags, meaning }, rows);
  return table.found();
}

/** The same by plain loops: prices by `token date` and by token; sums by date. */
function plainly({ markets, fills }: Case) {
  const marks = new Map<string, number>();
  const closing = new Map<number, number>();
  const earned = new Array<bigint>(dates.times.length).fill(0n);
  const invested = new Array<bigint>(dates.times.length).fill(0n);
  const last = dates.times.at(-1) as number;
  for (const { token, time, usd, shares, fee, flags } of fills) {
    if (token < 0 || time >= last) continue;
    const [, , half0, half1, known, closed] = markets.subarray(RECORD * marketOf(token)) as unknown as number[];
    if (time < START - dates.lookback && (known as number) < START - dates.lookback) continue;
    const first = dates.times.findIndex((date) => date > time);
    if (shares > 0) {
      marks.set(`${token} ${first}`, usd / shares);
      if (time < (closed as number)) closing.set(token, usd / shares);
    }
    const outcome = flags >> 1;
    if (outcome > 1 || time >= (known as number)) continue;
    const bought = (flags & 1) === 1;
    const gain = BigInt(shares) * BigInt((outcome === 0 ? half0 : half1) as number) - 2n * BigInt(usd);
    dates.times.forEach((date, q) => {
      if (time >= date || time < date - dates.lookback || (known as number) >= date) return;
      earned[q] = (earned[q] as bigint) + (bought ? gain : -gain) - 2n * BigInt(fee ?? 0);
      if (bought) invested[q] = (invested[q] as bigint) + BigInt(usd);
    });
  }
  return { marks, closing, earned, invested };
}

function readable({ cells, closing, earned, invested }: FoundPrices): ReturnType<typeof plainly> {
  const summed = (steps: BigInt64Array): bigint[] => {
    let sum = 0n;
    return Array.from(steps, (step) => (sum += step));
  };
  const cellKeys = Array.from(cells.tokens, (token, i) => `${token} ${cells.dates[i]}`);
  const tokens = Array.from({ length: closing.length / 2 }, (_, token) => token);
  return {
    marks: new Map(cellKeys.map((key, i) => [key, cells.marks[i] as number])),
    closing: new Map(tokens.filter((k) => closing[2 * k] !== 0).map((k) => [k, closing[2 * k + 1] as number])),
    earned: summed(earned),
    invested: summed(invested),
  };
}

const shuffled = (fills: readonly Fill[], seed: number): Fill[] => {
  const rng = makeRng('order', seed);
  return fills
    .map((fill) => ({ fill, key: rng.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ fill }) => fill);
};

describe('prices of tokens', () => {
  it('are those of the last fills, whatever their order and however they are shared out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 4 }),
        (seed, count, lots) => {
          const made = makeCase(seed, 12, count);
          const fills = shuffled(made.fills, seed);
          const all = new PriceTable({ dates, markets: made.markets, tokens: made.tokens });
          for (let lot = 0; lot < lots; lot++)
            all.take(
              found(
                made,
                fills.filter((_, i) => i % lots === lot),
              ),
            );
          expect(readable(all.found())).toEqual(plainly(made));
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  it('are found among more tokens than there was room for at first', () => {
    const made = makeCase(5, 30_000, 60_000);
    const half = made.fills.length / 2;
    const all = new PriceTable({ dates, markets: made.markets, tokens: made.tokens });
    all.take(found(made, made.fills.slice(half)));
    all.take(found(made, made.fills.slice(0, half)));
    const plain = plainly(made);
    expect(plain.marks.size).toBeGreaterThan(30_000);
    expect(readable(all.found())).toEqual(plain);
  });
});
