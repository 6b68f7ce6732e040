"""hotspots.py - SciPy for Gi* and its correction, scikit-learn for DBSCAN, on
the values, links and points that bench_hotspots left.

    hotspots.py FOLDER
"""
import math
import os
import sys
import time

import numpy as np
import scipy
from scipy.sparse import csr_matrix
from scipy.special import erfc

# Rows of DBSCAN that scikit-learn gets too: it keeps all neighbours of all
# points, some 30 GB for a full city. Those in a box about the city's middle.
DBSCAN_MOST = 250_000


def load_gistar(path):
    with open(path, "rb") as f:
        own_s = np.fromfile(f, np.float64, 1)[0]
        n, links = (int(v) for v in np.fromfile(f, np.uint64, 2))
        value = np.fromfile(f, np.float64, n)
        first = np.fromfile(f, np.uint64, n + 1).astype(np.int64)
        to = np.fromfile(f, np.uint32, links).astype(np.int32)
        return own_s, value, first, to, np.fromfile(f, np.float64, n), np.fromfile(f, np.float64, n)


def gistar(w, k, x):
    n = len(x)
    mean, sd = x.mean(), x.std()
    z = (w @ x + x - mean * k) / (sd * np.sqrt((n * k - k * k) / (n - 1)))
    p = erfc(np.abs(z) * math.sqrt(0.5))
    order = np.argsort(p, kind="stable")
    q = np.empty(n)
    q[order] = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    return z, np.minimum(q, 1)


def row(name, seconds, rows):
    print("%-44s %12d %12s %12s %12d" % (name, 1, "%.3f ms" % (seconds * 1e3), "-", rows), flush=True)


def ratio(name, peer, own_s, peer_s):
    print("%-44s %.2f times as fast as %s" % (name, peer_s / own_s, peer), flush=True)


def compare_gistar(folder, name, label):
    own_s, x, first, to, z, q = load_gistar(os.path.join(folder, name))
    n = len(x)
    w = csr_matrix((np.ones(len(to)), to, first), shape=(n, n))
    k = np.diff(first) + 1.0
    gistar(w, k, x)
    best = math.inf
    for _ in range(5):
        begun = time.perf_counter()
        got_z, got_q = gistar(w, k, x)
        best = min(best, time.perf_counter() - begun)
    row(f"{label}, SciPy", best, n)
    print("%-44s z differs by %.1e, q by %.1e at most" % (label, np.abs(got_z - z).max(), np.abs(got_q - q).max()))
    ratio(label, "SciPy", own_s, best)
    return max(np.abs(got_z - z).max(), np.abs(got_q - q).max()) < 1e-6


def squeeze(code):
    x = code & np.uint64(0x5555555555555555)
    for shift, mask in ((1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
                        (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)):
        x = (x | (x >> np.uint64(shift))) & np.uint64(mask)
    return x.astype(np.float64) + 0.5


def ground(x, y):
    """Metres on a plane that is right at the middle of the points, as an analyst projects them."""
    turn = math.pi * (1 - 2 * y.mean() / 2**32)
    lat = math.atan(math.sinh(turn))
    e2 = 0.00669437999014
    w = 1 - e2 * math.sin(lat) ** 2
    across = 6378137 / math.sqrt(w) * math.cos(lat)
    along = 6378137 * (1 - e2) / w**1.5 * math.cos(lat)
    cell = 2 * math.pi / 2**32
    return np.column_stack(((x - x.mean()) * cell * across, (y.mean() - y) * cell * along))


def compare_dbscan(folder):
    from sklearn.cluster import DBSCAN
    with open(os.path.join(folder, "dbscan"), "rb") as f:
        own_s, eps, least, n = np.fromfile(f, np.float64, 4)
        n = int(n)
        code = np.fromfile(f, np.uint64, n)
        of = np.fromfile(f, np.uint32, n).astype(np.int64)
        core = np.fromfile(f, np.uint8, n) > 0
    x, y = squeeze(code), squeeze(code >> np.uint64(1))
    part = np.ones(n, bool)
    if n > DBSCAN_MOST:  # a square about the middle with so many points
        far = np.maximum(np.abs(x - np.median(x)), np.abs(y - np.median(y)))
        part = far <= np.sort(far)[DBSCAN_MOST]
    at = ground(x[part], y[part])
    best = math.inf
    for algorithm in ("kd_tree", "ball_tree"):
        begun = time.perf_counter()
        db = DBSCAN(eps=eps, min_samples=int(least), algorithm=algorithm, n_jobs=2).fit(at)
        took = time.perf_counter() - begun
        row(f"DBSCAN, scikit-learn {algorithm}", took, len(at))
        best = min(best, took)
    # Away from the square's edge both know the same points.
    inner = np.max(np.abs(at - (at.max(0) + at.min(0)) / 2) / ((at.max(0) - at.min(0)) / 2 - 2 * eps), axis=1) < 1
    theirs = np.zeros(len(at), bool)
    theirs[db.core_sample_indices_] = True
    differ = int((theirs != core[part])[inner].sum())
    noise = int(((db.labels_ < 0) != (of[part] == 2**32 - 1))[inner].sum())
    print("%-44s of %d points %d differ in being core, %d in being noise" % ("DBSCAN", inner.sum(), differ, noise))
    ratio("DBSCAN, a point", "scikit-learn", own_s / n, best / len(at))
    # On a plane distances err by 1e-4 some 30 km from the middle.
    return differ + noise <= inner.sum() * 2e-3


if __name__ == "__main__":
    print(f"# hotspots, peers | numpy {np.__version__}, scipy {scipy.__version__}")
    good = compare_gistar(sys.argv[1], "gistar_units", "Gi* and FDR of units")
    good &= compare_gistar(sys.argv[1], "gistar_cells", "Gi* and FDR of cells")
    try:
        import sklearn
        good &= compare_dbscan(sys.argv[1])
    except ImportError:
        print("no scikit-learn: DBSCAN not measured")
    sys.exit(0 if good else 1)
