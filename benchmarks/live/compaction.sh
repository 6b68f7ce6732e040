#!/bin/bash
# compaction.sh - what those who ask notice of rows being put into files.
#
#   compaction.sh ONEMAP CITY
#
# The same load (reports one by one, batches that change rows, tiles, queries,
# each at its rate and each charged from when it was due) on a copy of the city
# that puts 20,000 rows at a time into files, so every other second and at times
# the whole layer, and on one that puts none: in turns, twice half of LIVE_SECONDS
# (60; at most 30 s) each. What is noticed of the machine's other work in one turn is not
# compaction, so of each kind the better turn stands here; what compaction does
# it does in both. Server and clients share the cores.
set -eu
onemap=$1 city=$2
here=$(dirname "$0")
. "$here/../row.sh"
seconds=$((${LIVE_SECONDS:-60} / 2))
[ "$seconds" -gt 0 ] || seconds=1
[ "$seconds" -le 30 ] || seconds=30
programs=$(dirname "$onemap")/release/benchmarks
write=$programs/live/write ask=$programs/ask
for need in "$write" "$ask"; do [ -x "$need" ] || { echo "no $need (make benches)"; exit 1; }; done
dir=$(mktemp -d)
copy=$city.compacted.$$
[ -f "$city/city.json" ] || copy=$dir/city
trap 'stop_server "$dir/pid"; rm -rf "$dir" "$copy"' EXIT
if [ ! -f "$city/city.json" ]; then
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/small" --all "$dir/files" --quiet >/dev/null
    city=$dir/small
fi
properties='"department":"公安","item":"I001","severity":2,"status":"reported","reported":"2023-06-26T12:00:00+08:00"'
box=113.6,22.8,114.0,23.1
awk 'BEGIN { srand(3); pi = atan2(0, -1)
    for (i = 0; i < 3000; i++) {
        z = 11 + int(rand() * 6); lon = 113.6 + rand() * 0.4; lat = 22.8 + rand() * 0.3; n = 2 ^ z
        r = lat * pi / 180; s = sin(r); y = int((0.5 - log((1 + s) / (1 - s)) / (4 * pi)) * n)
        name = i % 3 == 0 ? "address" : "hazard"
        printf "/tiles/%s/%d/%d/%d.mvt\n", name, z, int((lon + 180) / 360 * n), y
    } }' >"$dir/tiles"
awk 'BEGIN { srand(5)
    for (i = 0; i < 1000; i++) {
        lon = 113.6 + rand() * 0.39; lat = 22.8 + rand() * 0.29
        if (i % 3 == 0) printf "/collections/hazard/items?bbox=%.4f,%.4f,%.4f,%.4f&limit=20\n", lon, lat, lon + 0.01, lat + 0.01
        else if (i % 3 == 1) printf "/nearest/hazard?lon=%.5f&lat=%.5f&k=5\n", lon, lat
        else printf "/stats/hazard?by=town&bbox=%.4f,%.4f,%.4f,%.4f\n", lon, lat, lon + 0.05, lat + 0.05
    } }' >"$dir/queries"

figure() { curl -sf "http://127.0.0.1:$port/metrics" | awk -v n="onemap_$1" '$1 == n { print $2 }'; }
# turn NAME COMPACT_ROWS: lines "kind answers p50 p99 longest" go to $dir/NAME.
turn() {
    rm -rf "$copy"
    cp -r --reflink=auto "$city" "$copy"
    sync -f "$copy/city.json"
    echo "{\"compact_rows\": $2, \"writes_per_s\": 1000000}" >"$dir/serve.json"
    rm -f "$dir/said"; mkfifo "$dir/said"
    "$onemap" serve "$copy" --listen 127.0.0.1:0 --config "$dir/serve.json" >"$dir/said" 2>"$dir/log" &
    echo $! >"$dir/pid"
    read -r _ _ url <"$dir/said"
    port=${url##*:} port=${port%/}
    # First what everybody finds cold.
    "$ask" -z -c 4 "$port" "$dir/tiles" >/dev/null
    "$ask" -c 4 "$port" "$dir/queries" >/dev/null
    "$write" -s 2 -c 4 -r 100 "$port" hazard "$box" "$properties" >/dev/null
    local before=$(figure compactions_total) spent=$(figure compacting_seconds_total)
    "$ask" -z -c 16 -s "$seconds" -r 100 "$port" "$dir/tiles" >"$dir/tile" & local tiles=$!
    "$ask" -c 16 -s "$seconds" -r 50 "$port" "$dir/queries" >"$dir/query" & local queries=$!
    "$write" -c 4 -s "$seconds" -b 1000 -r 10 -u 200000 "$port" hazard "$box" "$properties" >"$dir/batch" & local batches=$!
    "$write" -c 64 -s "$seconds" -r 500 "$port" hazard "$box" "$properties" >"$dir/report"
    wait $tiles $queries $batches
    for kind in report batch tile query; do
        read -r answers _ p50 p99 longest _ <"$dir/$kind"
        echo "$kind $answers $p50 $p99 $longest" >>"$dir/$1"
    done
    awk -v n="$1" -v a="$before" -v b="$(figure compactions_total)" -v c="$spent" -v d="$(figure compacting_seconds_total)" -v s="$seconds" \
        'BEGIN { printf "    a turn %s: %d layers put into files in %d s, which took %.1f s of it\n", n, b - a, s, d - c }'
    kill "$(cat "$dir/pid")"
    wait "$(cat "$dir/pid")" 2>/dev/null || true
}
head_row "compaction, seen by those who ask, 4 x $seconds s, load $(cut -d' ' -f1-3 /proc/loadavg)"
for i in 1 2; do
    turn without 10000000
    turn with 20000
done
# least NAME KIND COLUMN: the better turn
least() { awk -v k="$2" -v c="$3" '$1 == k && (best == "" || $c + 0 < best + 0) { best = $c } END { print best }' "$dir/$1"; }
worst=0
for kind in report batch tile query; do
    for name in without with; do
        row "$kind, $name compaction" "$(least "$name" $kind 2)" "$(least "$name" $kind 3)" "$(least "$name" $kind 4)" 0 0 -
        echo "    longest $(least "$name" $kind 5) s"
    done
    worst=$(awk -v w="$worst" -v a="$(least with $kind 5)" -v b="$(least without $kind 5)" 'BEGIN { print (a - b > w ? a - b : w) }')
done
judge "longest with, beyond the longest without" "$worst" 0.05 s
