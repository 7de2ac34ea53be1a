/**
 * Another work for the tests of `JobPool`: it says which thread it is in, asks for a database that it has not declared where
 * it is told to, and fails or takes far too long at some job.
 */
import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export default async function open({ add, failAt, waitAt, reach, slow = 0 }, tools) {
  let [begun, atWork] = [0, 0];
  return async (job, index) => {
    const own = { begun: begun++, atOnce: ++atWork };
    if (index === failAt) throw new Error(`job ${index} fails`);
    if (index === waitAt) await setTimeout(1e6);
    if (reach) await tools.duck.rows('SELECT 1');
    await setTimeout(slow);
    atWork--;
    return { value: job + add, thread: threadId, ...own };
  };
}
