import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { Finding } from '../../contract/metrics.ts';
import type { StageContext } from '../../contract/stage.ts';
import { factsOf } from '../../facts/make.ts';
import type { Duck } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { type CalibrationBucket, calibrationOf } from '../../wallets/calibration.ts';
import { concentrationOf, shareWithInterval } from '../../wallets/concentration.ts';
import * as draw from '../../wallets/figures.ts';
import { aheadFinding, concentrationFinding } from '../../wallets/findings.ts';
import { originalDefects } from '../../wallets/profile/original.ts';
import { type ProfileResult, profileWallets } from '../../wallets/profile.ts';
import { type ProfileSummary, summariseProfiles } from '../../wallets/summary.ts';
import type { Params } from '../wallets-profile.ts';
import { openTaskDuck } from './task-duck.ts';

/** Of the memory granted, for databases of workers where they have any: their arrays need about as much. */
const WORKERS_SHARE = 0.3;

/** The facts that are connected, else made here by the same function. */
async function factsFor(context: StageContext<Params>, duck: Duck): Promise<string> {
  const given = context.optionalInput('facts')?.path;
  if (given !== undefined) return given;
  const scratch = await context.scratch();
  const folder = path.join(scratch, 'facts');
  const { threads, memoryMb } = context.resources;
  const limits = { threads, memoryMb: Math.floor(memoryMb * WORKERS_SHARE), scratch };
  await factsOf(duck, context.input('trades').path, folder, limits);
  return folder;
}

/** What is said of profiles by the original definitions: what is wrong with them. */
async function writeOriginal(context: StageContext<Params>, result: ProfileResult): Promise<void> {
  await context.writeMetrics('metrics', {
    scalars: { rows: result.rows, wallets: result.wallets, dates: result.dates.times.length },
    findings: [],
    notes: originalDefects.map((defect) => `Original definitions: ${defect}.`),
  });
  await context.writeFigures('figures', []);
}

export default async function run(context: StageContext<Params>): Promise<void> {
  const { params } = context;
  const duck = await openTaskDuck(context);
  try {
    const sources = {
      facts: await factsFor(context, duck),
      markets: context.input('markets').path,
      resolutions: context.optionalInput('resolutions')?.path,
      funding: context.optionalInput('funding')?.path,
    };
    const table = context.outputPath('table');
    const { threads, memoryMb } = context.resources;
    const result = await profileWallets(duck, sources, params, table, {
      threads,
      memoryMb: Math.floor(memoryMb * WORKERS_SHARE),
      scratch: await context.scratch(),
      progress: (done, total) => {
        context.throwIfCancelled();
        context.progress(done, total, 'buckets of wallets');
      },
    });
    if (params.definitions === 'original') {
      await writeOriginal(context, result);
      return;
    }
    const summary = await summariseProfiles(duck, sources.facts, result);
    const calibration =
      params.describe === 'nothing' || sources.resolutions === undefined
        ? []
        : await calibrationOf(duck, sources.facts);
    const described = describe(context, summary, calibration);
    const { times } = result.dates;
    const [firstDate, lastDate] = [times[0] as number, times[times.length - 1] as number].map(formatMoment);
    const last = summary.byDate.at(-1);
    const { marked } = summary;
    await context.writeMetrics('metrics', {
      scalars: {
        rows: result.rows,
        wallets: summary.wallets,
        dates: times.length,
        'lastDate.wallets': last?.wallets ?? 0,
        'lastDate.walletsSettled': last?.settled ?? 0,
        'lastDate.walletsMarked': marked.values.length,
        'lastDate.walletsAheadAtMark': marked.values.length === 0 ? null : marked.ahead,
        'lastDate.walletsBehindAtMark': marked.values.length === 0 ? null : marked.behind,
        'lastDate.markedPnlUsd': marked.values.length === 0 ? null : marked.totalUsd,
        ...described.scalars,
        ...Object.fromEntries(Object.entries(summary.missing).map(([name, count]) => [`missing.${name}`, count])),
      },
      findings: described.findings,
      notes: [
        `${times.length} dates from ${firstDate} to ${lastDate}, every ${params.asOf.every}, each with the ${params.asOf.lookback} before it; the trades run from ${formatMoment(result.extent.first)} to ${formatMoment(result.extent.last)}.`,
        'A resolution counts from the moment it could be known; fills made after that moment are no part of edge or profit.',
        ...(sources.resolutions === undefined ? ['Without resolutions no profit, win rate or edge is known.'] : []),
        ...(summary.missing['makerShare'] === result.rows
          ? ['The trades do not say who was maker and who was taker, so no share of either is known.']
          : []),
      ],
    });
    await context.writeFigures('figures', described.figures);
  } finally {
    duck.close();
  }
}

const making = (params: Params): draw.Making => ({ minTrades: params.minTrades, lookback: params.asOf.lookback });

/** Figures of the wallets as of the last date and of the prices they paid, and if asked for findings. */
function describe(
  context: StageContext<Params>,
  summary: ProfileSummary,
  calibration: readonly CalibrationBucket[],
): { figures: readonly Figure[]; findings: readonly Finding[]; scalars: Record<string, number> } {
  const { params } = context;
  const { marked } = summary;
  if (params.describe === 'nothing') return { figures: [], findings: [], scalars: {} };
  const found = concentrationOf(summary.volumes, context.rng('concentration'));
  const profit = draw.profitFigure(summary, making(params));
  const asked = params.describe === 'findings';
  const ahead =
    !asked || marked.values.length === 0 || summary.settledPnlUsd.length > 0
      ? undefined
      : aheadFinding(marked, shareWithInterval(marked.ahead, marked.values.length, context.rng('ahead')));
  return {
    figures: [
      draw.walletsByDate(summary, making(params)),
      ...(found !== undefined && asked ? [draw.volumeShares(found)] : []),
      ...(found === undefined
        ? []
        : [draw.largestWallets(summary, found, making(params)), draw.concentrationFigure(summary, found)]),
      ...(profit === undefined ? [] : [profit]),
      ...(calibration.length > 0 ? [draw.calibrationFigure(calibration)] : []),
    ],
    findings: [
      ...(found !== undefined && asked ? [concentrationFinding(found)] : []),
      ...(ahead === undefined ? [] : [ahead]),
    ],
    scalars:
      found === undefined
        ? {}
        : {
            'lastDate.volumeUsd': found.volumeUsd,
            'volumeShare.top1': found.top1.value,
            'volumeShare.top10': found.top10.value,
          },
  };
}
