"""peers.py - the peers that are not in C: scipy's k-d tree, numpy and scipy's
Gaussian for a heat tile, on what the other benchmarks of the same run left.

    peers.py FOLDER

FOLDER is BENCH_DUMP of benchmarks/run.sh: points as Morton codes, places with
the answers of onemap, and two windows of the Gaussian field.
"""
import math
import os
import sys
import time

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

EARTH_M = 2 * math.pi * 6378137.0


def head(what):
    print(f"# {what} | numpy {np.__version__}, one thread")
    print("%-44s %12s %12s %12s %12s %14s %16s" % ("work", "operations", "each", "p99", "rows", "bytes", "hash"))


def say(s):
    if s is None:
        return "-"
    for limit, scale, unit in ((1e-3, 1e6, "us"), (1, 1e3, "ms")):
        if s < limit:
            return f"{s * scale:.3f} {unit}"
    return f"{s:.3f} s"


def row(name, operations, each, rows, size):
    print("%-44s %12d %12s %12s %12d %14d %16s" % (name, operations, say(each), "-", rows, size, "-"), flush=True)


def ratio(name, peer, own_s, peer_s):
    print("%-44s %.2f times as fast as %s" % (name, peer_s / own_s, peer))


def squeeze(code):
    """Every other bit, from the lowest."""
    x = code & np.uint64(0x5555555555555555)
    for shift, mask in ((1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
                        (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)):
        x = (x | (x >> np.uint64(shift))) & np.uint64(mask)
    return x.astype(np.float64)


def positions(path):
    code = np.fromfile(path, np.uint64)
    return np.column_stack((squeeze(code), squeeze(code >> np.uint64(1))))


def latitude(y):
    """Of cells of the grid, 2^32 of them from north to south; radians."""
    return np.arctan(np.sinh(math.pi * (1 - 2 * (y + 0.5) / 2**32)))


def ground_m(a, b):
    """Haversine with the ellipsoid's radii at the place: good to 1e-4 here."""
    lat_a, lat_b = latitude(a[..., 1]), latitude(b[..., 1])
    lat = (lat_a + lat_b) / 2
    e2 = 0.00669437999014
    w = 1 - e2 * np.sin(lat) ** 2
    north = (lat_a - lat_b) * 6378137.0 * (1 - e2) / w**1.5
    east = (a[..., 0] - b[..., 0]) * 2 * math.pi / 2**32 * np.cos(lat) * 6378137.0 / np.sqrt(w)
    return np.hypot(north, east)


def nearest(folder):
    points = positions(f"{folder}/query-keys.u64")
    places = np.fromfile(f"{folder}/query-places.u32", np.uint32).reshape(-1, 2).astype(np.float64)
    own = np.fromfile(f"{folder}/query-nearest8.f64").reshape(-1, 8)
    own_s = float(open(f"{folder}/query-seconds.txt").read())
    head("8 nearest: scipy's k-d tree on the plane")
    start = time.perf_counter()
    tree = cKDTree(points)
    row("cKDTree built", 1, time.perf_counter() - start, len(points), points.nbytes)
    tree.query(places[:1000], k=8)
    start = time.perf_counter()
    _, found = tree.query(places, k=8)
    each = (time.perf_counter() - start) / len(places)
    row("8 nearest, all places in one call", len(places), each, found.size, found.size * 8)
    ratio("8 nearest (median)", "cKDTree (mean)", own_s, each)
    theirs = np.sort(ground_m(places[:, None, :], points[found]), axis=1)
    off = np.abs(theirs - own).max(axis=1)
    close = off <= 0.05 + 1e-3 * own.max(axis=1)
    nearer = (theirs[:, 7] < own[:, 7] * (1 - 1e-3) - 0.05).sum()
    print(f"  {close.sum()} of {len(places)} answers agree within 1e-3 (the tree's plane is not the ground); "
          f"the peer's eighth is nearer in {nearer}")
    return nearer == 0


def field(folder, z, points):
    size = 256
    own = np.fromfile(f"{folder}/field-z{z}.f32", np.float32).reshape(size, size)
    _, tx, ty, bandwidth_m, own_s = open(f"{folder}/field-z{z}.txt").read().split()
    tx, ty, bandwidth_m, own_s = int(tx), int(ty), float(bandwidth_m), float(own_s)
    cell = 2.0 ** (32 - z - 8)  # cells a pixel
    lat = latitude((ty * size + np.arange(size) + 0.5) * cell)
    pixel_m = EARTH_M / 2 ** (z + 8) * np.cos(lat)
    sigma = bandwidth_m / 3 / pixel_m[size // 2]
    margin = int(math.ceil(3 * sigma)) + 1
    took = []
    for _ in range(5):
        start = time.perf_counter()
        x = points[:, 0] / cell - (tx * size - margin)
        y = points[:, 1] / cell - (ty * size - margin)
        side = size + 2 * margin
        inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
        at = y[inside].astype(np.int64) * side + x[inside].astype(np.int64)
        counts = np.bincount(at, minlength=side * side).reshape(side, side).astype(np.float64)
        smooth = gaussian_filter(counts, sigma, truncate=3.0, mode="constant")[margin:-margin, margin:-margin]
        theirs = smooth / (pixel_m[:, None] / 1000) ** 2
        took.append(time.perf_counter() - start)
    each = sorted(took)[2]
    row(f"numpy bincount + gaussian_filter, z{z}", len(took), each, int(inside.sum()), own.nbytes)
    ratio(f"Gaussian field z{z}, no PNG", "numpy and scipy (medians)", own_s, each)
    rms = math.sqrt(np.mean((theirs - own) ** 2)) / own.max()
    together = np.corrcoef(theirs.ravel(), own.ravel())[0, 1]
    print(f"  pixels: correlation {together:.5f}, rms difference {100 * rms:.2f} % of the largest value, "
          f"sums {theirs.sum() / own.sum():.4f} (the peer counts points per pixel and cuts its kernel square)")
    return together > 0.99


def main():
    folder = sys.argv[1]
    fine = True
    if os.path.exists(f"{folder}/query-nearest8.f64"):
        fine &= nearest(folder)
    if os.path.exists(f"{folder}/field-z10.f32"):
        print()
        head("heat: numpy and scipy on the same points")
        points = positions(f"{folder}/field-keys.u64")
        for z in (10, 14):
            fine &= field(folder, z, points)
    sys.exit(0 if fine else 1)


main()
