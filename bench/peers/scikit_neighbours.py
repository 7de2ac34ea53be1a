"""Nearest neighbours and DBSCAN by scikit-learn, one thread, and the rows that both sides are given.

Argument: a folder. Writes blobs.f32 (100,000 x 13), stretched13.f32 and stretched50.f32 (50,000 rows) there; then reads
lines "neighbours FILE ROWS COLUMNS K ALGORITHM" or "dbscan FILE ROWS COLUMNS EPS MINPOINTS", and answers each with CPU
seconds. Distances and labels are left in the folder: distances.f64 and labels.i32.
"""
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.cluster import DBSCAN  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402


def blobs(rows=100_000, columns=13, kinds=8):
    """Round heaps, each wider than the one before."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((kinds, columns)) * 4
    kind = random.integers(0, kinds, rows)
    return centres[kind] + random.standard_normal((rows, columns)) * (0.6 + 0.1 * kind[:, None])


def stretched(columns, rows=50_000):
    """Six stretched and turned Gaussians that overlap, and one row in twenty anywhere."""
    random = np.random.default_rng(1234)
    shares = np.array([0.28, 0.22, 0.18, 0.14, 0.10, 0.08, 0.0]) * 0.95
    shares[6] = 0.05
    kind = random.choice(7, size=rows, p=shares)
    values = random.uniform(-4.5, 4.5, size=(rows, columns))
    for one in range(6):
        turn = np.linalg.qr(random.normal(size=(columns, columns)))[0] * random.uniform(0.35, 1.6, size=columns)
        mine = np.flatnonzero(kind == one)
        values[mine] = random.normal(size=columns) * 1.15 + random.normal(size=(len(mine), columns)) @ turn.T
    return values


def main():
    folder = sys.argv[1]
    at = lambda name: os.path.join(folder, name)
    for name, values in (("blobs", blobs()), ("stretched13", stretched(13)), ("stretched50", stretched(50))):
        values.astype(np.float32).tofile(at(name + ".f32"))
    print("scikit-learn", sklearn.__version__, flush=True)
    for line in sys.stdin:
        task, name, rows, columns, first, second = line.split()
        values = np.fromfile(at(name + ".f32"), np.float32).reshape(-1, int(columns))[: int(rows)]
        began = time.process_time()
        if task == "neighbours":
            model = NearestNeighbors(n_neighbors=int(first), algorithm=second, n_jobs=1).fit(values)
            distances, _ = model.kneighbors()
            took = time.process_time() - began
            distances.astype(np.float64).tofile(at("distances.f64"))
        else:
            model = DBSCAN(eps=float(first), min_samples=int(second), n_jobs=1).fit(values)
            took = time.process_time() - began
            model.labels_.astype(np.int32).tofile(at("labels.i32"))
        print(took, flush=True)


main()
