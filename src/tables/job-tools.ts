/** What a worker has of its own, for work that says of itself whether it needs a database. */
import { FathomError } from '../errors.ts';
import type { Duck } from './duck.ts';
import type { JobTools } from './jobs.ts';

export const toolsOf = (duck: Duck | undefined): JobTools => ({
  get duck(): Duck {
    if (duck === undefined) throw new FathomError('internal', 'work that needs a database says that it needs none');
    return duck;
  },
});
