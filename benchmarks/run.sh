#!/bin/bash
# run.sh - every benchmark in one run, peers beside.
#
#   run.sh [-b NAME] ONEMAP CITY BENCH...
#
# CITY is a full city if it is there (make city); benchmarks that need one are
# told where it is in BENCH_CITY and say so when they do without. -b: only the
# scripts whose name, with its folder, has NAME in it.
set -u
only=
[ "$1" = -b ] && { only=$2; shift 2; }
onemap=$1 city=$2
shift 2
here=$(dirname "$0")
dump=$(mktemp -d)
trap 'rm -rf "$dump"' EXIT
echo "# commit $(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)," \
    "$(uname -sm), $(date -u +%FT%TZ), load $(cut -d' ' -f1-3 /proc/loadavg)"
[ -f "$city/city.json" ] && export BENCH_CITY=$city
export ONEMAP=$onemap BENCH_DUMP=$dump
# Debian's python3 has Debian's numpy, another one may come first in PATH.
status=0 began=$SECONDS
for bench in "$@"; do
    echo
    "$bench" || { status=1; echo "FAILED: $(basename "$bench")"; }
done
for script in "$here"/*/*.sh "$here"/peers.py; do
    case ${script#"$here"/} in *"$only"*) ;; *) continue ;; esac
    echo
    case $script in
    *.sh) bash "$script" "$onemap" "$city" ;;
    *.py) /usr/bin/python3 "$script" "$dump" ;;
    esac || { status=1; echo "FAILED: $(basename "$script")"; }
done
echo
echo "# $((SECONDS - began)) s, load $(cut -d' ' -f1-3 /proc/loadavg)"
exit $status
