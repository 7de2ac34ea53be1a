import type { Quality } from '../../contract/metrics.ts';
import { compact, count, day, known, percent, plain, plural, withUnit } from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import type { ReportModel } from '../model.ts';
import { blocksOf, type Entry, figureGrid } from './figures.ts';
import { glyph, wordOf, worst } from './icons.ts';
import type { Chapter, Page } from './page.ts';
import { facts, richTable, unknown } from './tables.ts';

/** What became of the rows, and which leaks were looked for. */
export function dataChapter(model: ReportModel, page: Page): Chapter | undefined {
  const figures = figureGrid(page, blocksOf(model, 'data'));
  if (model.quality.length === 0 && model.checks.length === 0 && figures.entries.length === 0) return undefined;
  const entries: Entry[] = [];
  const sources = model.quality.map((quality) => {
    const id = page.anchor(`source-${quality.stage}-${quality.source}`);
    entries.push({ id, name: quality.source });
    return source(quality, id);
  });
  const checks: Piece = model.checks.length > 0 && checkTable(model);
  if (model.checks.length > 0) entries.push({ id: page.anchor('checks'), name: 'Leaks checked' });
  return {
    id: 'data',
    name: 'Data',
    lead: lead(model),
    verdict: worst(model.checks.map((check) => check.verdict)),
    entries: [...entries, ...figures.entries],
    body: markup`${sources}${figures.body}${checks}`,
  };
}

function lead(model: ReportModel): string {
  const sum = (of: (quality: Quality) => number): number => model.quality.reduce((total, q) => total + of(q), 0);
  const read = sum((quality) => quality.rowsRead);
  const kept = sum((quality) => quality.rowsKept);
  const failed = model.checks.filter((check) => check.verdict === 'fail').length;
  const leaks =
    model.checks.length === 0
      ? 'no leak was looked for'
      : failed > 0
        ? `${plural(failed, 'leak check')} of ${model.checks.length} ${failed === 1 ? 'fails' : 'fail'}`
        : `${plural(model.checks.length, 'leak check')} found nothing against it`;
  if (model.quality.length === 0) return `${leaks.charAt(0).toUpperCase()}${leaks.slice(1)}.`;
  const rows =
    kept === read ? `All ${compact(read)} rows are kept` : `${compact(kept)} of ${compact(read)} rows are kept`;
  const open = model.checks.some((check) => check.verdict === 'undecided') && failed === 0;
  return `${rows}; ${open ? 'some leak checks are undecided' : leaks}.`;
}

function period(quality: Quality): Piece {
  const [from, to] = [quality.from, quality.to].map((text) => (text === undefined ? Number.NaN : Date.parse(text)));
  if (!known(from) || !known(to)) return unknown('the source has no times');
  return `${day(from)} to ${day(to)}, UTC`;
}

function source(quality: Quality, id: string): Markup {
  const lost = quality.rejected.reduce((sum, row) => sum + row.count, 0);
  const share = (n: number): string => (quality.rowsRead > 0 ? percent(n / quality.rowsRead) : '');
  return markup`<div class="source" id="${id}"><h3>${quality.source}</h3>
${facts(
  [
    ['Period', period(quality)],
    ['Rows read', count(quality.rowsRead)],
    ['Rows kept', markup`${count(quality.rowsKept)} <span class="hint">${share(quality.rowsKept)}</span>`],
    ['Rows rejected', markup`${count(lost)}${lost > 0 && markup` <span class="hint">${share(lost)}</span>`}`],
    [
      'Duplicates',
      markup`${count(quality.duplicates.count)} <span class="hint">policy: ${quality.duplicates.policy}</span>`,
    ],
    ...(quality.facts ?? []).map((fact): [string, Piece] => [
      fact.label,
      fact.value === null
        ? unknown(fact.why)
        : withUnit(typeof fact.value === 'number' ? plain(fact.value) : fact.value, fact.unit),
    ]),
  ],
  'two',
)}
<div class="pair">${rejectedTable(quality)}${totalsTable(quality)}</div></div>`;
}

function rejectedTable(quality: Quality): Piece {
  if (quality.rejected.length === 0) return null;
  const rows = quality.rejected
    .toSorted((a, b) => b.count - a.count)
    .map((row) => [
      { content: row.reason, kind: 'wrap' },
      { content: count(row.count), sort: row.count },
      { content: quality.rowsRead > 0 ? percent(row.count / quality.rowsRead) : '', sort: row.count },
      { content: row.first, kind: 'code wrap' },
    ]);
  return markup`<div><h4>Why were rows rejected?</h4>${richTable(
    'Rejected rows by reason',
    [
      { name: 'Reason', align: 'left' },
      { name: 'Rows', align: 'right' },
      { name: 'Share', align: 'right' },
      { name: 'First place', align: 'left' },
    ],
    rows,
  )}</div>`;
}

/** Sums under both policies, side by side: a reader sees what the choice is worth. */
function totalsTable(quality: Quality): Piece {
  const totals = quality.totals ?? [];
  if (totals.length === 0) return null;
  const rows = totals.map((total) => {
    const change = total.keep === 0 ? null : (total.dropExact - total.keep) / total.keep;
    return [
      { content: total.unit === '' ? total.label : `${total.label}, ${total.unit}` },
      { content: exact(total.keep), sort: total.keep },
      { content: exact(total.dropExact), sort: total.dropExact },
      { content: change === null ? unknown('nothing to divide by') : signedPercent(change), sort: change },
    ];
  });
  return markup`<div><h4>What are the duplicates worth?</h4>${richTable(
    'Totals with and without exact duplicates',
    [
      { name: 'Total', align: 'left' },
      { name: 'Kept', align: 'right' },
      { name: 'Exact ones dropped', align: 'right' },
      { name: 'Change', align: 'right' },
    ],
    rows,
  )}<p class="hint">This run’s policy: ${quality.duplicates.policy}.</p></div>`;
}

/** Totals keep their digits: they are compared, not read. */
function exact(value: number): string {
  if (Number.isInteger(value)) return count(value);
  const cents = Math.round(value * 100) / 100;
  const [whole = '0', fraction = ''] = Math.abs(cents).toFixed(2).split('.');
  return `${cents < 0 ? '\u2212' : ''}${count(Number(whole))}.${fraction}`;
}

function signedPercent(change: number): string {
  return `${change > 0 ? '+' : ''}${percent(change)}`;
}

function checkTable(model: ReportModel): Markup {
  const order = { fail: 0, undecided: 1, pass: 2 };
  const rows = model.checks
    .toSorted((a, b) => order[a.verdict] - order[b.verdict])
    .map((check) => [
      { content: markup`${glyph(check.verdict)} ${check.name}`, sort: check.name },
      {
        content: markup`<span class="pill ${check.verdict}">${wordOf(check.verdict)}</span>`,
        sort: order[check.verdict],
      },
      { content: check.detail, kind: 'wrap' },
      { content: check.stage, kind: 'code' },
    ]);
  return markup`<div class="block" id="checks"><h3>Does anything leak from the future or across the split?</h3>${richTable(
    'Leak checks',
    [
      { name: 'Check', align: 'left' },
      { name: 'Verdict', align: 'left' },
      { name: 'What was seen', align: 'left', sortable: false },
      { name: 'Stage', align: 'left' },
    ],
    rows,
  )}</div>`;
}
