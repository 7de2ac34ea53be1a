/** Predicts the rows of a frame with a saved model. */
import type { Frame } from '../../tables/frame.ts';
import { categoricalOf, takeRows } from './features.ts';
import { makeMatrix } from './matrix.ts';
import { featuresFor, finished, type ModelCard, openModel, roundsOf } from './model-file.ts';
import type { Xgboost } from './xgboost-c.ts';

export interface FramePredictions {
  readonly card: ModelCard;
  /** Rows x classes, row-major; rows x 1 without classes. */
  readonly values: Float32Array;
  /** Values of features that are missing, those of unknown categories included. */
  readonly missing: number;
  /** Values of categories that the model has not seen. */
  readonly unseen: number;
}

/** @param where the model's file, for messages */
export function predictFrame(
  xgboost: Xgboost,
  bytes: Uint8Array,
  where: string,
  frame: Frame,
  threads: number,
): FramePredictions {
  const { booster, card } = openModel(xgboost, bytes, where);
  try {
    const { features, unseen } = featuresFor(card, frame);
    const { columns, missing } = takeRows(
      features,
      Uint32Array.from({ length: frame.rows }, (_, row) => row),
    );
    if (frame.rows === 0) return { card, values: new Float32Array(0), missing, unseen };
    booster.setParameter('nthread', threads);
    const matrix = makeMatrix(
      xgboost,
      { columns, rows: frame.rows, featureNames: features.names, categorical: categoricalOf(features) },
      threads,
    );
    try {
      const values = finished(card, booster.predict(matrix, roundsOf(booster)), card.classes.length);
      return { card, values, missing, unseen };
    } finally {
      matrix.free();
    }
  } finally {
    booster.free();
  }
}
