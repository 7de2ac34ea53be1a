import type { Bucket } from '../../../src/facts/read.ts';
import type { OpenJobWork } from '../../../src/tables/jobs.ts';

declare const open: OpenJobWork<
  { factor: number; failAt?: number; crashAt?: number },
  Bucket,
  { sum: number; limit: string }
>;
export default open;
