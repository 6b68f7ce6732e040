#!/bin/bash
# run.sh - every benchmark in one run, peers beside.
#
#   run.sh ONEMAP CITY BENCH...
#
# CITY is a full city if it is there (make city); benchmarks that need one are
# told where it is in BENCH_CITY and say so when they do without.
set -u
onemap=$1 city=$2
shift 2
here=$(dirname "$0")
echo "# commit $(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)," \
    "$(uname -sm), $(date -u +%FT%TZ)"
[ -f "$city/city.json" ] && export BENCH_CITY=$city
export ONEMAP=$onemap
status=0
for bench in "$@"; do
    echo
    "$bench" || status=1
done
for script in "$here"/*/*.sh; do
    [ -f "$script" ] || continue
    echo
    bash "$script" "$onemap" "$city" || status=1
done
exit $status
