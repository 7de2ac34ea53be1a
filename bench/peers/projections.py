"""Lays out one file of points by a Python library, and prints what it took as a line of JSON.

    python3 projections.py sklearn|openTSNE|umap-learn FILE ROWS COLUMNS THREADS OUT
"""

import json
import os
import sys
import time

method, file, rows, columns, threads, out = sys.argv[1:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = threads
import numpy as np

points = np.fromfile(file, np.float32).reshape(int(rows), int(columns))
if method == "sklearn":
    import sklearn
    from sklearn.manifold import TSNE

    version = sklearn.__version__
    lay_out = lambda x: TSNE(init="pca", random_state=1, n_jobs=int(threads)).fit_transform(x)
elif method == "openTSNE":
    import openTSNE

    version = openTSNE.__version__
    lay_out = lambda x: np.asarray(openTSNE.TSNE(n_jobs=int(threads), random_state=1, n_iter=750).fit(x))
else:
    import umap

    version = umap.__version__
    # A seed makes it run on one thread, whatever is asked for.
    lay_out = lambda x: umap.UMAP(random_state=1, n_jobs=1).fit_transform(x)
    # Compiled before the clock starts.
    umap.UMAP(random_state=1, n_jobs=1, n_epochs=5).fit_transform(points[:5000])
wall, cpu = time.perf_counter(), time.process_time()
map_ = lay_out(points)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
np.ascontiguousarray(map_, dtype=np.float64).tofile(out)
# Not ru_maxrss: Linux begins that of a child with the size of its parent.
with open("/proc/self/status") as status:
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
print(json.dumps({"wall": wall, "cpu": cpu, "memoryMb": memory, "version": version}))
