import type { StageContext } from '../../contract/stage.ts';
import { formatMoment } from '../../tables/time.ts';
import { targetsFigure } from '../../wallets/targets/figure.ts';
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
    const knownOf = (name: string): number => result.summaries.find(({ target }) => target.name === name)?.known ?? 0;
    const scalars: Record<string, number | null> = {
      rows: result.rows,
      'rows.beyondData': result.censored,
      'rows.unsettled': result.unsettled,
    };
    if (params.families.includes('outcomes')) {
      const edge = knownOf('nextEdge');
      const [profitable] = await duck.rows<{ count: number }>(
        'SELECT count(*) FILTER (nextProfitable = 1)::DOUBLE AS "count" FROM targets',
      );
      scalars['rows.withEdge'] = edge;
      scalars['share.profitable'] = edge === 0 ? null : (profitable?.count ?? 0) / edge;
    }
    for (const { target, known, baselineSpearman } of result.summaries) {
      scalars[`coverage.${target.name}`] = result.rows === 0 ? null : known / result.rows;
      if (params.baselines)
        scalars[`baseline.${target.name}.spearman`] = Number.isNaN(baselineSpearman) ? null : baselineSpearman;
    }
    await context.writeMetrics('metrics', {
      scalars,
      notes: [
        `Labels describe the ${params.horizon} after each date; ${result.censored} of ${result.rows} rows lie within ${params.horizon} of the last trade (${formatMoment(result.extent.last)}) and have none.`,
        'Edge and profit count positions entered in the window, before their outcome was public; a label is known when the last of them was.',
        params.settleWithin === null
          ? 'Outcomes count however late they came, as far as the data go: rows near the end may lack some.'
          : `Outcomes count if they came within ${params.settleWithin} of the window's end; ${result.unsettled} rows have no labels that need settlement, since the data end before that.`,
        ...(sources.resolutions === undefined ? ['Without resolutions no edge or profit is known.'] : []),
      ],
    });
    await context.writeFigures('figures', [targetsFigure(result.summaries, result.rows, params.horizon)]);
  } finally {
    duck.close();
  }
}
