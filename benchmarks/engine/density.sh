#!/bin/bash
# density.sh - what bench_density measured, beside scipy and spatstat.
here=$(dirname "$0")
[ -f "$BENCH_DUMP/density-hazard.xy" ] || exit 0
/usr/bin/python3 "$here/density.py" "$BENCH_DUMP" || exit 1
echo
# R is asked where it is installed with spatstat (Debian: r-cran-spatstat.explore).
command -v Rscript >/dev/null && Rscript --vanilla "$here/density.R" "$BENCH_DUMP"
