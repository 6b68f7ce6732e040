#!/bin/bash
# write.sh - rows written over HTTP while tiles are fetched: how soon they are
# acknowledged, and how many a second go in in batches.
#
#   write.sh ONEMAP CITY
#
# A copy of the city is written to, beside it on the same disk, so that "durable"
# costs what it costs there. 64 clients write 1,000 single reports a second for
# LIVE_SECONDS (60; the promise is for 600) while four others fetch tiles of the
# layer that changes, and of another. What follows takes at most 30 s each: the
# same with nothing beside, and beside batches that change 20,000 rows a second,
# small and as large as they can be; then batches of 1,000, and of 50,000, as fast
# as they are taken. Client and server share the cores. In the end the rows are
# counted again, by a server that was killed in between.
set -eu
onemap=$1 city=$2
here=$(dirname "$0")
. "$here/../row.sh"
seconds=${LIVE_SECONDS:-60}
short=$((seconds < 30 ? seconds : 30))
programs=$(dirname "$onemap")/release/benchmarks
write=$programs/live/write ask=$programs/ask
for need in "$write" "$ask"; do [ -x "$need" ] || { echo "no $need (make benches)"; exit 1; }; done
dir=$(mktemp -d)
copy=$city.written.$$
[ -f "$city/city.json" ] || copy=$dir/city
trap 'stop_server "$dir/pid"; rm -rf "$dir" "$copy"' EXIT
if [ -f "$city/city.json" ]; then cp -r --reflink=auto "$city" "$copy"; else
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$copy" --all "$dir/files" --quiet >/dev/null
fi
# Or the copy is still being written while the journal is synced.
sync -f "$copy/city.json"
serve() { # starts it; sets $port
    rm -f "$dir/said"; mkfifo "$dir/said"
    "$onemap" serve "$copy" --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/log" &
    echo $! >"$dir/pid"
    read -r _ _ url <"$dir/said"
    port=${url##*:} port=${port%/}
}
count() { curl -sf "http://127.0.0.1:$port/collections/hazard/items?limit=1&f=json" | grep -o '"numberMatched":[0-9]*' | cut -d: -f2; }
serve
# Tiles around the middle of the city, of the layer that changes and of one that
# does not: zooms 11 to 16.
awk 'BEGIN { srand(3); pi = atan2(0, -1)
    for (i = 0; i < 3000; i++) {
        z = 11 + int(rand() * 6); lon = 113.6 + rand() * 0.4; lat = 22.8 + rand() * 0.3; n = 2 ^ z
        r = lat * pi / 180; s = sin(r); y = int((0.5 - log((1 + s) / (1 - s)) / (4 * pi)) * n)
        printf "/tiles/%s/%d/%d/%d.mvt\n", (i % 2 ? "hazard" : "address"), z, int((lon + 180) / 360 * n), y
    } }' >"$dir/tiles"
properties='"department":"公安","item":"I001","severity":2,"status":"reported","reported":"2023-06-26T12:00:00+08:00"'
box=113.6,22.8,114.0,23.1
head_row "rows written over HTTP, $(du -sh "$copy" | cut -f1) on $(df --output=fstype "$copy" | tail -1), $seconds s"
before=$(count) all=0
# single SECONDS TILES|"" OPTIONS-OF-WRITE...
single() {
    local for=$1 tiles=$2; shift 2
    [ -z "$tiles" ] || "$ask" -z -c 4 -s "$for" "$port" "$dir/tiles" >"$dir/tiles.out" &
    local asking=$!
    read -r answers took p50 p99 longest rows bad < <("$write" -s "$for" "$@" "$port" hazard "$box" "$properties")
    [ -z "$tiles" ] || wait $asking
    all=$((all + rows))
    rate=$(awk -v r="$rows" -v s="$took" 'BEGIN { printf "%.0f", r / s }')
}
load() { echo "    load $(cut -d' ' -f1-3 /proc/loadavg); server: $(awk '{ print ($14 + $15) / 100 }' "/proc/$(cat "$dir/pid")/stat") s of processor since its start"; }
single "$seconds" tiles -c 64 -r 1000
row "report acknowledged, 1,000/s, tiles beside" "$answers" "$p50" "$p99" "$rows" 0 - 0.1
echo "    p50 $p50 s, longest $longest s, not acknowledged: $bad, took $took s"
judge "reports not acknowledged" "$bad" 0 rows
read -r tiles tseconds tp50 tp99 tlong _ <"$dir/tiles.out"
row "tile meanwhile" "$tiles" "$tp50" "$tp99" "$tiles" 0 -
echo "    longest $tlong s"
load
single "$short" "" -c 64 -r 1000
row "report acknowledged, 1,000/s, nothing beside" "$answers" "$p50" "$p99" "$rows" 0 - 0.1
# The same ids over and over: of those only the first time is a new row.
beside() { # rows of a batch, batches a second, name
    "$write" -c 4 -s "$short" -b "$1" -r "$2" -u $((10 * $1)) "$port" hazard "$box" "$properties" >"$dir/batches" &
    local batches=$!
    single "$short" "" -c 64 -r 1000
    wait $batches
    row "report acknowledged, 1,000/s, $3" "$answers" "$p50" "$p99" "$rows" 0 - 0.1
    echo "    longest $longest s"
    read -r answers took p50 p99 longest rows bad <"$dir/batches"
    [ "$bad" -eq 0 ] || { echo "$bad batches were not taken"; exit 1; }
    all=$((all + (rows < 10 * $1 ? rows : 10 * $1)))
    row "  those batches" "$answers" "$p50" "$p99" "$rows" 0 -
}
beside 1000 20 "20 batches of 1,000/s"
beside 10000 2 "2 batches of 10,000/s"
beside 60000 0.34 "60,000 rows every 3 s"
load
single "$short" "" -c 4 -b 1000
row "batch of 1,000 acknowledged, no tiles" "$answers" "$p50" "$p99" "$rows" 0 -
without=$rate
single "$short" "" -c 1 -b 50000
row "batch of 50,000 acknowledged, no tiles" "$answers" "$p50" "$p99" "$rows" 0 - 1
large=$rate
single "$short" tiles -c 4 -b 1000
row "batch of 1,000 acknowledged, tiles beside" "$answers" "$p50" "$p99" "$rows" 0 -
echo "    rows a second in batches of 1,000: $without without tiles, $rate with; of 50,000: $large"
judge "seconds for 50,000 rows in batches of 1,000" "$(awk -v r="$without" 'BEGIN { print 50000 / r }')" 1 s
load
curl -sf "http://127.0.0.1:$port/metrics" | grep -E '^onemap_(rows_written|commits|compactions|compacting|delta_rows|journal_bytes)' | sed 's/^/    /'
in_memory=$(curl -sf "http://127.0.0.1:$port/metrics" | awk '$1 == "onemap_delta_rows" { print $2 }')
kill -9 "$(cat "$dir/pid")"; wait "$(cat "$dir/pid")" 2>/dev/null || true
start=$(now)
serve
took=$(since "$start")
judge "seconds until it serves again after kill -9" "$took" "$(awk -v n="$in_memory" 'BEGIN { print 1 + 4e-6 * n }')" s
echo "    of $in_memory rows that were in memory only: 4 us for each are allowed, and a second"
[ "$(count)" -eq $((before + all)) ] || { echo "rows: $(count), acknowledged: $((before + all))"; exit 1; }
echo "    all $all acknowledged rows are there"
