/** How a wallet trades: how much, how often, when, in what, with whom, to which side. */
import { log } from '../../numeric/elementary.ts';
import { DAY, HOUR } from '../../tables/time.ts';
import { count, feature, type Group, Moments, share, type Window } from './columns.ts';

const BINS = 10;

const columns = [
  count('fillCount', 'fills', 'Fills in the window'),
  count('executionCount', 'executions', 'Executions: fills of one order in one moment count once'),
  feature('ageDays', 'days', 'Time since the first fill of the wallet ever seen'),
  feature(
    'executionsPerDay',
    'executions/day',
    'Executions by the days observed: the window, or the age if shorter, at least one',
  ),
  count('coinCount', 'coins', 'Distinct coins'),
  count('counterpartyCount', 'wallets', 'Distinct counterparties; unknown if no fill names one'),
  feature('coinDiversity', 'index', '1 less the sum of squared shares of USD by coin; 0 is a single coin'),
  feature('counterpartyDiversity', 'index', '1 less the sum of squared shares of fills by counterparty'),
  feature(
    'burstiness',
    'ratio',
    'Sample standard deviation of the gaps between executions by their mean; unknown below two gaps',
  ),
  feature('hourEntropy', 'share', 'Entropy of the UTC hours of executions by that of 24 equal hours'),
  feature('totalUsd', 'USD', 'Value of all fills, bought and sold'),
  feature('meanUsd', 'USD', 'Mean value of an execution'),
  feature('maxUsd', 'USD', 'Largest execution'),
  feature('usdDeviation', 'USD', 'Sample standard deviation of the values of executions; unknown below two'),
  feature(
    'sizeEntropy',
    'share',
    'Entropy of the values of executions in ten equal bins from smallest to largest by that of ten equal shares; 0 if all are equal, unknown below two',
  ),
  feature('buyShare', 'share', 'Executions that buy'),
  feature(
    'longShare',
    'share',
    'Fills that open or add to a long position among those that open or add to any; perpetuals',
  ),
  feature('flipRate', 'share', 'Consecutive executions in one coin that change side; unknown without such a pair'),
  count('spotFillCount', 'fills', 'Fills on spot'),
  feature('spotUsd', 'USD', 'Value of fills on spot'),
];

export const activity: Group = { columns, values: activityOf };

function activityOf({ fills, begin, end, asOf, lookback }: Window): number[] {
  const { time, coin, spot, counterparty, sign, usd, size, startPosition, executionUsd } = fills.of;
  const usdByCoin = new Map<number, number>();
  const fillsByParty = new Map<number, number>();
  const hours = new Float64Array(24);
  const values = new Moments();
  const executed: number[] = [];
  const sizes: number[] = [];
  let [total, spotFills, spotUsd, named] = [0, 0, 0, 0];
  let [buys, long, short] = [0, 0, 0];
  for (let i = begin; i < end; i++) {
    const value = usd[i] as number;
    const inCoin = coin[i] as number;
    total += value;
    usdByCoin.set(inCoin, (usdByCoin.get(inCoin) ?? 0) + value);
    const party = counterparty[i] as number;
    if (!Number.isNaN(party)) {
      named++;
      fillsByParty.set(party, (fillsByParty.get(party) ?? 0) + 1);
    }
    const direction = sign[i] as number;
    if (spot[i] === 1) {
      spotFills++;
      spotUsd += value;
    } else if (opens(startPosition[i] as number, direction * (size[i] as number))) {
      if (direction > 0) long++;
      else short++;
    }
    if (Number.isNaN(executionUsd[i] as number)) continue;
    values.add(executionUsd[i] as number);
    sizes.push(executionUsd[i] as number);
    executed.push(i);
    (hours[Math.floor((time[i] as number) / HOUR) % 24] as number)++;
    if (direction > 0) buys++;
  }
  // Known in this order, but it is their own times that tell which came after which.
  executed.sort((a, b) => (time[a] as number) - (time[b] as number) || a - b);
  const age = (asOf - (time[0] as number)) / DAY;
  const observed = Math.min(lookback / DAY, Math.max(1, age));
  const executions = values.n;
  return [
    end - begin,
    executions,
    age,
    executions / observed,
    usdByCoin.size,
    named === 0 ? Number.NaN : fillsByParty.size,
    diversity(usdByCoin.values(), total),
    diversity(fillsByParty.values(), named),
    burstiness(executed.map((i) => time[i] as number)),
    Math.min(1, entropy(hours, executions) / log(24)),
    total,
    values.mean,
    values.max,
    values.deviation,
    sizeEntropy(sizes),
    share(buys, executions),
    share(long, long + short),
    flipRate(executed, coin, sign),
    spotFills,
    spotUsd,
  ];
}

/** Whether a fill makes a position larger, or turns it round. NaN positions open nothing: it is not known. */
function opens(start: number, change: number): boolean {
  return Math.abs(start + change) > Math.abs(start) || start * (start + change) < 0;
}

function diversity(parts: Iterable<number>, total: number): number {
  if (!(total > 0)) return Number.NaN;
  let squares = 0;
  for (const part of parts) squares += (part / total) ** 2;
  // Rounding must not leave a hair below 0.
  return Math.max(0, 1 - squares);
}

/** Share of pairs of consecutive executions in one coin whose sides differ. */
function flipRate(executed: readonly number[], coin: Float64Array, sign: Float64Array): number {
  const last = new Map<number, number>();
  let [flips, pairs] = [0, 0];
  for (const i of executed) {
    const before = last.get(coin[i] as number);
    if (before !== undefined) {
      pairs++;
      if (before !== sign[i]) flips++;
    }
    last.set(coin[i] as number, sign[i] as number);
  }
  return share(flips, pairs);
}

/** Sample standard deviation of the gaps between ascending times by their mean. */
function burstiness(times: readonly number[]): number {
  if (times.length < 3) return Number.NaN;
  const gaps = new Moments();
  for (let i = 1; i < times.length; i++) gaps.add((times[i] as number) - (times[i - 1] as number));
  return gaps.mean > 0 ? gaps.deviation / gaps.mean : Number.NaN;
}

/** Shannon entropy of counts, in nats; NaN of none. */
function entropy(counts: Float64Array, n: number): number {
  if (n === 0) return Number.NaN;
  let sum = 0;
  for (const one of counts) if (one > 0) sum -= (one / n) * log(one / n);
  return Math.max(0, sum);
}

function sizeEntropy(sizes: readonly number[]): number {
  if (sizes.length < 2) return Number.NaN;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const size of sizes) {
    least = Math.min(least, size);
    most = Math.max(most, size);
  }
  if (least === most) return 0;
  const bins = new Float64Array(BINS);
  for (const size of sizes) {
    const bin = Math.min(BINS - 1, Math.floor((BINS * (size - least)) / (most - least)));
    (bins[bin] as number)++;
  }
  return Math.min(1, entropy(bins, sizes.length) / log(BINS));
}
