"""XGBoost's own Python package on the bench's table: one line in, one line of JSON out, CPU time of the part asked for.

Commands: `matrix N` makes a DMatrix N times, `train N` makes one, trains N rounds with the loss of each and predicts,
`silent N` does the same without the losses.
Usage: xgboost_train.py FOLDER ROWS, where FOLDER holds features.f32 (row-major) and labels.f32.
"""

import json
import pathlib
import sys
import time

import numpy
import xgboost

folder, rows = pathlib.Path(sys.argv[1]), int(sys.argv[2])
features = numpy.fromfile(folder / "features.f32", "<f4").reshape(rows, -1)
labels = numpy.fromfile(folder / "labels.f32", "<f4")
parameters = json.loads((folder / "parameters.json").read_text())


def matrix():
    return xgboost.DMatrix(features, label=labels, missing=numpy.nan, nthread=1)


def train(rounds, watched):
    data = matrix()
    evals = [(data, "train")] if watched else []
    booster = xgboost.train(parameters, data, num_boost_round=rounds, evals=evals, verbose_eval=False)
    return booster.predict(data)


print(json.dumps({"version": f"Python {sys.version.split()[0]} xgboost {xgboost.__version__}"}), flush=True)
for line in sys.stdin:
    what, count = line.split()
    began = time.process_time()
    predicted = None
    if what == "matrix":
        for _ in range(int(count)):
            matrix()
    else:
        predicted = train(int(count), what == "train")
    spent = time.process_time() - began
    if predicted is not None:
        predicted.astype("<f4").tofile(folder / "python.f32")
    print(json.dumps({"milliseconds": 1e3 * spent}), flush=True)
