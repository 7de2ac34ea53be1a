import type { Finding } from '../../contract/metrics.ts';
import { drawStrip } from '../draw/forest.ts';
import {
  commonDecimals,
  count,
  decimalsOf,
  estimate,
  fixed,
  interval,
  known,
  plural,
  withUnit,
} from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import { svgElement } from '../draw/svg.ts';
import type { ReportModel } from '../model.ts';
import { blocksOf, type Entry, figureBlock, figureGrid } from './figures.ts';
import { glyph, worst } from './icons.ts';
import type { Chapter, Page } from './page.ts';
import { remarksOf } from './provenance.ts';
import { answerForest, claims, keyMetrics, type ModelMetric, modelOf, verdictOfFinding } from './select.ts';
import { unknown } from './tables.ts';

/** The first screen: question, answer, how sure, against what, and what was checked. */
export function answerChapter(model: ReportModel, page: Page): Chapter {
  const forest = answerForest(model);
  const entries: Entry[] = [];
  let drawn: Piece = null;
  if (forest !== undefined) {
    const id = page.anchor('f-answer');
    entries.push({ id, name: 'The answer drawn' });
    drawn = figureBlock(page, { stage: forest.stage, parts: [{ part: '', figure: forest.figure }] }, id, 6, {
      width: 524,
    });
  }
  const others = figureGrid(page, blocksOf(model, 'answer', forest?.made === false ? forest.figure : undefined));
  const strip = claims(model);
  const finding = model.findings[0];
  const about = model.experiment.about;
  const body = markup`<p class="about">${about}</p>
<div class="hero${drawn === null && ' alone'}"><div><h1 id="h-answer">${model.experiment.question}</h1>
${finding === undefined ? noAnswer(model) : answer(finding)}</div>${drawn}</div>
<ul class="strip" id="verdicts" aria-label="What was checked">${strip.map(
    (claim) =>
      markup`<li><a href="${claim.href}">${glyph(claim.verdict)}<span class="what">${claim.what}</span><span class="value">${claim.value}<small>${claim.detail}</small></span></a></li>`,
  )}</ul>
${keyFigures(keyMetrics(model), model.findings[0]?.stage)}`;
  const verdicts = strip.map((claim) => claim.verdict);
  if (finding === undefined) verdicts.push('fail');
  else if (finding.verdict !== 'no') verdicts.push(verdictOfFinding(finding.verdict));
  return {
    id: 'answer',
    name: 'Answer',
    lead: finding === undefined ? 'No answer.' : `${finding.headline} ${finding.sentence}`,
    verdict: worst(verdicts),
    entries: [...entries, ...others.entries],
    body,
    tail: markup`${further(model)}${others.body}`,
  };
}

function answer(finding: Finding): Markup {
  const long = finding.headline.length + finding.sentence.length > 280;
  return markup`<p class="answer${long && ' long'}"><strong class="${verdictOfFinding(finding.verdict)}">${finding.headline}</strong> ${finding.sentence}</p>
<p class="carried">${carried(finding)}</p>
${finding.decides !== undefined && markup`<p class="decides">${finding.decides}</p>`}`;
}

/** The numbers that carry a sentence: estimate, interval, n, baseline. */
function carried(finding: Finding): Piece {
  const { value, low, high, why } = finding.estimate;
  const base = finding.baseline;
  const range = interval(value, low, high);
  const number = known(value) ? markup`<b>${withUnit(estimate(value), finding.unit)}</b>` : unknown(why);
  const decimals = commonDecimals([value, base?.value]);
  const baseRange = base === undefined ? '' : interval(base.value, base.low, base.high, decimals);
  return [
    markup`<span class="nowrap">${finding.metric}${'\u00a0'}${number} ${range}</span>, <span class="nowrap">n = ${count(finding.n)}</span>`,
    base !== undefined &&
      markup`; <span class="nowrap">${base.label}${'\u00a0'}${known(base.value) ? withUnit(fixed(base.value, decimals), finding.unit) : unknown(base.why)} ${baseRange}</span>`,
    base === undefined && '; no baseline',
  ];
}

