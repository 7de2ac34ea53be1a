import type { StageContext } from '../../contract/stage.ts';
import { describeSettlement } from '../../markets/settlement/describe.ts';
import { feeCategories } from '../../markets/settlement/events.ts';
import { millionths } from '../../markets/settlement/fees.ts';
import { settleMarkets } from '../../markets/settlement/settle.ts';
import { parseMoment } from '../../tables/time.ts';
import type { Params } from '../markets-settle.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const result = await settleMarkets(
      duck,
      {
        trades: context.input('trades').path,
        markets: context.input('markets').path,
        resolutions: context.optionalInput('resolutions')?.path,
        flows: context.optionalInput('flows')?.path,
      },
      {
        asOf: params.asOf === undefined ? undefined : parseMoment(params.asOf),
        fees: {
          mode: params.fees,
          rates: feeCategories.map((category) => millionths(params.curveRates[category])),
          from: params.curveFrom === undefined ? Number.NEGATIVE_INFINITY : parseMoment(params.curveFrom),
          rebate: millionths(params.makerRebateShare),
          winningRate: millionths(params.winningFeeRate),
          winningBase: params.winningFeeBase,
        },
      },
      context.outputPath('ledger'),
      (done, total) => {
        context.throwIfCancelled();
        context.progress(done, total, 'fills and flows');
      },
    );
    const described = await describeSettlement(
      duck,
      result,
      remarksOf(params, context.optionalInput('resolutions') === undefined),
    );
    await context.writeMetrics('metrics', described.metrics);
    await context.writeFigures('figures', described.figures);
  } finally {
    duck.close();
  }
}

function remarksOf(params: Params, unresolved: boolean): string[] {
  const fees = {
    none: 'No fees are charged.',
    recorded: 'Fees are those that the source recorded.',
    profit: `A fee of ${params.winningFeeRate} of the ${params.winningFeeBase} is charged on tokens that pay more than they cost.`,
    curve: 'Takers pay shares * rate * p(1-p), by category of the market.',
  }[params.fees];
  return [
    fees,
    ...(params.asOf === undefined ? [] : [`Nothing from ${params.asOf} on is used.`]),
    ...(unresolved ? ['Without resolutions nothing is settled; open positions are marked at the last price.'] : []),
  ];
}
