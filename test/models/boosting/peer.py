"""XGBoost's own Python package on rows that a test has written: trains, predicts, and opens a model of ours.

Usage: peer.py FOLDER, which holds job.json, features.f32 (row-major), labels.f32 (row-major where there are several a
row), sets.i32 (a code a row), and, where job.json says so, weights.f32 and queries.i32.
"""

import json
import pathlib
import sys

import numpy
import xgboost

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
sets = numpy.fromfile(folder / "sets.i32", "<i4")
features = numpy.fromfile(folder / "features.f32", "<f4").reshape(len(sets), -1)
labels = numpy.fromfile(folder / "labels.f32", "<f4").reshape(len(sets), -1)
weights = numpy.fromfile(folder / "weights.f32", "<f4") if job["weighted"] else None
queries = numpy.fromfile(folder / "queries.i32", "<i4") if job["queried"] else None


class Part:
    """The rows of one set, query by query where there are queries."""

    def __init__(self, code):
        self.rows = numpy.flatnonzero(sets == code)
        if queries is not None:
            self.rows = self.rows[numpy.argsort(queries[self.rows], kind="stable")]
        self.matrix = xgboost.DMatrix(
            features[self.rows],
            label=labels[self.rows] if labels.shape[1] > 1 else labels[self.rows, 0],
            weight=None if weights is None else weights[self.rows],
            qid=None if queries is None else queries[self.rows],
            missing=numpy.nan,
            feature_names=job["names"],
            feature_types=job["types"],
            enable_categorical=job["types"] is not None,
            nthread=job["nthread"],
        )

    def write(self, name, model, end):
        """Predictions in the order of the table."""
        predicted = model.predict(self.matrix, iteration_range=(0, end)).astype("<f4")
        predicted[numpy.argsort(self.rows)].tofile(folder / name)


train, validation, test = (Part(code) for code in job["codes"])
booster = xgboost.train(
    job["parameters"],
    train.matrix,
    num_boost_round=job["rounds"],
    evals=[(train.matrix, "train"), (validation.matrix, "validation")],
    early_stopping_rounds=job["earlyStoppingRounds"] or None,
    verbose_eval=False,
)
end = booster.best_iteration + 1 if job["earlyStoppingRounds"] else 0
test.write("test.f32", booster, end)
validation.write("validation.f32", booster, end)
booster.save_model(folder / "python.json")

ours = xgboost.Booster({"nthread": job["nthread"]}, model_file=bytearray((folder / "ours.json").read_bytes()))
test.write("ours.f32", ours, end)
contributions = ours.predict(test.matrix, pred_contribs=True, iteration_range=(0, end)).astype("<f4")
contributions.tofile(folder / "contributions.f32")
json.dump(
    {
        "version": xgboost.__version__,
        "best": booster.best_iteration if job["earlyStoppingRounds"] else None,
        "oursBest": ours.attr("best_iteration"),
        "oursNames": ours.feature_names,
        "oursTypes": ours.feature_types,
        "gain": booster.get_score(importance_type="gain"),
        "oursGain": ours.get_score(importance_type="gain"),
    },
    (folder / "answer.json").open("w"),
)
