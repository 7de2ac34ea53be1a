import type { StageContext } from '../../contract/stage.ts';
import { formatMoment } from '../../tables/time.ts';
import { targetWallets } from '../../wallets/targets.ts';
import type { Params } from '../wallets-targets.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const sources = {
      trades: context.input('trades').path,
      markets: context.input('markets').path,
      resolutions: context.optionalInput('resolutions')?.path,
    };
    const result = await targetWallets(duck, sources, params, context.outputPath('table'), (done, total) => {
      if (done % 1000 === 0) context.throwIfCancelled();
      context.progress(done, total, 'wallets');
    });
    const [labelled] = await duck.rows<{ edge: number; profitable: number }>(
      `SELECT count(*) FILTER (NOT isnan(nextEdge))::DOUBLE AS edge,
         count(*) FILTER (nextProfitable = 1)::DOUBLE AS profitable FROM targets`,
    );
    const edge = labelled?.edge ?? 0;
    await context.writeMetrics('metrics', {
      scalars: {
        rows: result.rows,
        'rows.beyondData': result.censored,
        'rows.withEdge': edge,
        'share.profitable': edge === 0 ? null : (labelled?.profitable ?? 0) / edge,
      },
      notes: [
        `Labels describe the ${params.horizon} after each date; ${result.censored} of ${result.rows} rows lie within ${params.horizon} of the last trade (${formatMoment(result.extent.last)}) and have none.`,
        'Edge and profit count positions entered in the window, before their outcome was public, and settled in the data; a label is known when the last of them was.',
        ...(sources.resolutions === undefined ? ['Without resolutions no edge or profit is known.'] : []),
      ],
    });
  } finally {
    duck.close();
  }
}
