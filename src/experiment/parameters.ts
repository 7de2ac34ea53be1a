/** What a stage's schema says of its parameters: names, types, units, defaults. Read off its JSON schema (2020-12). */
import { z } from 'zod';
import type { StageDefinition } from '../contract/stage.ts';

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

const schemas = new WeakMap<object, JsonSchema>();

/** The JSON schema of what a user may write for a zod schema. Computed once each. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = schemas.get(schema);
  if (known !== undefined) return known;
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  schemas.set(schema, made);
  return made;
}

/** The keys a value may have, over all alternatives of its schema. */
export interface Keys {
  readonly names: readonly string[];
  /** True where any other key is allowed too. */
  readonly open: boolean;
}

/** Follows a path into a schema; every alternative that has it. */
function schemasAt(root: JsonSchema, path: readonly string[]): readonly JsonSchema[] {
  let found = alternatives(root, root);
  for (const key of path) {
    found = found.flatMap((schema) => childrenOf(schema, key)).flatMap((child) => alternatives(child, root));
  }
  return found;
}

/** Keys allowed at a path. */
export function keysAt(root: JsonSchema, path: readonly string[]): Keys {
  const found = schemasAt(root, path);
  const names = new Set(found.flatMap((schema) => Object.keys(schema.properties ?? {})));
  const open = found.some((schema) => typeof schema.additionalProperties === 'object' || isEmpty(schema));
  return { names: [...names], open };
}

function alternatives(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace(/^#\/\$defs\//, '')];
    return target === undefined ? [] : alternatives(target, root);
  }
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return inner.length === 0 ? [schema] : inner.flatMap((alternative) => alternatives(alternative, root));
}

function childrenOf(schema: JsonSchema, key: string): readonly JsonSchema[] {
  const own = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined;
  if (own !== undefined) return [own];
  if (typeof schema.additionalProperties === 'object') return [schema.additionalProperties];
  if (/^[0-9]+$/.test(key)) {
    const item = schema.prefixItems?.[Number(key)] ?? schema.items;
    if (typeof item === 'object') return [item];
  }
  return [];
}

function isEmpty(schema: JsonSchema): boolean {
  return Object.keys(schema).every((key) => key === 'description' || key === 'default' || key === '$schema');
}

/** The default of a parameter, or undefined. */
export function defaultAt(definition: StageDefinition, path: readonly string[]): unknown {
  const root = jsonSchemaOf(definition.params);
  for (let depth = path.length; depth > 0; depth--) {
    const holder = propertyAt(root, path.slice(0, depth));
    if (holder?.default === undefined) continue;
    let value: unknown = holder.default;
    for (const key of path.slice(depth)) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = Array.isArray(value) && !/^[0-9]+$/.test(key) ? undefined : (value as Record<string, unknown>)[key];
    }
    return value;
  }
  return undefined;
}

/** The schema of a parameter itself, before its alternatives are taken apart: it holds description and default. */
export function propertyAt(root: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  if (path.length === 0) return root;
  return schemasAt(root, path.slice(0, -1))
    .flatMap((schema) => childrenOf(schema, path.at(-1) as string))
    .at(0);
}

/** One parameter as `fathom list STAGE` shows it. */
export interface Parameter {
  readonly name: string;
  /** In words: "whole number, 1 or more". */
  readonly type: string;
  readonly description: string;
  readonly required: boolean;
  /** Absent where there is none. */
  readonly default?: unknown;
}

/** The parameters of a stage in the order of its schema; keys of maps follow their map as `asOf.every`. */
export function parametersOf(definition: StageDefinition): readonly Parameter[] {
  const root = jsonSchemaOf(definition.params);
  const found = new Map<string, Parameter>();
  const collect = (holder: JsonSchema, prefix: string, depth: number): void => {
    for (const schema of alternatives(holder, root)) {
      for (const [key, property] of Object.entries(schema.properties ?? {})) {
        const name = `${prefix}${key}`;
        if (found.has(name)) continue;
        found.set(name, {
          name,
          type: typeInWords(property, root),
          description: property.description ?? '',
          // A key inside an optional map is not required of anybody.
          required: prefix === '' && (schema.required?.includes(key) ?? false),
          ...(property.default === undefined ? {} : { default: property.default }),
        });
        if (depth < 3) collect(property, `${name}.`, depth + 1);
      }
    }
  };
  collect(root, '', 0);
  return [...found.values()];
}

/** A type in words that finish the sentence "expected ...". */
export function typeInWords(schema: JsonSchema, root: JsonSchema = schema): string {
  const options = alternatives(schema, root);
  if (options.length === 0) return 'any value';
  const words = options.map((option) => oneType(option, root));
  return [...new Set(words)].join(' or ');
}

function oneType(schema: JsonSchema, root: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `whole number${range(schema)}`;
    case 'number':
      return `number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'string':
      return 'text';
    case 'array': {
      if (schema.prefixItems !== undefined) {
        return `[${schema.prefixItems.map((item) => typeInWords(item, root)).join(', ')}]`;
      }
      return typeof schema.items === 'object' ? `list of ${plural(typeInWords(schema.items, root))}` : 'list';
    }
    case 'object': {
      const names = Object.keys(schema.properties ?? {});
      if (names.length > 0) return `map with ${names.join(', ')}`;
      const values = schema.additionalProperties;
      return typeof values === 'object' && !isEmpty(values) ? `map of ${plural(typeInWords(values, root))}` : 'map';
    }
    default:
      return 'any value';
  }
}

function plural(words: string): string {
  return words.replace(/^(whole number|number|map|list)\b/, '$1s').replace(/^text$/, 'texts');
}

function range(schema: JsonSchema): string {
  const bounded = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (bounded(minimum) && bounded(maximum)) return ` from ${minimum} to ${maximum}`;
  const parts: string[] = [];
  if (bounded(minimum)) parts.push(`${minimum} or more`);
  if (bounded(exclusiveMinimum)) parts.push(`above ${exclusiveMinimum}`);
  if (bounded(maximum)) parts.push(`${maximum} or less`);
  if (bounded(exclusiveMaximum)) parts.push(`below ${exclusiveMaximum}`);
  return parts.length === 0 ? '' : `, ${parts.join(' and ')}`;
}
