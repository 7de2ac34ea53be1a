/** Small stages for tests of the executor, loaded through FATHOM_STAGES as anybody's own would be. */
import { z } from 'zod';

const here = (name) => new URL(name, import.meta.url).href;
const port = (kind, description, extra = {}) => ({ kind, description, optional: false, ...extra });
const base = { version: 1, inputs: {}, isolation: 'thread', resources: () => ({ threads: 1, memoryMb: 10, gpus: 0 }) };

export default [
  {
    ...base,
    name: 'test.number',
    summary: 'writes a number drawn from its seed',
    params: z.strictObject({ value: z.number().default(1), label: z.string().default('') }),
    outputs: { metrics: port('metrics', 'the number'), bytes: port('model', 'a kilobyte of random bytes') },
    runs: here('./run-number.mjs'),
  },
  {
    ...base,
    name: 'test.folds',
    summary: 'makes folds',
    params: z.strictObject({ folds: z.number().int().default(3) }),
    outputs: { splits: port('json', 'nothing') },
    elements: (params) => ({ fold: params.folds }),
    runs: here('./run-folds.mjs'),
  },
  {
    ...base,
    name: 'test.fit',
    summary: 'scores how near x is to 3; slow on request, with a checkpoint a step',
    params: z.strictObject({
      x: z.number().default(0),
      steps: z.number().int().default(1),
      stepMs: z.number().default(0),
      fitOn: z.enum(['train', 'train+validation']).default('train'),
      failAt: z.number().optional(),
    }),
    inputs: { splits: port('json', 'folds', { optional: true, take: 'one', many: false }) },
    outputs: { metrics: port('metrics', 'score'), model: port('model', 'sum of draws') },
    runs: here('./run-fit.mjs'),
    refit: (params) => ({ ...params, fitOn: 'train+validation' }),
  },
  {
    ...base,
    name: 'test.die',
    summary: 'ends its process in the way asked for',
    params: z.strictObject({ how: z.enum(['abort', 'SIGSEGV', 'exit', 'throw', 'forget', 'none']) }),
    isolation: 'process',
    outputs: { metrics: port('metrics', 'nothing') },
    runs: here('./run-die.mjs'),
  },
  {
    ...base,
    name: 'test.gather',
    summary: 'adds what it is given',
    params: z.strictObject({}),
    inputs: { parts: port('metrics', 'numbers', { take: 'all', many: true }) },
    outputs: { metrics: port('metrics', 'the sum') },
    runs: here('./run-gather.mjs'),
  },
  {
    ...base,
    name: 'test.table',
    summary: 'writes 40 rows of a feature x, one of them as it is told',
    params: z.strictObject({ seventh: z.enum(['7', 'NaN', 'Infinity', '-Infinity']).default('7') }),
    outputs: { table: port('table', 'the rows') },
    runs: here('./run-table.mjs'),
  },
  {
    ...base,
    name: 'test.needs',
    summary: 'needs a library that is never there',
    params: z.strictObject({}),
    requires: {
      name: 'nolib',
      probe: async () => ({ found: false, reason: 'nolib is not here', fix: 'install nolib' }),
    },
    outputs: { metrics: port('metrics', 'nothing') },
    runs: here('./run-number.mjs'),
  },
];
