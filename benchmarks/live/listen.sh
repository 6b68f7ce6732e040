#!/bin/bash
# listen.sh - who listens to changes, and positions: how soon a report is told
# and seen in its tile, with a thousand listeners coming and going, and what
# fixes take.
#
#   listen.sh ONEMAP CITY
#
# A copy of the city is written to. Server, a thousand listeners and writers
# share the cores.
set -eu
onemap=$1 city=$2
here=$(dirname "$0")
. "$here/../row.sh"
command -v node >/dev/null || { echo "listen: node is missing"; exit 0; }
dir=$(mktemp -d)
copy=$city.listened.$$
[ -f "$city/city.json" ] || copy=$dir/city
trap 'stop_server "$dir/pid"; rm -rf "$dir" "$copy"' EXIT
if [ -f "$city/city.json" ]; then cp -r --reflink=auto "$city" "$copy"; else
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$copy" --all "$dir/files" --quiet >/dev/null
fi
# A city that was made before positions were.
python3 - "$copy/city.json" <<'PY'
import json, sys
with open(sys.argv[1]) as f: city = json.load(f)
city.setdefault('positions', {'layer': 'worker', 'seen': 'seen', 'retention_days': 2})
with open(sys.argv[1], 'w') as f: json.dump(city, f, ensure_ascii=False)
PY
echo "a-token-of-those-in-charge" >"$dir/token"
mkfifo "$dir/said"
"$onemap" serve "$copy" --listen 127.0.0.1:0 --in-charge-token-file "$dir/token" >"$dir/said" 2>"$dir/log" &
echo $! >"$dir/pid"
read -r _ _ url <"$dir/said"
workers=$(curl -sf "${url}positions" | grep -o '"count":[0-9]*' | head -1 | cut -d: -f2)
pid=$(cat "$dir/pid")
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
head_row "listeners and positions, 1,000 listeners, ${LISTEN_SECONDS:-20} s"
before=$(ticks) start=$(now)
node "$here/listen.mjs" "${url%/}" "${LISTEN_SECONDS:-20}" a-token-of-those-in-charge "$workers" tip |
while IFS='|' read -r name ops p50 p99 longest rows bytes; do
    [ -n "$ops" ] || { echo "$name"; continue; }
    target=0
    case $name in "report to tile"*) target=1 ;; esac
    row "$name" "$ops" "$p50" "$p99" "$rows" "$bytes" - $target
    echo "    p50 $p50 s, longest $longest s"
done
took=$(since "$start")
awk -v t="$(($(ticks) - before))" -v s="$took" 'BEGIN { printf "    the server took %.1f %% of a core\n", t / s }'
