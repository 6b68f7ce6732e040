"""alike.py - how alike pictures of two programs are.

    alike.py mask|heat FOLDER OWN PEER

OWN and PEER list pictures below FOLDER/own and FOLDER/peer, those of one line
are of one tile. mask: pixels painted in both, of those painted in either, over
all tiles. heat: mean over tiles of Spearman's rank correlation of brightness.
Prints one number.
"""
import sys

import numpy as np
from PIL import Image
from scipy.stats import spearmanr


def read(path):
    return np.asarray(Image.open(path).convert("RGBA"), np.float64)


def value(rgba):
    return rgba[..., :3].sum(axis=2) * rgba[..., 3]


kind, folder = sys.argv[1:3]
both = either = 0
ranks = []
for own, peer in zip(*(open(path).read().split("\n") for path in sys.argv[3:5])):
    if not own:
        continue
    a, b = read(f"{folder}/own{own}"), read(f"{folder}/peer{peer}")
    if kind == "mask":
        a, b = a[..., 3] > 0, b[..., 3] > 0
        both += (a & b).sum()
        either += (a | b).sum()
    elif np.ptp(value(a)) > 0 and np.ptp(value(b)) > 0:
        ranks.append(spearmanr(value(a).ravel(), value(b).ravel())[0])
if kind == "mask":
    print("%.2f" % (both / max(either, 1)))
else:
    print("%.3f" % (np.mean(ranks) if ranks else float("nan")))
