#!/bin/bash
# coverage.sh - numpy beside bench_coverage, on what that has left in BENCH_DUMP.
set -eu
exec /usr/bin/python3 "$(dirname "$0")/coverage_peers.py" "$BENCH_DUMP"
