/** One figure of several parts (folds) as small multiples, with words that are true of all of them. */
import type { Figure } from '../../contract/figure.ts';
import { drawFigure, figureHeight, isDrawn, sameAxes } from '../draw/figure.ts';
import { count } from '../draw/format.ts';
import { type Markup, markup, type Piece, slug } from '../draw/markup.ts';
import { svgElement } from '../draw/svg.ts';

/** The same figure of several parts of a stage; one part where it is alone. */
export interface Block {
  readonly stage: string;
  readonly parts: readonly { readonly part: string; readonly figure: Figure }[];
}

/** Small multiples beyond this are in the table only. */
const MOST_PANELS = 8;
/** A drawing longer than this is left to the reader's machine, which draws it when it is near. */
export const LONGEST_DRAWING = 60_000;

/** A figure's id without the name of its part: "learning-curves-fold-0" of fold 0 is "learning-curves". */
export function baseId(id: string, part: string): string {
  const end = `-${slug(part)}`;
  return part !== '' && id.endsWith(end) ? id.slice(0, -end.length) : id;
}

/** Id that stands for a block. */
export function blockName(block: Block): string {
  const first = block.parts[0];
  if (first === undefined) return '';
  return block.parts.length > 1 ? baseId(first.figure.id, first.part) : first.figure.id;
}

/** A figure's short name for the outline, from its id: "roc-curve" becomes "ROC curve". */
export function shortName(id: string): string {
  const acronyms = /^(roc|auc|pca|umap|tsne|shap|pnl|mtl|ic)$/;
  const words = id.split('-').map((word) => (acronyms.test(word) ? word.toUpperCase() : word));
  const text = words.join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface Texts {
  readonly title?: string | undefined;
  readonly subtitle?: string | undefined;
  readonly caption?: string | undefined;
}

/** What the parts say alike, the name of the part aside; each text that differs is left to the panels. */
export function commonTexts(block: Block): Texts {
  const common = (of: (figure: Figure) => string): string | undefined => {
    const texts = new Set(block.parts.map(({ part, figure }) => withoutPart(of(figure), part)));
    return texts.size === 1 ? [...texts][0] : undefined;
  };
  return {
    title: common((figure) => figure.title),
    subtitle: common((figure) => figure.subtitle),
    caption: common((figure) => figure.caption),
  };
}

/** "loss by epoch, fold 2" without ", fold 2". */
function withoutPart(text: string, part: string): string {
  if (part === '') return text;
  const literal = part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`[,;:]?\\s*(?:\\b(?:of|in|for) )?${literal}(?![\\w.])`, 'g'), '').trim();
}

/** The panels in rows; under each part's name stand the texts that are its own. */
export function panels(block: Block, whole: number): Markup {
  const shown = block.parts.slice(0, MOST_PANELS);
  const columns = shown.length <= 4 ? shown.length : Math.min(4, Math.ceil(shown.length / 2));
  const width = Math.floor((whole - (columns - 1) * 24) / columns);
  const figures = block.parts.map((part) => part.figure);
  const common = commonTexts(block);
  const panel = shown.map(({ part, figure }, i): Piece => {
    if (!isDrawn(figure)) return null;
    const same = sameAxes(figure, figures);
    const drawing = svgElement(drawFigure(same, width, true), `${figure.title}, ${part}`);
    const keep = drawing.text.length * shown.length <= LONGEST_DRAWING * 2;
    const own = [
      common.title === undefined && markup`<p class="part-title">${figure.title}</p>`,
      common.subtitle === undefined && markup`<p class="sub">${figure.subtitle}</p>`,
    ];
    const caption = common.caption === undefined && markup`<p class="part-caption">${figure.caption}</p>`;
    return markup`<div class="panel"><div><p class="part">${part}</p>${own}</div><div class="plot" style="height:${figureHeight(same, true)}px" data-plot="${i}">${keep && drawing}</div><div>${caption}</div></div>`;
  });
  const more = block.parts.length - shown.length;
  return markup`<div class="panels columns-${columns}">${panel}</div>${
    more > 0 && markup`<p class="hint">${count(more)} more parts are in the table.</p>`
  }`;
}
