#!/bin/bash
# hotspots.sh - peers of bench_hotspots, on what it left in BENCH_DUMP.
[ -f "${BENCH_DUMP:-}/gistar_units" ] || exit 0
here=$(dirname "$0")
/usr/bin/python3 "$here/hotspots.py" "$BENCH_DUMP" || exit 1
command -v Rscript >/dev/null || { echo "no Rscript: spdep not measured"; exit 0; }
exec Rscript "$here/hotspots.R" "$BENCH_DUMP"
