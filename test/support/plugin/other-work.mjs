/**
 * Another work for the tests of `JobPool`: it says which thread it is in, asks for a database that it has not declared where
 * it is told to, and fails or takes far too long at some job.
 */
import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export default async function open({ add, failAt, waitAt, reach }, tools) {
  return async (job, index) => {
    if (index === failAt) throw new Error(`job ${index} fails`);
    if (index === waitAt) await setTimeout(1e6);
    if (reach) await tools.duck.rows('SELECT 1');
    return { value: job + add, thread: threadId };
  };
}
