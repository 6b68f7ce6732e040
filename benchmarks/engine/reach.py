"""reach.py - scipy's k-d tree for straight ways, scipy's and networkx's Dijkstra
for ways by road, on what bench_reach left in a folder: the same positions, the
same graph. Answers are compared; other answers fail the run.

    reach.py FOLDER
"""
import math
import os
import sys
import time

import networkx
import numpy as np
import scipy
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

SIDE, RADIUS_M, TICKS_PER_M, FACTOR = 2.0**32, 6378137.0, 2.0**20, 1.3


def read(folder, name, kind):
    return np.fromfile(os.path.join(folder, name), dtype=kind)


def squeeze(v):
    v = v & 0x5555555555555555
    for shift, mask in ((1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
                        (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)):
        v = (v | v >> np.uint64(shift)) & np.uint64(mask)
    return v.astype(np.float64)


def plane(x, y):
    """Metres on the plane with the scale of the middle latitude, as one projects a city."""
    lat = math.atan(math.sinh(math.pi * (1 - 2 * np.median(y) / SIDE)))
    f = 1 / 298.257223563
    e2 = f * (2 - f)
    w2 = 1 - e2 * math.sin(lat) ** 2
    cell = 2 * math.pi / SIDE
    east = RADIUS_M / math.sqrt(w2) * math.cos(lat) * cell
    north = RADIUS_M * (1 - e2) / w2**1.5 * math.cos(lat) * cell
    return east, north


def row(name, operations, seconds):
    print("%-44s %12d %10.3f s" % (name, operations, seconds), flush=True)


def ratio(name, peer, own_s, peer_s):
    print("%-44s %.2f times as fast as %s" % (name, peer_s / own_s, peer), flush=True)


def straight(folder):
    key = read(folder, "reach_positions", np.uint64)
    x, y = squeeze(key), squeeze(key >> np.uint64(1))
    centre = read(folder, "reach_centres", np.uint32).reshape(-1, 2).astype(np.float64)
    own_s = read(folder, "reach_straight_s", np.float64)[0]
    east, north = plane(x, y)
    points = np.column_stack((x * east, y * north))
    begun = time.perf_counter()
    tree = cKDTree(centre * (east, north))
    metres, nearest = tree.query(points, workers=os.cpu_count())
    took = time.perf_counter() - begun
    row("scipy cKDTree, all cores", len(points), took)
    ratio("nearest centre straight, positions", "scipy cKDTree", own_s, took)
    own_m = read(folder, "reach_metres", np.float64) / FACTOR
    same = np.mean(nearest == read(folder, "reach_nearest", np.uint32))
    apart = np.max(np.abs(metres - own_m) / np.maximum(own_m, 1))
    print(f"# same centre for {same:.4%}; lengths apart by {apart:.3%} at most (the plane's, not the geodesic's)")
    return same > 0.999 and apart < 0.005


def by_road(folder):
    edge = read(folder, "reach_edges", np.dtype([("a", "u4"), ("b", "u4"), ("ticks", "u8")]))
    source = read(folder, "reach_sources", np.dtype([("edge", "u4"), ("access", "u4"), ("along", "u8")]))
    cost = read(folder, "reach_costs", np.uint64)
    own_s = read(folder, "reach_dijkstra_s", np.float64)[0]
    nodes = len(cost)
    # Centres sit on edges: each becomes a node, with a way to both ends.
    source = source[source["edge"] != 0xFFFFFFFF]
    on = edge[source["edge"]]
    number = nodes + np.arange(len(source))
    a = np.concatenate((edge["a"], number, number))
    b = np.concatenate((edge["b"], on["a"], on["b"]))
    m = np.concatenate((edge["ticks"], source["access"] + source["along"],
                        source["access"] + on["ticks"] - source["along"])) / TICKS_PER_M
    size = nodes + len(source)
    graph = coo_matrix((m, (a, b)), shape=(size, size)).tocsr()
    begun = time.perf_counter()
    metres = dijkstra(graph, directed=False, indices=number, min_only=True)
    took = time.perf_counter() - begun
    row("scipy csgraph.dijkstra, min_only", len(edge), took)
    ratio("Dijkstra from all centres", "scipy csgraph", own_s, took)
    own = np.where(cost == 0xFFFFFFFFFFFFFFFF, np.inf, cost / TICKS_PER_M)
    # A way through a centre's own node is no shortcut: its two legs add up to
    # more than the edge.
    with np.errstate(invalid="ignore"):
        apart = np.nanmax(np.abs(metres[:nodes] - own))
    reached = np.array_equal(np.isinf(metres[:nodes]), np.isinf(own))
    print(f"# {nodes} nodes, lengths apart by {apart:.2g} m at most; the same ones are reached: {reached}")
    net = networkx.Graph()
    net.add_weighted_edges_from(zip(a.tolist(), b.tolist(), m.tolist()))
    begun = time.perf_counter()
    found = networkx.multi_source_dijkstra_path_length(net, set(number.tolist()))
    took = time.perf_counter() - begun
    row("networkx multi_source_dijkstra", len(edge), took)
    ratio("Dijkstra from all centres", "networkx", own_s, took)
    worst = max(abs(d - own[n]) for n, d in found.items() if n < nodes)
    print(f"# networkx: lengths apart by {worst:.2g} m at most")
    return apart < 1e-3 and reached and worst < 1e-3


def main():
    folder = sys.argv[1]
    print(f"# reach: scipy {scipy.__version__}, networkx {networkx.__version__}")
    good = straight(folder)
    good = by_road(folder) and good
    if not good:
        print("answers differ")
    sys.exit(0 if good else 1)


main()
