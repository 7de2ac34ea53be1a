import type { Figure } from '../../contract/figure.ts';
import { embedJson, type Markup, markup, slug } from '../draw/markup.ts';
import type { Entry } from './figures.ts';
import type { Verdict } from './icons.ts';

/** A chapter of the page and its line in the outline. */
export interface Chapter {
  readonly id: string;
  readonly name: string;
  /** The chapter's finding, a sentence. */
  readonly lead: string;
  readonly verdict?: Verdict | undefined;
  readonly entries: readonly Entry[];
  readonly body: Markup;
  /** What follows after the first screen, or on paper after the first page. */
  readonly tail?: Markup;
}

/** What is collected while the page is written: anchors, embedded data, methods that captions refer to. */
export class Page {
  /** True if curves can be opened in the interactive view. */
  readonly zoomable: boolean;
  readonly #anchors = new Set<string>();
  readonly #embedded: Markup[] = [];
  readonly #methods = new Map<string, string>();

  constructor(zoomable: boolean) {
    this.zoomable = zoomable;
  }

  /** An anchor that no other element has. */
  anchor(text: string): string {
    const base = slug(text);
    let id = base;
    for (let n = 2; this.#anchors.has(id); n++) id = `${base}-${n}`;
    this.#anchors.add(id);
    return id;
  }

  /** Puts data into the page for the element with this id. */
  embed(id: string, value: unknown): void {
    this.#embedded.push(
      markup`<script type="application/json" data-for="${id}">${embedJson(rounded(value))}</script>\n`,
    );
  }

  embedded(): Markup {
    return markup`${this.#embedded}`;
  }

  /** Link to a method at the end of the page. */
  method(heading: string): Markup {
    const id = `m-${slug(heading)}`;
    this.#methods.set(heading, id);
    return markup`<a href="#${id}" data-target="${heading}">Method</a>`;
  }

  methods(): readonly (readonly [heading: string, id: string])[] {
    return [...this.#methods].sort(([a], [b]) => a.localeCompare(b, 'en'));
  }
}

/** Maps hold thousands of coordinates: six significant digits place them to a thousandth of a pixel. */
function rounded(value: unknown): unknown {
  const parts = (value as { parts?: readonly { part: string; figure: Figure }[] }).parts;
  if (parts === undefined) return value;
  const six = (number: number | null): number | null =>
    number === null || !Number.isFinite(number) ? null : Number(number.toPrecision(6));
  return {
    parts: parts.map(({ part, figure }) =>
      figure.kind !== 'map'
        ? { part, figure }
        : {
            part,
            figure: {
              ...figure,
              x: figure.x.map(six),
              y: figure.y.map(six),
              columns: figure.columns.map((column) =>
                column.type === 'value' ? { ...column, values: column.values.map(six) } : column,
              ),
            },
          },
    ),
  };
}
