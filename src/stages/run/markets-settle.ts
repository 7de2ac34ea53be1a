import type { StageContext } from '../../contract/stage.ts';
import { describeSettlement } from '../../markets/settlement/describe.ts';
import { millionths } from '../../markets/settlement/fees.ts';
import { feeCategories } from '../../markets/settlement/knowledge.ts';
import { settleMarkets } from '../../markets/settlement/settle.ts';
import { parseMoment } from '../../tables/time.ts';
import type { Params } from '../markets-settle.ts';
import { databaseMb, openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const schedules = context.optionalInput('feeSchedules')?.path;
    const result = await settleMarkets(
      duck,
      {
        trades: context.input('trades').path,
        markets: context.input('markets').path,
        facts: context.optionalInput('facts')?.path,
        resolutions: context.optionalInput('resolutions')?.path,
        flows: context.optionalInput('flows')?.path,
        feeSchedules: schedules,
      },
      {
        asOf: params.asOf === undefined ? undefined : parseMoment(params.asOf),
        fees: {
          mode: params.fees,
          rates: feeCategories.map((category) => millionths(params.curveRates[category])),
          from: params.curveFrom === undefined ? Number.NEGATIVE_INFINITY : parseMoment(params.curveFrom),
          rebate: millionths(params.makerRebateShare),
          scheduled: schedules !== undefined,
          winningRate: millionths(params.winningFeeRate),
          winningBase: params.winningFeeBase,
        },
        bucketFills: params.bucketFills,
      },
      {
        ledger: context.outputPath('ledger'),
        history: params.history ? context.outputPath('history') : undefined,
        names: params.names ? undefined : context.outputPath('names'),
      },
      {
        threads: context.resources.threads,
        memoryMb: databaseMb(context),
        scratch: await context.scratch(),
        progress: (done, total) => {
          context.throwIfCancelled();
          context.progress(done, total, 'buckets of wallets');
        },
      },
    );
    const described = describeSettlement(
      result,
      remarksOf(params, context.optionalInput('resolutions') === undefined, schedules !== undefined),
    );
    await context.writeMetrics('metrics', described.metrics);
    await context.writeFigures('figures', described.figures);
  } finally {
    duck.close();
  }
}

function remarksOf(params: Params, unresolved: boolean, scheduled: boolean): string[] {
  const fees = {
    none: 'No fees are charged.',
    recorded: 'Fees are those that the source recorded.',
    profit: `A fee of ${params.winningFeeRate} of the ${params.winningFeeBase} is charged on tokens that pay more than they cost.`,
    curve: `Takers pay shares * rate * p(1-p), by ${scheduled ? 'the fee schedule of the market, nothing before the first' : 'category of the market'}.`,
  }[params.fees];
  return [
    fees,
    ...(params.asOf === undefined ? [] : [`Nothing from ${params.asOf} on is used.`]),
    ...(unresolved ? ['Without resolutions nothing is settled; open positions are marked at the last price.'] : []),
  ];
}
