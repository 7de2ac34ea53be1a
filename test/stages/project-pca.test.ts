import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MapFigure } from '../../src/contract/figure.ts';
import { fitSpace, toSpace } from '../../src/models/feature-space.ts';
import { pca2 } from '../../src/projections/pca.ts';
import projectPca from '../../src/stages/project-pca.ts';
import run from '../../src/stages/run/project-pca.ts';
import { columnsOf, writeFrame } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { blobs, frameOf } from '../models/blobs.ts';
import { recorded } from '../models/recorded.ts';
import { shared, whyNoShared } from '../support/shared.ts';
import { runStage, temporaryFolder } from '../support/stage.ts';

describe('project.pca', () => {
  const points = blobs(
    [
      [0, 0, 0],
      [9, 9, 0],
    ],
    80,
  );
  const frame = frameOf(
    points,
    Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? 'bot' : 'whale')),
  );

  it('maps the rows by their principal components, and says what they hold', async () => {
    const file = path.join(await temporaryFolder(), 'frame.arrow');
    await writeFrame(file, frame);
    const result = await runStage(projectPca, run, { params: {}, inputs: { features: [file] } });
    const space = fitSpace(columnsOf(frame, 'feature'), points, true);
    const map = pca2(toSpace(space, points));
    const { rows } = await readParquet(result.path('embedding'));
    for (const [i, row] of rows.entries()) {
      expect(row['x']).toBeCloseTo(map.points[2 * i] as number, 9);
      expect(row['y']).toBeCloseTo(map.points[2 * i + 1] as number, 9);
    }
    const { scalars } = await result.metrics();
    expect(scalars['explained.first']).toBeCloseTo(map.explained[0], 12);
    expect(scalars['explained.second']).toBeCloseTo(map.explained[1], 12);
    expect(scalars['pca.trustworthiness']).toBe(scalars['trustworthiness']);
    const [figure] = (await result.figures()) as MapFigure[];
    expect(figure?.caption).toMatch(/^Principal components: x holds 6\d\.\d % of the variance/);
    expect(figure?.colour).toBe('kind');
  });
});

describe.skipIf(!shared)(`digits (${shared === undefined ? whyNoShared : '1,797 rows of 64'})`, () => {
  it('hold the variance that scikit-learn finds', async () => {
    const file = path.join(await temporaryFolder(), 'digits.arrow');
    await writeFrame(file, frameOf(recorded('digits.csv.gz').points, undefined));
    const params = { standardize: false, maxRows: 2000 };
    const result = await runStage(projectPca, run, { params, inputs: { features: [file] } });
    const { scalars } = await result.metrics();
    expect(scalars['explained.first']).toBeCloseTo(0.148906, 6);
    expect(scalars['explained.second']).toBeCloseTo(0.136188, 6);
  });
});
