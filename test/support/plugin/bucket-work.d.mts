import type { OpenBucketWork } from '../../../src/facts/run-buckets.ts';

declare const open: OpenBucketWork<
  { factor: number; failAt?: number; crashAt?: number },
  { sum: number; limit: string }
>;
export default open;
