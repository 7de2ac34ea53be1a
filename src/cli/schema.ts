/** `fathom schema`: the JSON schema of experiment files. */
import { EXIT } from '../errors.ts';
import { experimentJsonSchema } from '../experiment/json-schema.ts';
import type { Registry } from '../experiment/stages.ts';
import type { CliEffects } from './effects.ts';

export function schema(_args: object, effects: CliEffects, stages: Registry): Promise<number> {
  effects.out(JSON.stringify(experimentJsonSchema(stages), undefined, 2));
  return Promise.resolve(EXIT.ok);
}
