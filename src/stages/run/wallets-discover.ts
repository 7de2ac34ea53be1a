import type { StageContext } from '../../contract/stage.ts';
import type { Duck } from '../../tables/duck.ts';
import { formatMoment, parseMoment } from '../../tables/time.ts';
import { type Discovery, discover } from '../../wallets/discovery/discover.ts';
import { discoveryFigures } from '../../wallets/discovery/figures.ts';
import { discoveryFinding, truthFinding } from '../../wallets/discovery/findings.ts';
import { writeDiscovery } from '../../wallets/discovery/table.ts';
import { type Against, compareWithPlanted, skilledWallets } from '../../wallets/discovery/truth.ts';
import type { Params } from '../wallets-discover.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const truth = context.optionalInput('truth')?.path;
    let skilled: ReadonlySet<number> | undefined;
    const found = await discover(
      duck,
      {
        trades: context.input('trades').path,
        markets: context.input('markets').path,
        resolutions: context.input('resolutions').path,
      },
      {
        ...params,
        asOf: params.asOf === undefined ? undefined : parseMoment(params.asOf),
        recalibrateBy: params.null === 'recalibrated' ? params.recalibrateBy : undefined,
      },
      truth === undefined
        ? undefined
        : async () => {
            skilled = await skilledWallets(duck, truth);
            return { wallets: skilled, edges: params.planted };
          },
      (done, total) => {
        if (done % 1000 === 0) context.throwIfCancelled();
        context.progress(done, total, 'wallets');
      },
    );
    await writeDiscovery(duck, found.wallets, found.counts.asOf, context.outputPath('table'));
    const rate = params.falseDiscoveryRate;
    const against = skilled === undefined ? undefined : compareWithPlanted(found, skilled, rate, params.correction);
    await context.writeMetrics('metrics', {
      scalars: scalarsOf(found, against),
      findings:
        params.describe === 'findings'
          ? [discoveryFinding(found, params), ...(against === undefined ? [] : [truthFinding(against, rate)])]
          : [],
      notes: notesOf(found, params),
    });
    const drawn = { rate, minEvents: params.minEvents, answer: params.describe === 'findings', skilled };
    await context.writeFigures('figures', discoveryFigures(found, drawn, await namesOf(duck)));
  } finally {
    duck.close();
  }
}

function scalarsOf(found: Discovery, against: Against | undefined): Record<string, number | null> {
  const known = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(value) ? null : value;
  const { counts, model, wallets } = found;
  return {
    tested: wallets.length,
    untested: found.untested,
    found: wallets.filter((wallet) => wallet.found).length,
    significant: wallets.filter((wallet) => wallet.significant).length,
    smallestP: known(wallets.reduce((least, { p }) => (p < least || Number.isNaN(least) ? p : least), NaN)),
    trueEdgeSd: Math.sqrt(found.tau2),
    bets: counts.settled,
    'bets.pending': counts.pending,
    'bets.void': counts.void,
    'bets.late': counts.late,
    'bets.unclear': counts.unclear,
    events: counts.events,
    ...(model.slope === undefined ? {} : { 'null.slope': model.slope, 'null.events': model.events ?? null }),
    ...(against === undefined
      ? {}
      : {
          skilledTested: against.skilled,
          foundSkilled: against.right,
          precision: known(against.precision.value),
          'precision.low': known(against.precision.low),
          'precision.high': known(against.precision.high),
          recall: known(against.recall.value),
          'recall.low': known(against.recall.low),
          'recall.high': known(against.recall.high),
          predictedPower: known(against.predicted?.power),
          'predictedPower.low': known(against.predicted?.low),
          'predictedPower.high': known(against.predicted?.high),
          predictedLevel: known(against.predicted?.level),
        }),
  };
}

function notesOf({ counts, model }: Discovery, params: Params): string[] {
  return [
    `As of ${formatMoment(counts.asOf)}: one bet a wallet and event, its first fill; ${counts.settled.toLocaleString('en-US')} of ${counts.entered.toLocaleString('en-US')} are settled, ${counts.pending.toLocaleString('en-US')} await their outcome, ${counts.void.toLocaleString('en-US')} paid both sides half, ${counts.late.toLocaleString('en-US')} came when it was public, ${counts.unclear.toLocaleString('en-US')} do not tell their outcome.`,
    params.null === 'prices'
      ? 'Without skill a bet is taken to win as often as its all-in price says. The test is one-sided, so spreads and fees that wallets pay make it stricter; a wallet that earns the spread as a maker passes more easily (null: recalibrated takes that out).'
      : `Without skill a bet is taken to win as often as bets like it (price, ${params.recalibrateBy.join(', ') || 'nothing else'}) did for other wallets in other events, all settled before the date; slope ${(model.slope ?? NaN).toFixed(3)} on the logit of the price, from ${Math.round(model.events ?? 0).toLocaleString('en-US')} events at least.`,
  ];
}

/** Addresses, shortened as people do. */
async function namesOf(duck: Duck): Promise<(wallet: number) => string> {
  const rows = await duck.rows<{ id: number; wallet: string }>(
    'SELECT w.id::DOUBLE AS id, w.wallet FROM wallet_ids w JOIN tested t ON t.walletId = w.id ORDER BY w.id',
  );
  const names = new Map(rows.map(({ id, wallet }) => [id, wallet]));
  return (wallet) => {
    const name = names.get(wallet) ?? '';
    return name.length > 14 ? `${name.slice(0, 8)}…${name.slice(-4)}` : name;
  };
}
