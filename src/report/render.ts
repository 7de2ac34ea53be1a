import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Markup, markup, type Piece } from './draw/markup.ts';
import type { ReportModel } from './model.ts';
import { answerChapter } from './page/answer.ts';
import { dataChapter } from './page/data.ts';
import { blocksOf, figureGrid } from './page/figures.ts';
import { glyph } from './page/icons.ts';
import { modelsChapter } from './page/models.ts';
import { outline, topBar } from './page/outline.ts';
import { type Chapter, Page } from './page/page.ts';
import { firstParagraphs, provenanceChapter } from './page/provenance.ts';
import { sweepChapter } from './page/sweep.ts';

/** What the page carries besides its data: text of files that the build makes (see `assets.ts`). */
export interface ReportAssets {
  readonly client: string;
  readonly style: string;
  /** Text of plotly's cartesian bundle; without it curves have no interactive view, and nothing else is missing. */
  readonly plotly?: string;
  /** Text of docs/methods.md; the first paragraph of each method that a caption names stands at the end of the page. */
  readonly methods?: string;
}

/**
 * The report as one HTML file that opens from disk and asks nothing of any network: the policy in its head allows
 * no source, no evaluation, and only the scripts whose hashes it names. Pure: equal inputs give equal text.
 */
export function renderReport(model: ReportModel, assets: ReportAssets): string {
  const page = new Page(assets.plotly !== undefined);
  const found = [
    answerChapter(model, page),
    dataChapter(model, page),
    sweepChapter(model, page),
    modelsChapter(model, page),
    figuresChapter(model, page, 'map', 'Map'),
    figuresChapter(model, page, 'wallets', 'Wallets'),
    figuresChapter(model, page, 'strategy', 'Strategy'),
    provenanceChapter(model, page, firstParagraphs(assets.methods ?? '')),
  ];
  const chapters = found.filter((chapter) => chapter !== undefined);
  const { name } = model.experiment;
  const title = `${name} · ${model.run.id} · Fathom`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(assets.style.replaceAll('</', '<\\/'))}${pageMargins(model)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the answer</a>
${topBar(model, chapters)}
<div class="page">
<nav class="side" aria-label="Contents">${outline(chapters, true)}<p class="key-note">Intervals are 95 %, unless said.<br>Times are UTC.<br>– means unknown; its reason shows on hover and focus.</p></nav>
<main id="main">
${chapters.map((chapter, i) => section(chapter, i, chapters))}
</main>
</div>
<div id="tip" role="status" hidden></div><div id="toast" role="status"></div>
<noscript><p class="no-script">Without scripts this page shows its figures as they were drawn; the map, the parallel coordinates, sorting and copying need them.</p></noscript>
${page.embedded()}${plotlyPayload(assets.plotly)}
<script>${new Markup(assets.client)}</script>
</body>
</html>
`.text;
}

function section(chapter: Chapter, index: number, chapters: readonly Chapter[]): Markup {
  if (index === 0) {
    return markup`<section id="${chapter.id}" class="first" aria-labelledby="h-answer">${chapter.body}${summary(chapters)}${chapter.tail}</section>`;
  }
  const id = `h-${chapter.id}`;
  return markup`<section id="${chapter.id}" aria-labelledby="${id}"><h2 id="${id}">${index + 1}${'\u2002'}${chapter.name}</h2><p class="lead">${chapter.lead}</p>${chapter.body}</section>\n`;
}

/** On paper the first page ends with a line from each chapter. */
function summary(chapters: readonly Chapter[]): Markup {
  return markup`<ol class="summary" aria-hidden="true">${chapters
    .slice(1)
    .map(
      (chapter, i) =>
        markup`<li><span>${i + 2}</span><b>${chapter.name}</b><span>${chapter.lead}</span>${chapter.verdict !== undefined && glyph(chapter.verdict)}</li>`,
    )}</ol>`;
}

/** A chapter that is nothing but the figures of its section; absent without any. */
function figuresChapter(
  model: ReportModel,
  page: Page,
  id: 'map' | 'wallets' | 'strategy',
  name: string,
): Chapter | undefined {
  const blocks = blocksOf(model, id);
  if (blocks.length === 0) return undefined;
  const lead = blocks[0]?.parts[0]?.figure.title ?? name;
  const grid = figureGrid(page, blocks, lead);
  return { id, name, lead: /[.?!]$/.test(lead) ? lead : `${lead}.`, entries: grid.entries, body: grid.body };
}

function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}

function policy(assets: ReportAssets): string {
  const scripts = [assets.client, assets.plotly].filter((text) => text !== undefined).map(hashOf);
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Plotly lies compressed in an element that does not run; opening an interactive view unpacks it. */
function plotlyPayload(plotly: string | undefined): Piece {
  if (plotly === undefined) return null;
  const packed = gzipSync(plotly, { level: 9 }).toString('base64');
  return markup`<script type="text/plain" id="plotly">${new Markup(packed)}</script>`;
}

/** The run's name in the margin of each printed page. */
function pageMargins(model: ReportModel): Markup {
  const safe = `${model.experiment.name} · ${model.run.id}`.replace(/[^\p{L}\p{N} ._·-]/gu, '');
  return new Markup(
    `@page{@bottom-left{content:"${safe}";font:8pt sans-serif;color:#555}@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#555}}`,
  );
}
