"""k-means, principal components and isolation forests by scikit-learn, one thread.

Arguments: a folder with rows.f32 (n x 13), wide.f32 (m x 500), starts.f32 (k x 13). Reads lines of a task and its
numbers, answers each with one line of JSON: CPU milliseconds and how good the result is.
"""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import IsolationForest  # noqa: E402


def main():
    folder = sys.argv[1]
    read = lambda name, columns: np.fromfile(os.path.join(folder, name), np.float32).reshape(-1, columns)
    rows, wide, starts = read("rows.f32", 13), read("wide.f32", 500), read("starts.f32", 13)
    tables = {
        ("rows", "float32"): rows, ("rows", "float64"): rows.astype(np.float64),
        ("wide", "float32"): wide, ("wide", "float64"): wide.astype(np.float64),
    }
    print(json.dumps({"version": "scikit-learn " + sklearn.__version__}), flush=True)
    for line in sys.stdin:
        task, *args = line.split()
        began = time.process_time()
        if task == "kmeans":
            k, iterations, kind = int(args[0]), int(args[1]), args[2]
            data = tables["rows", kind]
            model = KMeans(k, init=starts[:k].astype(data.dtype), n_init=1, max_iter=iterations, tol=0).fit(data)
            answer = {"iterations": int(model.n_iter_), "quality": float(model.inertia_)}
        elif task == "kmeans++":
            k = int(args[0])
            model = KMeans(k, n_init=1, max_iter=300, tol=0, random_state=int(args[1])).fit(rows)
            answer = {"iterations": int(model.n_iter_), "quality": float(model.inertia_)}
        elif task == "pca":
            table, kind, components, scores = args[0], args[1], int(args[2]), args[3] == "scores"
            model = PCA(components, random_state=0)
            (model.fit_transform if scores else model.fit)(tables[table, kind])
            answer = {"quality": [float(share) for share in model.explained_variance_ratio_]}
        elif task == "forest":
            model = IsolationForest(n_estimators=100, max_samples=256, random_state=int(args[0])).fit(rows)
            scores = -model.score_samples(rows)
            answer = {}
            answer["milliseconds"] = (time.process_time() - began) * 1e3
            planted = np.arange(len(rows)) % 100 == 99
            order = scores.argsort().argsort() + 1.0
            n = planted.sum()
            answer["quality"] = float((order[planted].sum() - n * (n + 1) / 2) / (n * (len(rows) - n)))
        else:
            raise SystemExit(f"no task {task}")
        answer.setdefault("milliseconds", (time.process_time() - began) * 1e3)
        print(json.dumps(answer), flush=True)


main()
