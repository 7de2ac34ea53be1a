/** Model files of clusters, anomalies and components, whichever they are: what they give rows that come later. */
import { FathomError } from '../errors.ts';
import type { Frame } from '../tables/frame.ts';
import { parseCentroid, scoreCentroid } from './anomalies/centroid-distance.ts';
import { parseForest, scoreForest } from './anomalies/isolation-forest.ts';
import { parseDbscan, predictDbscan } from './clusters/dbscan-model.ts';
import { parseKMeans, scoreKMeans } from './clusters/k-means-model.ts';
import { parsePca, scorePca } from './components/pca-model.ts';
import type { FeatureSpace } from './feature-space.ts';

/** What a model says of each row. */
export interface Prediction {
  readonly name: string;
  readonly type: 'INT32' | 'DOUBLE';
  readonly values: Int32Array | Float64Array;
  readonly description: string;
}

export interface SavedModel {
  /** "k-means". */
  readonly name: string;
  readonly space: FeatureSpace;
  /** Refuses a frame with other columns or units. */
  predict(frame: Frame): Prediction[];
}

const VERSION = 1;

const readers: Readonly<Record<string, (text: string) => SavedModel>> = {
  'fathom.k-means': (text) => {
    const model = parseKMeans(text);
    return {
      name: 'k-means',
      space: model.space,
      predict: (frame) => {
        const { labels, distances } = scoreKMeans(model, frame);
        return [
          { name: 'cluster', type: 'INT32', values: labels, description: 'Cluster whose centre is nearest' },
          { name: 'distance', type: 'DOUBLE', values: distances, description: 'Distance to its centre' },
        ];
      },
    };
  },
  'fathom.dbscan': (text) => {
    const model = parseDbscan(text);
    return {
      name: 'DBSCAN',
      space: model.space,
      predict: (frame) => [
        {
          name: 'cluster',
          type: 'INT32',
          values: predictDbscan(model, frame),
          description: 'Cluster of the nearest core row within reach; -1 is noise',
        },
      ],
    };
  },
  'fathom.isolation-forest': (text) => {
    const model = parseForest(text);
    return {
      name: 'isolation forest',
      space: model.space,
      predict: (frame) => anomalies(scoreForest(model, frame), 'Isolation score, 0 to 1'),
    };
  },
  'fathom.centroid-distance': (text) => {
    const model = parseCentroid(text);
    return {
      name: 'centroid distance',
      space: model.kMeans.space,
      predict: (frame) => anomalies(scoreCentroid(model, frame), 'Distance to the nearest centre'),
    };
  },
  'fathom.pca': (text) => {
    const model = parsePca(text);
    return {
      name: 'principal components',
      space: model.space,
      predict: (frame) =>
        scorePca(model, frame).map((values, c) => ({
          name: `component${c + 1}`,
          type: 'DOUBLE',
          values,
          description: `Score on component ${c + 1}`,
        })),
    };
  },
};

function anomalies({ scores, anomalous }: { scores: Float64Array; anomalous: Uint8Array }, what: string): Prediction[] {
  return [
    { name: 'score', type: 'DOUBLE', values: scores, description: `${what}; higher is more unusual` },
    {
      name: 'anomalous',
      type: 'INT32',
      values: Int32Array.from(anomalous),
      description: '1 above the threshold of the model',
    },
  ];
}

/** Opens the text of a model file. Refuses one that is cut off, of another kind or of another version. */
export function openModel(text: string): SavedModel {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FathomError('data', `the model file is not complete JSON: it breaks off or was changed`, {
      hint: 'copy it again from the artifact that the stage left',
    });
  }
  const { schema, version } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const read = typeof schema === 'string' && Object.hasOwn(readers, schema) ? readers[schema] : undefined;
  if (read === undefined)
    throw new FathomError(
      'data',
      `the model file is of the kind ${JSON.stringify(schema ?? null)}, which is not known`,
      {
        hint: `known: ${Object.keys(readers).join(', ')}`,
      },
    );
  if (version !== VERSION)
    throw new FathomError('data', `the model file is of version ${JSON.stringify(version ?? null)} of ${schema}`, {
      hint: `version ${VERSION} is read: fit the model again`,
    });
  return read(text);
}
