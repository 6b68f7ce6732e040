"""coverage_peers.py - patrols of a month as an analyst judges them: numpy, on
the columns that bench_coverage left in the folder.

    coverage_peers.py FOLDER

The columns are in memory, as fixed-width bytes and integers, before the clock
starts; ids are joined by sorting and searching, visits of a day made one by
np.unique, parts of the month by arithmetic. The answer must be the same.
"""
import os
import sys
import time

import numpy as np

DAY = 86400


def read_own(path):
    own, visits = {}, {}
    for line in open(path, encoding="utf-8"):
        word, *rest = line.split()
        if word == "visits":
            visits.setdefault(rest[0], {})[rest[1].encode()] = int(rest[2])
        else:
            own[word] = float(rest[0]) if word == "seconds" else int(rest[0])
    return own, visits


def judge(layer, visits, column, own):
    ids, level = column[layer + "_id"], column[layer + "_level"]
    since = column.get(layer + "_since")
    of_layer = column["visit_layer"] == layer.encode()
    at, target = column["visit_at"][of_layer], column["visit_target"][of_layer]
    known = at < own["at"]
    at, target = at[known], target[known]
    order = np.argsort(ids)
    place = np.searchsorted(ids, target, sorter=order)
    place[place == len(ids)] = 0
    row = order[place]
    found = ids[row] == target
    row, at = row[found], at[found]
    last = np.full(len(ids), np.iinfo(np.int64).min)
    np.maximum.at(last, row, at)
    inside = (at >= own["from"]) & (at < own["to"])
    row, day = row[inside], (at[inside] - own["from"]) // DAY
    lo = np.full(len(ids), own["from"])
    if since is not None:
        lo = np.maximum(lo, since)
    day_lo = (lo - own["from"]) // DAY
    keep = day >= day_lo[row]
    pairs = np.unique(row[keep] * 64 + day[keep])
    seen = np.bincount(pairs // 64, minlength=len(ids))
    n = np.zeros(len(ids), np.int64)
    for name, value in visits.items():
        n[level == name] = value
    length = own["to"] - own["from"]
    first = -((-(lo - own["from"]) * n) // length)
    judged = lo < own["to"]
    owed = np.where(judged, np.maximum(n - first, 0), 0)
    paid = np.minimum(seen, owed)
    return {
        "owed": owed.sum(),
        "done": paid.sum(),
        "extra": np.where(judged, seen - paid, 0).sum(),
        "never": (last == np.iinfo(np.int64).min).sum(),
        "overdue": ((paid < owed) & (last < own["to"])).sum(),
    }


def main(folder):
    path = os.path.join(folder, "coverage_own.txt")
    if not os.path.exists(path):
        print("# bench_coverage left nothing: no full city")
        return 0
    own, visits = read_own(path)
    column = {}
    for name in os.listdir(folder):
        if not name.startswith("coverage_") or name.endswith(".txt"):
            continue
        kind = np.int64 if name.endswith(("_at", "_since")) else "S16"
        column[name[len("coverage_"):]] = np.fromfile(os.path.join(folder, name), kind)
    start = time.perf_counter()
    total = {}
    for layer in visits:
        for key, value in judge(layer, visits[layer], column, own).items():
            total[key] = total.get(key, 0) + int(value)
    took = time.perf_counter() - start
    rows = sum(len(column[layer + "_id"]) for layer in visits) + len(column["visit_at"])
    print(f"# patrols of a month | numpy {np.__version__}, one thread")
    print("%-44s %12d %9.3f s %12s %12d" % ("numpy: sort, search, unique", 1, took, "-", rows))
    print("%-44s %.2f times as fast as %s" % ("patrol coverage", took / own["seconds"], "numpy"))
    wrong = [key for key in total if total[key] != own[key]]
    print("  the same answer as numpy:", "NO: " + ", ".join(
        f"{key} {own[key]} / {total[key]}" for key in wrong) if wrong else "yes")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1]))
