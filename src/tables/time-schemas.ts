/** Schemas of spans and moments; apart from the arithmetic, since worker threads need no schemas and start sooner. */
import { z } from 'zod';
import { durationPattern, momentPattern } from './time.ts';

/** `90d`, `1h`, `15m`, `30s`, `2w`: a whole number and its unit. */
export const duration: z.ZodString = z
  .string()
  .regex(durationPattern, 'expected a whole number and a unit: 30s, 15m, 1h, 7d or 2w');

/** `2025-03-01`, `2025-03-01T12:00Z` or with an offset; a date alone is midnight UTC. */
export const moment: z.ZodString = z
  .string()
  .regex(momentPattern, 'expected a date (2025-03-01, midnight UTC) or a time with its zone (2025-03-01T12:00Z)');
