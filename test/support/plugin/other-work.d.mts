import type { JobTools, JobWork } from '../../../src/tables/jobs.ts';

export default function open(
  shared: { add: number; failAt?: number | undefined; waitAt?: number | undefined; reach?: boolean; slow?: number },
  tools: JobTools,
): Promise<JobWork<number, { value: number; thread: number; begun: number; atOnce: number }>>;
