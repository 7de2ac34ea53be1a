/** Tasks of one stack run in one process and meet there, so that one piece of work serves them all. */

interface Guest {
  readonly place: number;
  readonly brought: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface Meeting {
  /** Waits until all tasks have come or left; then the work of the first is done for all. */
  join<Brought, Result>(
    place: number,
    brought: Brought,
    work: (all: readonly Brought[]) => Promise<readonly Result[]>,
  ): Promise<Result>;
  /** A task that has ended, however, is waited for no longer. */
  leave(place: number): void;
}

/** @param tasks how many will come; their places are 0 to tasks - 1 */
export function makeMeeting(tasks: number): Meeting {
  const awaited = new Set(Array.from({ length: tasks }, (_, place) => place));
  const guests: Guest[] = [];
  let work: ((all: readonly unknown[]) => Promise<readonly unknown[]>) | undefined;

  const begin = async (): Promise<void> => {
    guests.sort((a, b) => a.place - b.place);
    const present = guests.splice(0);
    try {
      const results = (await work?.(present.map((guest) => guest.brought))) ?? [];
      for (const [i, guest] of present.entries()) guest.resolve(results[i]);
    } catch (error) {
      for (const guest of present) guest.reject(error);
    }
  };
  const arrived = (place: number): void => {
    if (awaited.delete(place) && awaited.size === 0 && guests.length > 0) void begin();
  };
  return {
    join: (place, brought, doWork) =>
      new Promise((resolve, reject) => {
        work ??= doWork as unknown as NonNullable<typeof work>;
        guests.push({ place, brought, resolve: resolve as Guest['resolve'], reject });
        arrived(place);
      }),
    leave: arrived,
  };
}