/** What stands where the answer would, if there is none: the reason, as plainly as an answer. */
function noAnswer(model: ReportModel): Markup {
  const reasons: string[] = [];
  if (model.failed.length > 0) reasons.push(`${plural(model.failed.length, 'task')} failed`);
  if (model.absent.length > 0) reasons.push(`${plural(model.absent.length, 'stage')} could not run here`);
  if (!model.run.complete && model.failed.length === 0) reasons.push('the run has not finished');
  if (reasons.length === 0) reasons.push('no stage of this experiment answers a question');
  const first = model.failed[0];
  const missing = model.absent[0];
  const detail: Piece =
    first !== undefined
      ? markup`First failure, in ${first.stage}${first.part !== '' && ` (${first.part})`}: ${first.error} <a href="#failed">All failures</a>`
      : missing !== undefined
        ? markup`${missing.stage}: ${missing.reason}. ${missing.fix} <a href="#absent">All absent stages</a>`
        : null;
  return markup`<p class="answer"><strong class="fail">No answer.</strong> This run does not answer the question: ${reasons.join('; ')}.</p>
${detail !== null && markup`<p class="decides">${detail}</p>`}`;
}

/** @param answering the stage that gives the answer: numbers of other stages say whose they are */
function keyFigures(metrics: readonly ModelMetric[], answering: string | undefined): Piece {
  if (metrics.length === 0) return null;
  const foreign = answering !== undefined && metrics.every((metric) => metric.stage !== answering);
  const targets = foreign || new Set(metrics.map((metric) => metric.target)).size > 1;
  const models = foreign || new Set(metrics.map(modelOf)).size > 1;
  const items = metrics.map((metric) => {
    const about = [models && modelOf(metric), targets && metric.target, metric.set !== 'test' && metric.set];
    const label = [metric.label, ...about.filter((part) => part !== false && part !== undefined)].join(', ');
    const base = metric.baseline;
    const range = interval(metric.value, metric.low, metric.high);
    const zero = zeroOf(metric);
    const decimals = known(metric.value) ? decimalsOf(metric.value) : 3;
    const shown = known(metric.value) ? estimate(metric.value, zero === 0) : unknown(metric.why);
    const name = `${label}: ${estimate(metric.value)} ${range}`;
    return markup`<li><span class="label">${label}</span><span class="big">${shown}${metric.unit !== undefined && markup` <small>${metric.unit}</small>`}</span>
<span class="plot strip-plot" data-strip="${JSON.stringify({ value: metric.value, low: metric.low, high: metric.high, base: base?.value, zero })}">${svgElement(drawStrip(metric, zero, 163), name)}</span>
<span class="range">${range === '' ? 'no interval' : range}</span><span class="range">${
      base === undefined
        ? 'no baseline'
        : markup`<i class="tick" aria-hidden="true"></i>${base.label}: ${known(base.value) ? fixed(base.value, decimals) : unknown(base.why)}`
    }</span></li>`;
  });
  return markup`<ul class="key-figures n-${items.length}" aria-label="Key figures">${items}</ul>`;
}

/** The value of "nothing" for metrics that have one. */
function zeroOf(metric: ModelMetric): number | undefined {
  if (metric.name === 'auc') return 0.5;
  return /^(spearman|pearson|kendall|r2|ic|rankIc|edge|sharpe|return|correlation)$/.test(metric.name) ? 0 : undefined;
}

/** Further findings, and where the remarks of the stages are. */
function further(model: ReportModel): Piece {
  const rest = model.findings.slice(1);
  return [
    rest.length > 0 &&
      markup`<div class="further"><h3>Also answered</h3><ul>${rest.map(
        (finding) =>
          markup`<li>${glyph(verdictOfFinding(finding.verdict))}<p><b>${finding.headline}</b> ${finding.sentence} <span class="hint">${carried(finding)}</span></p></li>`,
      )}</ul></div>`,
    model.notes.length > 0 &&
      markup`<p class="further hint"><a href="#remarks">${plural(remarksOf(model).length, 'remark')}</a> by the stages ${remarksOf(model).length === 1 ? 'stands' : 'stand'} at the end.</p>`,
  ];
}
