import { describe, expect, it } from 'vitest';
import { makeKernels } from '../../src/kernels/kernels.ts';
import { Activity } from '../../src/wallets/profile/activity.ts';
import { Counterparties } from '../../src/wallets/profile/counterparties.ts';
import { KNOWABLE_AT, RECORD } from '../../src/wallets/profile/market-records.ts';
import { Settler } from '../../src/wallets/profile/settlement.ts';
import { FILL_BYTES, WalletViewer } from '../../src/wallets/profile/wallet-view.ts';

const dates = { times: Float64Array.of(1e12), every: 1e9, lookback: 1e9 };

function viewerFor(mostFills: number) {
  const kernels = makeKernels();
  const records = new Float64Array(RECORD);
  records[KNOWABLE_AT] = Number.POSITIVE_INFINITY;
  const viewer = new WalletViewer(kernels, records, dates, mostFills);
  const prices = { tokens: new Float64Array(0), marks: new Float64Array(0) };
  const others = [
    new Activity(kernels, viewer.fills),
    new Counterparties(kernels, viewer.fills),
    new Settler(kernels, viewer.fills, prices),
  ];
  return { kernels, viewer, reserve: () => viewer.reserve(others) };
}

describe('the fills of a wallet', () => {
  it('are refused if they are more than the table of wallets has', () => {
    const { viewer, reserve } = viewerFor(100);
    reserve();
    viewer.factsFor(200);
    expect(viewer.take(0, 100).count).toBe(100);
    expect(() => viewer.take(0, 101)).toThrow(
      /a wallet has 101 fills, and the table of wallets knows of none with more/,
    );
  });

  it('are refused if the kernels have no room for them', () => {
    expect(viewerFor(9_000_000).reserve).toThrow(
      /no room in kernel memory for the 9000000 fills of the busiest wallet/,
    );
  });

  it.each([1025, 4097, 70_000, 131_073])('take no more memory than is said: %i of them', (fills) => {
    const { kernels, reserve } = viewerFor(fills);
    const before = kernels.allocate(0);
    reserve();
    const taken = kernels.allocate(0) - before;
    expect(taken).toBeLessThanOrEqual(FILL_BYTES * fills);
    expect(taken).toBeGreaterThan(FILL_BYTES * fills * 0.7);
  });

  it('are never laid over others: the kernels trap where addresses end', () => {
    const { kernels, viewer } = viewerFor(100);
    const reserveMuch = () => kernels.reserveWalletFills(viewer.fills, 9_000_000);
    expect(() => {
      for (let i = 0; i < 4; i++) reserveMuch();
    }).toThrow(/unreachable/);
  });
});
