import type { StageContext } from '../../contract/stage.ts';
import { identifier } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { tradeFeatures } from '../../wallets/trade-features/columns.ts';
import { describeTrades } from '../../wallets/trade-features.ts';
import type { Params } from '../features-trades.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const sources = {
      trades: context.input('trades').path,
      markets: context.input('markets').path,
      resolutions: context.optionalInput('resolutions')?.path,
      events: context.optionalInput('events')?.path,
      quotes: context.optionalInput('quotes')?.path,
    };
    const result = await describeTrades(
      duck,
      sources,
      params,
      context.rng('sample'),
      context.outputPath('table'),
      (done, total) => {
        if (done % 1000 === 0) context.throwIfCancelled();
        context.progress(done, total, 'wallets');
      },
    );
    const missing = tradeFeatures
      .map(({ name }) => `count(*) FILTER (isnan(${identifier(name)}))::DOUBLE AS ${identifier(name)}`)
      .join(', ');
    const [counts] = await duck.rows<Record<string, number>>(
      `SELECT count(*) FILTER (profitable = 1)::DOUBLE AS profitable, ${missing} FROM trade_rows`,
    );
    const { profitable = 0, ...unknown } = counts ?? {};
    const { rows, labelled } = result;
    const unpriced = rows - labelled - result.beyondData;
    await context.writeMetrics('metrics', {
      scalars: {
        rows,
        'rows.labelled': labelled,
        'rows.beyondData': result.beyondData,
        'rows.withoutPriceAtHorizon': unpriced,
        'fills.withoutToken': result.nameless,
        'fills.afterOutcome': result.public,
        'share.profitable': labelled === 0 ? null : profitable / labelled,
        ...Object.fromEntries(
          Object.entries(unknown)
            .filter(([, count]) => count > 0)
            .map(([name, count]) => [`missing.${name}`, count]),
        ),
      },
      notes: [
        `A fill is judged on its own token ${params.horizon} later, after costs; ${labelled} of ${rows} have a label, ${unpriced} had no price within ${params.tolerance} before that, ${result.beyondData} reach past the last trade (${formatMoment(result.extent.last)}).`,
        sources.quotes === undefined
          ? 'The spread is that of the last fills of takers, not of quotes.'
          : 'The spread is that of the last quote.',
        ...(sources.events === undefined ? ['Without events no planned end is known.'] : []),
        ...(params.sampleRows === null
          ? []
          : [`A sample of ${params.sampleRows} fills was drawn before others were left out.`]),
      ],
    });
  } finally {
    duck.close();
  }
}
