"""XGBoost's own Python package on rows that a test has written: trains, predicts, and opens a model of ours.

Usage: peer.py FOLDER, which holds job.json, features.f32 (row-major), labels.f32 and sets.i32 (a code a row).
"""

import json
import pathlib
import sys

import numpy
import xgboost

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
labels = numpy.fromfile(folder / "labels.f32", "<f4")
features = numpy.fromfile(folder / "features.f32", "<f4").reshape(len(labels), -1)
sets = numpy.fromfile(folder / "sets.i32", "<i4")


def matrix(code):
    rows = sets == code
    return xgboost.DMatrix(
        features[rows], label=labels[rows], missing=numpy.nan, feature_names=job["names"], nthread=job["nthread"]
    )


train, validation, test = (matrix(code) for code in job["codes"])
booster = xgboost.train(
    job["parameters"],
    train,
    num_boost_round=job["rounds"],
    evals=[(train, "train"), (validation, "validation")],
    early_stopping_rounds=job["earlyStoppingRounds"] or None,
    verbose_eval=False,
)
end = booster.best_iteration + 1 if job["earlyStoppingRounds"] else 0


def predict(model, end, name):
    model.predict(test, iteration_range=(0, end)).astype("<f4").tofile(folder / name)


predict(booster, end, "test.f32")
booster.predict(validation, iteration_range=(0, end)).astype("<f4").tofile(folder / "validation.f32")
booster.save_model(folder / "python.json")

ours = xgboost.Booster({"nthread": job["nthread"]}, model_file=bytearray((folder / "ours.json").read_bytes()))
predict(ours, end, "ours.f32")
json.dump(
    {
        "version": xgboost.__version__,
        "best": booster.best_iteration if job["earlyStoppingRounds"] else None,
        "oursBest": ours.attr("best_iteration"),
        "oursNames": ours.feature_names,
        "gain": booster.get_score(importance_type="gain"),
        "oursGain": ours.get_score(importance_type="gain"),
    },
    (folder / "answer.json").open("w"),
)
