/** Schema of what files say of their columns; apart from the words, since worker threads need no schemas and start sooner. */
import { z } from 'zod';
import { type ColumnSpec, columnRoles } from './columns.ts';

export const columnSpecs: z.ZodType<ColumnSpec[]> = z.array(
  z.strictObject({
    name: z.string().min(1),
    role: z.enum(columnRoles),
    unit: z.string().optional(),
    description: z.string().optional(),
  }),
);
