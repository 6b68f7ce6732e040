#!/bin/bash
# city.sh - what a served city costs: open until the first tile, memory, files.
#
#   city.sh ONEMAP CITY
#
# Memory is VmRSS of the server, which counts the mapped pages of the city's
# files too, after 10,000 distinct tiles (the list that bench_heat leaves in
# BENCH_DUMP, else one made here) and 1,000 queries of four kinds.
set -eu
onemap=$1 city=$2
. "$(dirname "$0")/../row.sh"
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; sleep 0.3; rm -rf "$dir"' EXIT
if [ ! -f "$city/city.json" ]; then
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/city" --all "$dir/files" --quiet >/dev/null
    city=$dir/city
fi
mkfifo "$dir/said"
start_server() {
    "$onemap" serve "$city" --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/log" &
    server=$!
    read -r _ _ url <"$dir/said"
}
stop_server() {
    kill "$server"
    wait "$server" || true
    server=
}
bytes_of_city=$(du -sb "$city" | cut -f1)
rows=$("$onemap" query "$city" address --count)

head_row "a served city: $(basename "$city")"
tile=tiles/heat:address/11/1671/889.png
# What any use of the program costs before it does anything.
: >"$dir/times"
for _ in 1 2 3 4 5 6 7; do
    start=$(now)
    "$onemap" help >/dev/null
    since "$start" >>"$dir/times"
    echo >>"$dir/times"
done
row "loading the program and its $(ldd "$onemap" | wc -l) libraries" 7 "$(sort -n "$dir/times" | sed -n 4p)" - 0 \
    "$(stat -c %s "$onemap")" -
for how in warm "cold files"; do
    : >"$dir/times" >"$dir/ready"
    for _ in 1 2 3 4 5 6 7; do
        if [ "$how" != warm ]; then
            # Tells the kernel to forget what it holds of each file.
            for f in "$city"/layers/*; do dd if="$f" iflag=nocache count=0 status=none; done
        fi
        start=$(now)
        start_server
        since "$start" >>"$dir/ready"
        echo >>"$dir/ready"
        curl -sSf -o "$dir/tile.png" "$url$tile"
        since "$start" >>"$dir/times"
        echo >>"$dir/times"
        stop_server
    done
    middle=$(sort -n "$dir/times" | sed -n 4p)
    row "open until the first tile, $how" 7 "$middle" - "$rows" "$(stat -c %s "$dir/tile.png")" \
        "$(hash_of <"$dir/tile.png")" "$([ "$how" = warm ] && echo 0.1 || echo 0)"
    echo "  of it until it listens: $(sort -n "$dir/ready" | sed -n 4p) s; then curl's own start, the legend, the tile"
done

start_server
list=${BENCH_DUMP:-}/tiles.txt
if [ ! -s "$list" ]; then
    list=$dir/tiles.txt
    awk 'BEGIN { srand(7); for (i = 0; i < 11000; i++) {
        z = 12 + i % 7; n = 2 ^ z; lon = 113.6 + 0.5 * rand(); lat = 22.75 + 0.3 * rand()
        r = lat * 3.14159265358979 / 180
        y = (1 - log(sin(r) / cos(r) + 1 / cos(r)) / 3.14159265358979) / 2
        print z "/" int((lon + 180) / 360 * n) "/" int(y * n) } }' | sort -u >"$list"
fi
# One connection: the times are of one request after the other.
sed "s,.*,url = \"${url}tiles/heat:address/&.png\"\noutput = \"$dir/body\"," <(shuf -n 10000 --random-source="$onemap" "$list") >"$dir/tiles.curl"
tiles=$(grep -c ^url "$dir/tiles.curl")
awk -v url="$url" -v out="$dir/body" -v pi=3.14159265358979 'function ask(path) { print "url = \"" url path "\"\noutput = \"" out "\"" }
NR % 7 == 1 && n < 1000 {
    split($0, t, "/"); w = 360 / 2 ^ t[1]; lon = t[2] * w - 180 + w / 2
    a = pi - 2 * pi * (t[3] + 0.5) / 2 ^ t[1]; lat = 180 / pi * atan2((exp(a) - exp(-a)) / 2, 1)
    d = 0.002 + (n % 7) * 0.001
    box = sprintf("%.5f,%.5f,%.5f,%.5f", lon - d, lat - d, lon + d, lat + d)
    if (n % 4 == 0) ask("stats/address?by=town&bbox=" box)
    if (n % 4 == 1) ask("collections/address/items?limit=100&bbox=" box)
    if (n % 4 == 2) ask("stats/hazard?by=grid&filter=severity%3E%3D" n % 4 + 1 "&bbox=" box)
    if (n % 4 == 3) ask(sprintf("value?name=heat:address&lon=%.5f&lat=%.5f", lon, lat))
    n++
}' "$list" >"$dir/queries.curl"
queries=$(grep -c ^url "$dir/queries.curl")
memory() { awk -v what="$1" '$1 == what ":" { print $2 * 1024 }' "/proc/$server/status"; }
before=$(memory VmRSS)
for what in tiles queries; do
    curl -sS -K "$dir/$what.curl" -w '%{http_code} %{time_total} %{size_download}\n' >"$dir/$what.out"
    bad=$(awk '$1 != 200 && $1 != 204' "$dir/$what.out" | wc -l)
    read -r n p50 p99 bytes <<<"$(sort -k2 -g "$dir/$what.out" | awk '{ t[NR] = $2; b += $3 } END { printf "%d %s %s %d", NR, t[int(NR * .5) + 1], t[int(NR * .99) + 1], b }')"
    row "$what over HTTP, one connection" "$n" "$p50" "$p99" "$n" "$bytes" -
    [ "$bad" = 0 ] || { echo "  $bad of $n were not answered: $(awk '$1 != 200 { print $1 }' "$dir/$what.out" | sort | uniq -c | tr '\n' ' ')"; exit 1; }
done
rss=$(memory VmRSS) anon=$(memory RssAnon) file=$(memory RssFile) high=$(memory VmHWM)
echo "after $tiles distinct tiles and $queries queries (before: $(awk -v b="$before" 'BEGIN { printf "%.0f MB", b / 1e6 }')):"
gb() { awk -v b="$1" 'BEGIN { print b / 1e9 }'; }
judge "resident memory, mapped pages counted" "$(gb "$rss")" 1 GB
printf '  of it anonymous %.3f GB, pages of files %.3f GB; the highest ever %.3f GB\n' "$(gb "$anon")" "$(gb "$file")" "$(gb "$high")"
judge "files of the city" "$(gb "$bytes_of_city")" 2.5 GB
stop_server
