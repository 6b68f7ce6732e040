#!/bin/bash
# reach.sh - peers of bench_reach, on what it left in BENCH_DUMP.
[ -f "${BENCH_DUMP:-}/reach_edges" ] || exit 0
exec /usr/bin/python3 "$(dirname "$0")/reach.py" "$BENCH_DUMP"
