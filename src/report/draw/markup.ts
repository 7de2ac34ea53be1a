/** Text that is already markup. Everything else is escaped when it is put into a template. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template accepts; `null`, `undefined` and `false` leave nothing. */
export type Piece = Markup | string | number | null | undefined | false | readonly Piece[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes text for element content and for quoted attributes alike. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

function pieceText(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'string') return escapeText(piece);
  if (typeof piece === 'number') return String(piece);
  return piece.map(pieceText).join('');
}

/** Template tag for HTML and SVG: literal parts stay, values are escaped unless they are `Markup`. */
export function markup(parts: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  let text = parts[0] ?? '';
  values.forEach((value, index) => {
    text += pieceText(value) + (parts[index + 1] ?? '');
  });
  return new Markup(text);
}

/**
 * JSON for a `<script type="application/json">`: no `<` that could end the element, and no line separators that some
 * parsers reject. It parses back to the same value.
 */
export function embedJson(value: unknown): Markup {
  const escapes: Record<string, string> = { '<': '\\u003c', '\u2028': '\\u2028', '\u2029': '\\u2029' };
  return new Markup(JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => escapes[character] ?? ''));
}

/** An anchor from any text: lower case, digits and hyphens; never empty. */
export function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return plain === '' ? 'x' : plain;
}
