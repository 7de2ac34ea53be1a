/** How an experiment names the dates as of which wallets are profiled. */
import { z } from 'zod';
import { duration, moment } from '../tables/time-schemas.ts';

export const asOfSchema = z.strictObject({
  every: duration.default('1d').describe('Distance between dates, e.g. 7d, 1d, 1h'),
  from: z
    .union([moment, z.literal('end')])
    .optional()
    .describe(
      'First date; the dates then count from it. `end`: one date, just after the last trade. Default: the first on the UTC grid of `every` (weeks: Mondays) with a full window behind it',
    ),
  to: moment.optional().describe('No date after this one. Dates end at the last trade in any case'),
  lookback: duration.default('90d').describe('Length of the window before each date, e.g. 90d'),
});

export type AsOf = z.infer<typeof asOfSchema>;
