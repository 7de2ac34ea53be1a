/** `fathom list`: the stages there are; of one stage its parameters, inputs and outputs; all of it as Markdown or JSON. */

import type { InputPort, OutputPort, StageDefinition } from '../contract/stage.ts';
import { EXIT, FathomError } from '../errors.ts';
import { didYouMean } from '../experiment/nearest.ts';
import { type Parameter, parametersOf } from '../experiment/parameters.ts';
import type { Registry } from '../experiment/stages.ts';
import type { CliEffects } from './effects.ts';

export interface ListArgs {
  readonly stage?: string | undefined;
  readonly markdown?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function list(args: ListArgs, effects: CliEffects, stages: Registry): Promise<number> {
  const chosen = args.stage === undefined ? inOrder(stages) : [stageNamed(args.stage, stages)];
  if (args.json) effects.out(JSON.stringify(chosen.map(described), undefined, 2));
  else for (const line of linesOf(args, chosen)) effects.out(line);
  return Promise.resolve(EXIT.ok);
}

function linesOf(args: ListArgs, chosen: readonly StageDefinition[]): readonly string[] {
  if (args.markdown) return markdown(chosen);
  return args.stage === undefined ? overview(chosen) : chosen.flatMap(detail);
}

function stageNamed(name: string, stages: Registry): StageDefinition {
  const found = stages.get(name);
  if (found === undefined)
    throw new FathomError('usage', `there is no stage ${name}`, { hint: didYouMean(name, stages.keys(), 'stages') });
  return found;
}

/** Families in the order of the registry, which is the order of work; stages of one family together. */
function inOrder(stages: Registry): readonly StageDefinition[] {
  const families = new Map<string, StageDefinition[]>();
  for (const stage of stages.values()) families.set(familyOf(stage), [...(families.get(familyOf(stage)) ?? []), stage]);
  return [...families.values()].flat();
}

function familyOf(stage: StageDefinition): string {
  return stage.name.split('.')[0] as string;
}

function overview(stages: readonly StageDefinition[]): readonly string[] {
  const width = Math.max(0, ...stages.map((stage) => stage.name.length));
  return stages.map((stage) => `${stage.name.padEnd(width)}  ${stage.summary}`);
}

function detail(stage: StageDefinition): readonly string[] {
  const parameters = parametersOf(stage);
  const engines = stage.engines?.map((engine) => engine.name) ?? [];
  return [
    `${stage.name}: ${stage.summary}`,
    ...(engines.length === 0 ? [] : [`engines: auto, ${engines.join(', ')}`]),
    ...section(
      'inputs',
      Object.entries(stage.inputs).map(([port, input]) => [port, inputInWords(input), input.description]),
    ),
    ...section(
      'parameters',
      parameters.map((p) => [p.name, `${p.type}${defaultInWords(p, '; default ', '; required')}`, p.description]),
    ),
    ...section(
      'outputs',
      Object.entries(stage.outputs).map(([port, output]) => [port, outputInWords(output), output.description]),
    ),
  ];
}

function section(title: string, rows: readonly (readonly [string, string, string])[]): readonly string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = ' '.repeat(width + 4);
  const lines = rows.flatMap(([name, what, description]) => [
    `  ${name.padEnd(width)}  ${what}`,
    ...(description === '' ? [] : [`${indent}${description}`]),
  ]);
  return ['', title, ...lines];
}

function inputInWords({ kind, optional, take, many }: InputPort): string {
  const notes = [
    ...(optional ? ['optional'] : []),
    ...(many ? ['one or more stages'] : []),
    ...(take === 'all' ? ['all folds and shards'] : []),
  ];
  return [kind, ...notes].join(', ');
}

function outputInWords({ kind, optional, orderBy }: OutputPort): string {
  const notes = [
    ...(optional ? ['may be left out'] : []),
    ...(orderBy === undefined ? [] : [`by ${orderBy.join(', ')}`]),
  ];
  return [kind, ...notes].join(', ');
}

function defaultInWords(parameter: Parameter, before: string, required: string): string {
  if ('default' in parameter) return `${before}${JSON.stringify(parameter.default)}`;
  return parameter.required ? required : '';
}

/** Reference pages: a section a stage, tables for what it takes and gives. */
function markdown(stages: readonly StageDefinition[]): readonly string[] {
  return [
    '# Stages',
    '',
    'Made by `fathom list --markdown` from the descriptions in `src/stages/`. Every stage also takes the keys that',
    '[experiment.md](experiment.md) describes: `use`, `from`, `each`, `whenMissing`, `engine`, `description`.',
    '',
    ...table(
      ['stage', 'what it does'],
      stages.map((stage) => [`[${stage.name}](#${anchor(stage.name)})`, stage.summary]),
    ),
    ...stages.flatMap(markdownSection),
  ];
}

function markdownSection(stage: StageDefinition): readonly string[] {
  const engines = stage.engines?.map((engine) => `\`${engine.name}\``) ?? [];
  const needs = stage.requires === undefined ? [] : [`Needs ${stage.requires.name}.`];
  const remarks = [...(engines.length === 0 ? [] : [`Engines: ${engines.join(', ')}.`]), ...needs];
  return [
    '',
    `## ${stage.name}`,
    '',
    stage.summary,
    ...(remarks.length === 0 ? [] : ['', remarks.join(' ')]),
    ...captioned(
      ['parameter', 'type', 'default', 'meaning'],
      parametersOf(stage).map((p) => [
        `\`${p.name}\``,
        p.type,
        code(defaultInWords(p, '', '')) || (p.required ? 'required' : ''),
        p.description,
      ]),
    ),
    ...captioned(
      ['input', 'what', 'meaning'],
      Object.entries(stage.inputs).map(([port, input]) => [`\`${port}\``, inputInWords(input), input.description]),
    ),
    ...captioned(
      ['output', 'what', 'meaning'],
      Object.entries(stage.outputs).map(([port, output]) => [`\`${port}\``, outputInWords(output), output.description]),
    ),
  ];
}

function captioned(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', ...table(head, rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(row)];
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** As GitHub makes anchors of headings: dots go. */
function anchor(name: string): string {
  return name.toLowerCase().replaceAll('.', '');
}

function described(stage: StageDefinition): object {
  return {
    name: stage.name,
    version: stage.version,
    summary: stage.summary,
    engines: stage.engines?.map((engine) => engine.name) ?? [],
    parameters: parametersOf(stage),
    inputs: stage.inputs,
    outputs: stage.outputs,
  };
}
