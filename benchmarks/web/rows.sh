#!/bin/bash
# rows.sh - rows of a layer over HTTP, page by page and as files, beside
# ogr2ogr writing the same rows from a FlatGeobuf on this disk.
#
#   rows.sh ONEMAP CITY
#
# The layer is hazard (1.13 M rows of 19 columns in a full city). A file is
# asked for once with nothing kept: the time is that of writing it, reading it
# back for its ETag and sending it. ogr2ogr starts, reads and writes. Rows are
# counted in what came out of both.
set -eu
onemap=$1 city=$2
. "$(dirname "$0")/../row.sh"
for tool in curl ogr2ogr ogrinfo python3; do
    command -v $tool >/dev/null || { echo "rows: $tool is missing (make deps-bench)"; exit 0; }
done
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pid" 2>/dev/null) 2>/dev/null || true; sleep 0.3; rm -rf "$dir"' EXIT
if [ ! -f "$city/city.json" ]; then
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/city" --all "$dir/files" --quiet >/dev/null
    city=$dir/city
fi
mkfifo "$dir/said"
"$onemap" serve "$city" --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/log" &
echo $! >"$dir/pid"
read -r _ _ url <"$dir/said"
layer=hazard items=${url}collections/hazard/items

head_row "rows over HTTP: $layer"
rows=$(curl -sSf "$items?limit=1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["numberMatched"])')

# Pages, one behind the other as a client follows them; plain, and in an order.
for order in "" "&sortby=-reported"; do
    start=$(now)
    python3 - "$items?limit=10000$order" >"$dir/pages" <<'PY'
import json, sys, urllib.request
url, rows, size, pages, ids = sys.argv[1], 0, 0, 0, set()
while url and pages < 12:
    body = urllib.request.urlopen(url).read()
    page = json.loads(body)
    rows, size, pages = rows + page["numberReturned"], size + len(body), pages + 1
    ids.update(f["id"] for f in page["features"])
    url = next((l["href"] for l in page["links"] if l["rel"] == "next"), None)
assert len(ids) == rows, "a row twice"
print(pages, rows, size)
PY
    took=$(since "$start")
    read -r pages read_rows bytes <"$dir/pages"
    row "pages of 10,000${order:+, sorted by time} (client in Python)" "$pages" \
        "$(awk -v t="$took" -v n="$pages" 'BEGIN { print t / n }')" - "$read_rows" "$bytes" -
done

count() { ogrinfo -so -al "$1" | sed -n 's/^Feature Count: //p'; }
start=$(now)
curl -sSf -o "$dir/hazard.fgb" "$items.fgb"
fgb_s=$(since "$start")
declare -A driver=([csv]=CSV [geojson]=GeoJSON [fgb]=FlatGeobuf [gpkg]=GPKG)
for form in csv geojson fgb gpkg; do
    took=$fgb_s
    if [ $form != fgb ]; then
        start=$(now)
        curl -sSf -o "$dir/hazard.$form" "$items.$form"
        took=$(since "$start")
    fi
    options=()
    [ $form = csv ] && options=(-lco GEOMETRY=AS_XY)
    [ $form = fgb ] && options=(-lco SPATIAL_INDEX=NO)
    start=$(now)
    ogr2ogr -f "${driver[$form]}" "$dir/peer.$form" "$dir/hazard.fgb" "${options[@]}"
    peer=$(since "$start")
    mine=$(count "$dir/hazard.$form") theirs=$(count "$dir/peer.$form")
    [ "$mine" = "$rows" ] && [ "$theirs" = "$rows" ] || { echo "rows: $form: $mine, ogr2ogr $theirs, not $rows"; exit 1; }
    row "file: $form" 1 "$took" - "$rows" "$(stat -c %s "$dir/hazard.$form")" -
    ratio "file: $form" "ogr2ogr from FlatGeobuf" "$took" "$peer"
    rm -f "$dir/peer.$form"
    [ $form = fgb ] || rm -f "$dir/hazard.$form"
done
