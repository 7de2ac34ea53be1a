import { describe, expect, it } from 'vitest';
import { makeMeeting } from '../../src/run/meeting.ts';

const double = async (all: readonly number[]): Promise<number[]> => all.map((value) => 2 * value);

describe('a meeting', () => {
  it('does the work once for all, in order of their places', async () => {
    const meeting = makeMeeting(3);
    const calls: (readonly number[])[] = [];
    const work = async (all: readonly number[]): Promise<number[]> => {
      calls.push(all);
      return double(all);
    };
    const results = Promise.all([meeting.join(2, 30, work), meeting.join(0, 10, work)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([]);
    expect(await meeting.join(1, 20, work)).toBe(40);
    expect(await results).toEqual([60, 20]);
    expect(calls).toEqual([[10, 20, 30]]);
  });

  it('waits no longer for those that have ended without coming', async () => {
    const meeting = makeMeeting(3);
    const result = meeting.join(1, 5, double);
    meeting.leave(0);
    meeting.leave(2);
    meeting.leave(2);
    expect(await result).toBe(10);
  });

  it('fails for all that came if its work fails', async () => {
    const meeting = makeMeeting(2);
    const fail = async (): Promise<number[]> => {
      throw new Error('no');
    };
    const both = [meeting.join(0, 1, fail), meeting.join(1, 2, fail)];
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
