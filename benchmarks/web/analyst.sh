#!/bin/bash
# analyst.sh - the analyst's page as somebody without a graphics card has it:
# its first picture, and frames while the map is dragged.
#
#   analyst.sh ONEMAP CITY
#
# Browser and server share the cores.
set -eu
onemap=$1 city=$2
here=$(dirname "$0")
. "$here/../row.sh"
browser=${CHROMIUM:-/usr/bin/chromium}
command -v node >/dev/null && [ -x "$browser" ] && [ -d "$here/../../web/pages/node_modules/playwright-core" ] ||
    { echo "analyst: node, chromium or playwright-core is missing (make deps-test)"; exit 0; }
dir=$(mktemp -d)
trap 'stop_server "$dir/pid"; rm -rf "$dir"' EXIT
if [ ! -f "$city/city.json" ]; then
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/city" --all "$dir/files" --quiet >/dev/null
    city=$dir/city
fi
mkfifo "$dir/said"
"$onemap" serve "$city" --read-only --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/log" &
echo $! >"$dir/pid"
read -r _ _ url <"$dir/said"
head_row "the analyst's page, pictures and software: $(basename "$city")"
(cd "$here/../.." && node benchmarks/web/analyst.mjs "${url%/}" "$browser") |
while IFS='|' read -r name ops p50 p99 longest note; do
    [ -n "$ops" ] || { echo "$name"; continue; }
    target=0
    case $name in "first useful picture"*) target=1 ;; "frame while panning"*) target=0.05 ;; esac
    row "$name" "$ops" "$p50" "$p99" - - - $target
    echo "    longest $longest s${note:+; $note}"
done
