/** Error rates of the discovery of skill over many worlds. */
import { describe, expect, it } from 'vitest';
import { countRange } from '../../src/evaluation/proportion.ts';
import runWorld from '../../src/stages/run/source-simulated.ts';
import run from '../../src/stages/run/wallets-discover.ts';
import worldDefinition from '../../src/stages/source-simulated.ts';
import definition from '../../src/stages/wallets-discover.ts';
import { runStage } from '../support/stage.ts';

async function scalarsOf(world: object, params: object, seed: number): Promise<Record<string, number>> {
  const made = await runStage(worldDefinition, runWorld, { params: world, seed });
  const inputs = Object.fromEntries(
    ['trades', 'markets', 'resolutions', 'truth'].map((port) => [port, [made.path(port)]]),
  );
  const found = await runStage(definition, run, { params, inputs, seed });
  return (await found.metrics()).scalars as Record<string, number>;
}

const none = {
  ...{ wallets: 150, markets: 200, days: 100, tradesPerWallet: 25, halfSpread: 0, impactScale: 0, longshotBias: 0 },
  archetypes: { skilled: 0, freshInsider: 0 },
};
const SEEDS = 200;

describe('error rates', () => {
  it.each(['benjamini-hochberg', 'benjamini-yekutieli'])(
    'without skill %s finds somebody in no more of 200 seeds than chance allows',
    async (correction) => {
      let any = 0;
      for (let seed = 1000; seed < 1000 + SEEDS; seed++)
        if (((await scalarsOf(none, { minEvents: 20, correction }, seed))['found'] as number) > 0) any++;
      expect(any).toBeLessThanOrEqual(countRange(new Float64Array(SEEDS).fill(0.05), 0.05).high);
    },
    900_000,
  );

  // The edges that a world plants unless told otherwise are small: it takes a thousand events of a wallet to see them.
  it.each([
    ['planted unless told', { mean: 0.03, sd: 0.02 }, { markets: 8000, days: 720, tradesPerWallet: 400 }],
    ['large', { mean: 0.2, sd: 0.05 }, { markets: 1500, days: 180, tradesPerWallet: 20 }],
  ])(
    'with edges %s precision holds its rate, and power is predicted without bias',
    async (_, planted, size) => {
      let [right, found, recall, predicted] = [0, 0, 0, 0];
      const worlds = 8;
      for (let seed = 0; seed < worlds; seed++) {
        const world = { ...size, wallets: 300, archetypes: { skilled: 30, freshInsider: 0 }, skilledEdge: planted };
        const scalars = await scalarsOf(world, { planted }, seed);
        right += scalars['foundSkilled'] as number;
        found += scalars['found'] as number;
        recall += (scalars['recall'] as number) / worlds;
        predicted += (scalars['predictedPower'] as number) / worlds;
      }
      const range = countRange(new Float64Array(found).fill(0.95));
      expect(right).toBeGreaterThanOrEqual(range.low);
      expect(Math.abs(recall - predicted)).toBeLessThan(0.08);
    },
    900_000,
  );
});
