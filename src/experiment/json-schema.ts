// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar of references
/** The JSON schema (2020-12) of experiment files, for editors: completion, descriptions, errors while typing. */
import type { StageDefinition } from '../contract/stage.ts';
import { type JsonSchema, jsonSchemaOf } from './parameters.ts';
import { rootSchema, samplerSchemas, stageSchema } from './schema.ts';
import { distributionKinds } from './space.ts';
import type { Registry } from './stages.ts';

type Schema = Record<string, unknown>;

/** Any value may be a reference instead. */
const reference: Schema = { $ref: '#/$defs/reference' };

/**
 * Stages are told apart by `use`. A file with a `base` may leave out what the base has, so only files without one
 * must name everything.
 */
export function experimentJsonSchema(registry: Registry): Schema {
  const root = jsonSchemaOf(rootSchema) as Schema & { properties: Record<string, Schema> };
  const definitions = [...registry.values()];
  const properties: Record<string, Schema> = {
    base: {
      description: 'Files this one builds on, relative to its folder; later ones win, this one last.',
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    },
    ...(orReference(root) as { properties: Record<string, Schema> }).properties,
    stages: {
      description: (root.properties['stages'] as Schema)['description'],
      type: 'object',
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]*$' },
      additionalProperties: { $ref: '#/$defs/stage' },
    },
    sweep: sweepSchema(root.properties['sweep'] as Schema),
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Fathom experiment',
    type: 'object',
    properties,
    additionalProperties: false,
    if: { not: { required: ['base'] } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
    then: {
      required: ['name', 'stages'],
      properties: { stages: { additionalProperties: { $ref: '#/$defs/completeStage' } } },
    },
    $defs: {
      reference: { type: 'string', pattern: '\\$\\{.+\\}', description: '${path.to.key} or ${env:NAME,default}' },
      stage: {
        type: 'object',
        properties: {
          use: {
            description: 'Which method.',
            anyOf: [...definitions.map(({ name, summary }) => ({ const: name, description: summary })), reference],
          },
        },
        allOf: definitions.map(({ name }) => whenUsed(name, { $ref: `#/$defs/${name}` })),
      },
      completeStage: {
        required: ['use'],
        allOf: definitions.map((definition) => whenUsed(definition.name, { required: requiredOf(definition) })),
      },
      distribution: distributionSchema(),
      ...Object.fromEntries(definitions.map((definition) => [definition.name, oneStage(definition)])),
    },
  };
}

function whenUsed(name: string, then: Schema): Schema {
  return { if: { required: ['use'], properties: { use: { const: name } } }, then };
}

function requiredOf(definition: StageDefinition): readonly string[] {
  const inputs = Object.values(definition.inputs).some((input) => !input.optional) ? ['from'] : [];
  return [...inputs, ...(jsonSchemaOf(definition.params).required ?? [])];
}

function oneStage(definition: StageDefinition): Schema {
  const common = (orReference(jsonSchemaOf(stageSchema)) as { properties: Record<string, Schema> }).properties;
  const params = jsonSchemaOf(definition.params);
  const own = (orReference(params) as { properties?: Record<string, Schema> }).properties ?? {};
  const { engine, ...others } = common;
  const names = definition.engines?.map((option) => option.name);
  const source = { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] };
  const ports = Object.entries(definition.inputs).map(([port, { description, kind, many }]) => [
    port,
    { description: `${description} (${kind})`, ...(many ? source : { anyOf: source.anyOf }) },
  ]);
  return {
    description: definition.summary,
    type: 'object',
    properties: {
      ...others,
      use: { const: definition.name },
      from: {
        ...common['from'],
        ...orRef({ type: 'object', properties: Object.fromEntries(ports), additionalProperties: false }),
      },
      ...(names === undefined
        ? {}
        : {
            engine: {
              description: (engine as Schema)['description'],
              anyOf: [{ enum: ['auto', ...names] }, reference],
            },
          }),
      ...own,
    },
    additionalProperties: params.additionalProperties ?? false,
    ...(params.$defs === undefined ? {} : { $defs: params.$defs }),
  };
}

function sweepSchema(sweep: Schema): Schema {
  const body = orReference(sweep) as { properties: Record<string, Schema> };
  const samplers = Object.values(samplerSchemas).map((schema) => orReference(jsonSchemaOf(schema)));
  return {
    description: sweep['description'],
    type: 'object',
    properties: {
      ...body.properties,
      space: {
        description: 'Distributions by parameter of the stage; a dot leads into maps.',
        type: 'object',
        additionalProperties: { $ref: '#/$defs/distribution' },
      },
      sampler: { description: 'How trials are chosen.', anyOf: samplers.map(({ $schema: _, ...schema }) => schema) },
    },
    additionalProperties: false,
  };
}

function distributionSchema(): Schema {
  const number = orRef({ type: 'number' });
  const range = { type: 'array', prefixItems: [number, number], minItems: 2, maxItems: 2, items: false };
  const optional = { step: number, steps: orRef({ type: 'integer', minimum: 2 }) };
  const words: Record<string, string> = {
    uniform: 'Evenly between two numbers.',
    loguniform: 'Evenly in the logarithm between two numbers above 0.',
    int: 'Whole numbers, both ends included.',
    logint: 'Whole numbers, small ones as often as large ones by their logarithm.',
  };
  return {
    anyOf: [
      {
        type: 'object',
        properties: { choice: orRef({ type: 'array', minItems: 1, description: 'One of these values.' }) },
        required: ['choice'],
        additionalProperties: false,
      },
      ...distributionKinds.map((kind) => ({
        type: 'object',
        properties: { [kind]: orRef({ ...range, description: words[kind] }), ...optional },
        required: [kind],
        additionalProperties: false,
      })),
      reference,
    ],
  };
}

/** A copy in which every value inside may be a reference, and nothing is required. */
function orReference(schema: JsonSchema | Schema): Schema {
  const { required: _, ...rest } = schema as Schema;
  const copy: Schema = { ...rest };
  for (const key of ['properties', '$defs'] as const) {
    const members = copy[key] as Record<string, Schema> | undefined;
    if (members !== undefined)
      copy[key] = Object.fromEntries(Object.entries(members).map(([k, v]) => [k, orRef(orReference(v))]));
  }
  for (const key of ['items', 'additionalProperties'] as const) {
    if (typeof copy[key] === 'object') copy[key] = orRef(orReference(copy[key] as Schema));
  }
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const) {
    const options = copy[key] as Schema[] | undefined;
    if (options !== undefined)
      copy[key] = options.map((option) => (key === 'prefixItems' ? orRef(orReference(option)) : orReference(option)));
  }
  return copy;
}

/** What is said of a value stays outside, where editors look for it. */
function orRef(schema: Schema): Schema {
  const { description, default: fallback, ...rest } = schema;
  const said = {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  if (
    Object.keys(rest).length === 0 ||
    (rest['type'] === 'string' && rest['pattern'] === undefined && rest['enum'] === undefined)
  ) {
    return schema;
  }
  return { ...said, anyOf: [rest, reference] };
}
