import type { StageContext } from '../../contract/stage.ts';
import { formatMoment, parseDuration } from '../../tables/time.ts';
import { profilePerpetuals } from '../../wallets/perpetuals/profile.ts';
import { netFinding, perpetualFigures, summarisePerpetuals } from '../../wallets/perpetuals/summary.ts';
import type { Params } from '../features-hyperliquid.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const sources = {
      fills: context.input('fills').path,
      quotes: context.optionalInput('quotes')?.path,
      books: context.optionalInput('books')?.path,
      candles: context.optionalInput('candles')?.path,
      transactions: context.optionalInput('transactions')?.path,
    };
    const options = {
      asOf: params.asOf,
      minFills: params.minFills,
      ages: {
        quote: parseDuration(params.maxQuoteAge),
        book: parseDuration(params.maxBookAge),
        candle: parseDuration(params.maxCandleAge),
      },
      impactHorizon: parseDuration(params.impactHorizon),
      candleInterval: params.candleInterval,
    };
    const file = context.outputPath('table');
    const result = await profilePerpetuals(duck, sources, options, file, (done, total) => {
      if (done % 1000 === 0) context.throwIfCancelled();
      context.progress(done, total, 'wallets');
    });
    const summary = await summarisePerpetuals(duck, file);
    const { times } = result.dates;
    const finding = params.describe === 'findings' ? netFinding(summary, context.rng('ahead')) : undefined;
    await context.writeMetrics('metrics', {
      scalars: {
        rows: result.rows,
        wallets: result.extent.wallets,
        coins: result.extent.coins,
        fills: result.extent.fills,
        executions: result.extent.executions,
        dates: times.length,
        merged: result.merged,
        'lastDate.wallets': summary.wallets,
        ...Object.fromEntries(Object.entries(summary.known).map(([name, n]) => [`missing.${name}`, result.rows - n])),
      },
      findings: finding === undefined ? [] : [finding],
      notes: [
        `${times.length} dates from ${formatMoment(times[0] as number)} to ${formatMoment(times[times.length - 1] as number)}, every ${params.asOf.every}, each with the ${params.asOf.lookback} before it.`,
        'A quote, book or candle counts from when it was received; without one the feature is unknown.',
        'Leverage and margin are no part of fills: they are not known here.',
      ],
    });
    await context.writeFigures('figures', perpetualFigures(summary, params.asOf.lookback));
  } finally {
    duck.close();
  }
}
