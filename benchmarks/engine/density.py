"""density.py - a whole city as a raster of 50 m cells, by numpy and scipy.

    density.py FOLDER

FOLDER holds what bench_density left: eastings and northings of the rows, our
cells and what they took. The peers count the rows of each cell and smooth the
counts: gaussian_filter, and fftconvolve with the quartic and Epanechnikov's
kernel at the cells' middles. That shifts every row to the middle of its cell,
which is what the differences are; exact sums at 200 cells, by a k-d tree, say
who is nearer.
"""
import math
import os
import sys
import time

import numpy as np
import scipy
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve
from scipy.spatial import cKDTree


def shape(kernel, q):
    """Integral 1 over the unit disc; q is the squared radius."""
    inside = q < 1
    if kernel == "quartic":
        return np.where(inside, 3 / math.pi * (1 - q) ** 2, 0)
    if kernel == "epanechnikov":
        return np.where(inside, 2 / math.pi * (1 - q), 0)
    return np.where(inside, 4.5 / math.pi / (1 - math.exp(-4.5)) * np.exp(-4.5 * q), 0)


def smooth(kernel, counts, cell, h):
    if kernel == "gaussian":
        return gaussian_filter(counts, h / 3 / cell, truncate=3.0, mode="constant") / (cell / 1000) ** 2
    reach = int(h / cell) + 1
    at = np.arange(-reach, reach + 1) * cell
    taps = shape(kernel, (at[:, None] ** 2 + at[None, :] ** 2) / h**2) / (h / 1000) ** 2
    return fftconvolve(counts, taps, mode="same")


def bench(folder, layer, kernel, x, y):
    columns, rows, west, north, cell, h, own_s = map(float, open(f"{folder}/density-{layer}-{kernel}.txt").read().split())
    columns, rows = int(columns), int(rows)
    own = np.fromfile(f"{folder}/density-{layer}-{kernel}.f32", np.float32).reshape(rows, columns)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        at = ((north - y) / cell).astype(np.int64) * columns + ((x - west) / cell).astype(np.int64)
        counts = np.bincount(at, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
        theirs = smooth(kernel, counts, cell, h)
        took.append(time.perf_counter() - start)
    took_s = sorted(took)[1]
    rng = np.random.default_rng(5)
    some = rng.choice(len(x), 200)  # cells with rows near
    r, c = ((north - y[some]) / cell).astype(int), ((x[some] - west) / cell).astype(int)
    middle = np.column_stack((west + (c + 0.5) * cell, north - (r + 0.5) * cell))
    near = TREE[layer].query_ball_point(middle, h)
    exact = np.array([shape(kernel, ((x[i] - m[0]) ** 2 + (y[i] - m[1]) ** 2) / h**2).sum() for i, m in zip(near, middle)])
    exact /= (h / 1000) ** 2
    most = own.max()
    print("%-40s %9.1f ms   %.2f times as fast" % (f"{layer}, {kernel} {h:g} m, scipy", 1000 * took_s, took_s / own_s))
    off = [100 * np.abs(v[r, c] - exact).max() / most for v in (own, theirs)]
    print(f"  differs from the peer by {100 * np.abs(own - theirs).max() / most:.2f} % of the largest value at most; "
          f"from exact sums at 200 cells: ours {off[0]:.3f} %, scipy {off[1]:.3f} %; "
          f"sums {own.sum(dtype=float) / theirs.sum():.5f}")
    return off[0] < 0.5


def silverman(folder, layer, x, y):
    own = float(open(f"{folder}/density-{layer}-silverman.txt").read())
    start = time.perf_counter()
    d = np.hypot(x - x.mean(), y - y.mean())
    h = 0.9 * min(math.sqrt((d * d).mean()), math.sqrt(1 / math.log(2)) * np.median(d)) * len(x) ** -0.2
    print("%-40s %9.1f ms   %.3f m, ours %.3f m" % (f"{layer}, Silverman's rule, numpy", 1000 * (time.perf_counter() - start), h, own))
    return abs(own / h - 1) < 1e-4


TREE = {}


def main():
    folder = sys.argv[1]
    print(f"# whole-city rasters | numpy {np.__version__}, scipy {scipy.__version__}, from eastings and northings in memory")
    fine = True
    for layer in ("hazard", "address"):
        if not os.path.exists(f"{folder}/density-{layer}.xy"):
            continue
        x, y = np.fromfile(f"{folder}/density-{layer}.xy").reshape(2, -1)
        TREE[layer] = cKDTree(np.column_stack((x, y)))
        for kernel in ("quartic", "gaussian", "epanechnikov"):
            fine &= bench(folder, layer, kernel, x, y)
        fine &= silverman(folder, layer, x, y)
        TREE.clear()
    sys.exit(0 if fine else 1)


main()
