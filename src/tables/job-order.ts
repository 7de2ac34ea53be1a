/** Jobs and their results one after the other, however many threads ask for them at once. */

/** Passes results on in the order of their numbers: those that come early wait. */
export function inOrder<Result>(take: (result: Result, index: number) => void): typeof take {
  const early = new Map<number, Result>();
  let next = 0;
  return (result, index) => {
    early.set(index, result);
    for (; early.has(next); next++) {
      const held = early.get(next) as Result;
      early.delete(next);
      take(held, next);
    }
  };
}

/** A function that gives the next job with its number, however many ask at once; undefined at the end. */
export function oneAtATime<Job>(
  iterator: Iterator<Job> | AsyncIterator<Job>,
): () => Promise<{ job: Job; index: number } | undefined> {
  let index = 0;
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(async () => {
      const { value, done } = await iterator.next();
      return done === true ? undefined : { job: value as Job, index: index++ };
    });
    last = next;
    return next;
  };
}

/** Lets one at a time do something, in the order in which they ask. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  run<Result>(step: () => Result | Promise<Result>): Promise<Result> {
    const own = this.last.then(step);
    // Who asked for it gets the error.
    this.last = own.catch(() => undefined);
    return own;
  }
}
