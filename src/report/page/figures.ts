import type { Figure, Section } from '../../contract/figure.ts';
import { drawFigure, figureHeight, isDrawn, legendOf } from '../draw/figure.ts';
import { count } from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import { svgElement } from '../draw/svg.ts';
import { tabulate } from '../draw/tabulate.ts';
import type { ReportModel } from '../model.ts';
import type { Page } from './page.ts';
import { type Block, baseId, blockName, commonTexts, LONGEST_DRAWING, panels, shortName } from './panels.ts';
import { dataTable } from './tables.ts';

/** Width of a figure on the grid of twelve, and in pixels where nothing has measured it yet. */
type Span = 6 | 12;
const pixels: Record<Span, number> = { 6: 538, 12: 1100 };

/** Figures of a section in their order; one figure of several folds becomes one block. */
export function blocksOf(model: ReportModel, section: Section, leaveOut?: Figure): Block[] {
  const blocks = new Map<string, { stage: string; parts: { part: string; figure: Figure }[] }>();
  for (const { stage, part, figure } of model.figures) {
    if (figure.section !== section || figure === leaveOut) continue;
    const whole = part === '' || figure.kind === 'map' || figure.kind === 'table';
    const key = JSON.stringify(whole ? [stage, part, figure.id] : [stage, figure.kind, baseId(figure.id, part)]);
    const block = blocks.get(key) ?? { stage, parts: [] };
    block.parts.push({ part, figure });
    blocks.set(key, block);
  }
  return [...blocks.values()];
}

function spanOf(block: Block): Span {
  const kind = block.parts[0]?.figure.kind;
  return block.parts.length > 1 || kind === 'table' || kind === 'map' ? 12 : 6;
}

/**
 * All blocks of a section on the grid; a figure left alone in its row takes the whole of it, if it gains by that.
 * @param lead sentence above the grid; the figure that has it for its title does not say it again
 */
export function figureGrid(page: Page, blocks: readonly Block[], lead?: string): { body: Markup; entries: Entry[] } {
  if (blocks.length === 0) return { body: markup``, entries: [] };
  const entries: Entry[] = [];
  let half = false;
  const figures = blocks.map((block, i) => {
    let span = spanOf(block);
    const next = blocks.at(i + 1);
    const alone = span === 6 && !half && (next === undefined || spanOf(next) === 12);
    const kind = block.parts[0]?.figure.kind;
    if (alone && (kind === 'line' || kind === 'histogram')) span = 12;
    half = span === 6 && !half && !alone;
    const name = blockName(block);
    const twice = blocks.some((other) => other !== block && blockName(other) === name);
    const id = page.anchor(`f-${block.stage}-${name}`);
    entries.push({ id, name: twice ? `${shortName(name)}, ${block.stage}` : shortName(name) });
    return figureBlock(page, block, id, span, { lead });
  });
  return { body: markup`<div class="grid">${figures}</div>`, entries };
}

export interface Entry {
  readonly id: string;
  readonly name: string;
}

/** One figure: title, sub-line, legend, plot, caption, tools. `width` overrides the nominal one. */
export function figureBlock(
  page: Page,
  block: Block,
  id: string,
  span: Span,
  options: { readonly width?: number; readonly lead?: string | undefined } = {},
): Markup {
  const first = block.parts[0]?.figure;
  if (first === undefined) return markup``;
  const several = block.parts.length > 1;
  page.embed(id, { parts: several ? block.parts : [{ part: '', figure: first }] });
  const said = several ? commonTexts(block) : first;
  const title = said.title ?? `${shortName(blockName(block))} of ${block.stage}, part by part`;
  const axes = first.kind === 'line' ? 'the same axes in all parts' : undefined;
  const sub = several ? [said.subtitle, axes] : [said.subtitle, block.parts[0]?.part];
  const method = first.method !== undefined && page.method(first.method);
  return markup`<figure class="figure span-${span}" id="${id}" data-kind="${first.kind}">
<h3${title === options.lead && markup` class="repeated"`}>${title} <a class="anchor" href="#${id}" aria-label="Link to this figure">#</a></h3>
<p class="sub">${sub.filter((text) => text !== undefined && text !== '').join('; ')}</p>
${legend(first, several)}
${several ? panels(block, pixels[12]) : plot(first, id, options.width ?? pixels[span])}
<figcaption>${said.caption} ${method}</figcaption>
${tools(first, page.zoomable)}
</figure>`;
}

