/** A small checker of JSON schemas (2020-12): the keywords that ours use, and an error for any other. */
type Schema = Record<string, unknown>;

const notes = new Set(['$schema', '$defs', 'title', 'description', 'default', 'format']);

/** Paths of what does not fit; empty if all does. */
export function violations(schema: unknown, value: unknown, root: Schema = schema as Schema, path = ''): string[] {
  if (schema === true) return [];
  if (schema === false) return [`${path}: not allowed`];
  const rules = schema as Schema;
  const found: string[] = [];
  const check = (rule: unknown, part: unknown, at: string) => violations(rule, part, root, at);
  const fits = (rule: unknown) => check(rule, value, path).length === 0;
  const map = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
  const list = Array.isArray(value) ? (value as unknown[]) : undefined;
  const known = rules['properties'] as Schema | undefined;

  for (const [keyword, rule] of Object.entries(rules)) {
    if (notes.has(keyword) || keyword === 'then') continue;
    const bad = (ok: boolean) => {
      if (!ok) found.push(`${path}: ${keyword} ${JSON.stringify(rule).slice(0, 80)}`);
    };
    const number = rule as number;
    switch (keyword) {
      case '$ref':
        found.push(...check((root['$defs'] as Schema)[(rule as string).replace('#/$defs/', '')], value, path));
        break;
      case 'type':
        bad(rule === typeOf(value) || (rule === 'number' && typeof value === 'number'));
        break;
      case 'const':
        bad(rule === value);
        break;
      case 'enum':
        bad((rule as unknown[]).includes(value));
        break;
      case 'pattern':
        bad(typeof value !== 'string' || new RegExp(rule as string).test(value));
        break;
      case 'minimum':
        bad(typeof value !== 'number' || value >= number);
        break;
      case 'maximum':
        bad(typeof value !== 'number' || value <= number);
        break;
      case 'exclusiveMinimum':
        bad(typeof value !== 'number' || value > number);
        break;
      case 'exclusiveMaximum':
        bad(typeof value !== 'number' || value < number);
        break;
      case 'minLength':
        bad(typeof value !== 'string' || value.length >= number);
        break;
      case 'maxLength':
        bad(typeof value !== 'string' || value.length <= number);
        break;
      case 'minItems':
        bad(list === undefined || list.length >= number);
        break;
      case 'maxItems':
        bad(list === undefined || list.length <= number);
        break;
      case 'required':
        for (const key of rule as string[]) bad(map === undefined || key in map);
        break;
      case 'properties':
        for (const [key, inner] of Object.entries(rule as Schema)) {
          if (map !== undefined && key in map) found.push(...check(inner, map[key], `${path}/${key}`));
        }
        break;
      case 'propertyNames':
        for (const key of Object.keys(map ?? {})) found.push(...check(rule, key, `${path}/${key}`));
        break;
      case 'additionalProperties':
        for (const [key, inner] of Object.entries(map ?? {})) {
          if (known === undefined || !(key in known)) found.push(...check(rule, inner, `${path}/${key}`));
        }
        break;
      case 'prefixItems':
        for (const [i, inner] of (rule as unknown[]).entries()) {
          if (list !== undefined && i < list.length) found.push(...check(inner, list[i], `${path}/${i}`));
        }
        break;
      case 'items': {
        const first = (rules['prefixItems'] as unknown[] | undefined)?.length ?? 0;
        for (const [i, item] of (list ?? []).entries())
          if (i >= first) found.push(...check(rule, item, `${path}/${i}`));
        break;
      }
      case 'anyOf':
        bad((rule as unknown[]).some(fits));
        break;
      case 'oneOf':
        bad((rule as unknown[]).filter(fits).length === 1);
        break;
      case 'allOf':
        for (const inner of rule as unknown[]) found.push(...check(inner, value, path));
        break;
      case 'not':
        bad(!fits(rule));
        break;
      case 'if':
        if (fits(rule)) found.push(...check(rules['then'] ?? true, value, path));
        break;
      default:
        throw new Error(`unknown keyword ${keyword}`);
    }
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'object' ? 'object' : typeof value;
}
