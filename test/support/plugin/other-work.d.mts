import type { JobTools, JobWork } from '../../../src/tables/jobs.ts';

export default function open(
  shared: { add: number; failAt?: number | undefined; waitAt?: number | undefined; reach?: boolean },
  tools: JobTools,
): Promise<JobWork<number, { value: number; thread: number }>>;