function legend(figure: Figure, small: boolean): Piece {
  const entries = legendOf(figure, small);
  if (entries.length === 0) return null;
  const items = entries.map(
    (entry) =>
      markup`<span><svg class="key" viewBox="0 0 22 10" aria-hidden="true">${keyShape(entry.shape, entry.kind)}</svg>${entry.label}</span>`,
  );
  return markup`<div class="legend">${items}</div>`;
}

function keyShape(shape: 'line' | 'dot' | 'box', kind: string): Markup {
  if (shape === 'dot') return markup`<circle cx="11" cy="5" r="4" class="${kind} dot"/>`;
  if (shape === 'box') {
    return markup`<rect x="1" y="1" width="20" height="8" class="${kind} band"/><path d="M1 9V1H21V9" class="${kind} curve"/>`;
  }
  return markup`<path d="M0 5H22" class="${kind} curve"/>`;
}

function plot(figure: Figure, id: string, width: number): Markup {
  if (figure.kind === 'table') return dataTable(tabulate(figure), figure.title);
  if (figure.kind === 'map') return mapFrame(figure, id);
  const height = figureHeight(figure);
  const drawing = svgElement(drawFigure(figure, width), `${figure.title}. ${figure.subtitle}`);
  const fits = drawing.text.length <= LONGEST_DRAWING;
  return markup`<div class="plot" style="height:${height}px" data-plot="0">${fits && drawing}</div>`;
}

function tools(figure: Figure, zoomable: boolean): Markup {
  const table: Piece =
    figure.kind !== 'table' && markup`<button type="button" data-do="table" aria-expanded="false">Table</button>`;
  const svg: Piece = isDrawn(figure) && markup`<button type="button" data-do="svg">Copy SVG</button>`;
  const zoom: Piece = zoomable && figure.kind === 'line' && markup`<button type="button" data-do="zoom">Zoom</button>`;
  return markup`<div class="tools">${table}<button type="button" data-do="csv">Copy CSV</button>${svg}<button type="button" data-do="link">Copy link</button>${zoom}</div><div class="figure-table" hidden></div>`;
}

function mapFrame(figure: Extract<Figure, { kind: 'map' }>, id: string): Markup {
  const options = figure.columns.map(
    (column) =>
      markup`<option value="${column.name}"${column.name === figure.colour && markup` selected`}>${column.name}</option>`,
  );
  const name = `${figure.title}. Scatter of ${count(figure.ids.length)} points. Arrow keys move a cursor and read the nearest point; space starts and ends a box; plus and minus zoom; escape clears.`;
  return markup`<div class="map-bar">
<label>Colour by <select class="field" data-map="colour">${options}<option value="">nothing</option></select></label>
<div class="segments" role="group" aria-label="What dragging does"><button type="button" data-mode="move" aria-pressed="true">Move</button><button type="button" data-mode="lasso" aria-pressed="false">Lasso</button><button type="button" data-mode="box" aria-pressed="false">Box</button></div>
<div class="segments" role="group" aria-label="Zoom"><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">${'\u2212'}</button><button type="button" data-zoom="all">All</button></div>
<label>Find <input class="field" type="search" data-map="find" placeholder="id" autocomplete="off" spellcheck="false"></label>
</div>
<div class="map"><div><div class="canvas"><canvas tabindex="0" role="img" aria-label="${name}" aria-describedby="${id}-read"></canvas></div>
<div class="map-legend"></div><p class="reading" id="${id}-read" aria-live="polite"></p></div>
<div class="selection"><h4>Selected</h4><p class="hint selection-note">Draw with Lasso or Box, press a legend entry, or use the keyboard: arrows, then space.</p><div class="selection-list"></div><div class="row"><button type="button" class="button small" data-map="copy" disabled>Copy ids</button><button type="button" class="button small" data-map="clear" disabled>Clear</button></div></div></div>`;
}
