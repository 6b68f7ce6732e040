#!/bin/bash
# import.sh - 12 M addresses with ids and texts from open files, beside ogr2ogr.
#
#   import.sh ONEMAP CITY
#
# The files are made once and kept: the CSV is `onemap synth`'s, the FlatGeobuf
# and the GeoPackage are written from it by ogr2ogr without a spatial index (it
# takes minutes to write one). BENCH_SRC is where they are kept (bench-src
# beside CITY), BENCH_ROWS_SCALE the size (1). Each format is imported into an
# empty city, ids checked for doubles, columns coded, synced; the source is in
# the page cache for all. The three cities must answer the same. The peer
# copies the first 2 M rows of the same source into a FlatGeobuf with a spatial
# index, the nearest that GDAL has to an import, and is compared per row.
set -eu
onemap=$1 city=$2
. "$(dirname "$0")/../row.sh"
src=${BENCH_SRC:-$(dirname "$city")/bench-src}
peer_rows=2000000
target=8

mkdir -p "$src"
# Whole or not there: written under another name, then renamed.
if [ ! -f "$src/address.csv" ]; then
    "$onemap" synth "$src/new" --scale "${BENCH_ROWS_SCALE:-1}" --only address --quiet
    mv "$src/new/address.csv" "$src/address.csv"
    rm -rf "$src/new"
fi
csv_options=(-oo X_POSSIBLE_NAMES=lon -oo Y_POSSIBLE_NAMES=lat -oo KEEP_GEOM_COLUMNS=NO -oo AUTODETECT_TYPE=YES -a_srs EPSG:4326)
for to in "fgb FlatGeobuf" "gpkg GPKG"; do
    read -r end driver <<<"$to"
    [ -f "$src/address.$end" ] && continue
    start=$(now)
    OGR_SQLITE_SYNCHRONOUS=OFF ogr2ogr -f "$driver" "$src/new.$end" "$src/address.csv" "${csv_options[@]}" \
        -nln address -lco SPATIAL_INDEX=NO -gt 200000
    mv "$src/new.$end" "$src/address.$end"
    echo "# $driver of the addresses made by ogr2ogr in $(since "$start") s (kept)"
done

dir=$(mktemp -d "$src/import.XXXXXX")
trap 'rm -rf "$dir"' EXIT
box=113.70,23.00,113.76,23.05

head_row "import of addresses with ids and texts, 2 threads, warm sources; bytes: of the source"
answer_before= same=yes
for end in fgb gpkg csv; do
    file=$src/address.$end
    cat "$file" >/dev/null # into the page cache
    rm -rf "$dir/city"
    start=$(now)
    "$onemap" import "$dir/city" address "$file" --id id >"$dir/said" 2>"$dir/steps"
    took=$(since "$start")
    rows=$(sed -n 's/.*taken \([0-9]*\),.*/\1/p' "$dir/said")
    # What it answers: all rows, a sum, and the rows of a box with their texts.
    answer=$({
        "$onemap" query "$dir/city" address --count
        "$onemap" query "$dir/city" address --sum residents
        "$onemap" query "$dir/city" address --bbox $box --format csv
    } | hash_of)
    row "import from $end" 1 "$took" - "$rows" "$(stat -Lc %s "$file")" "$answer" $target
    grep -E 'in [0-9.]+ s' "$dir/steps" | sed 's/^/  /'
    [ -z "$answer_before" ] || [ "$answer" = "$answer_before" ] || same=no
    answer_before=$answer

    options=()
    [ $end = csv ] && options=("${csv_options[@]}")
    rm -f "$dir/peer.fgb"
    start=$(now)
    ogr2ogr -f FlatGeobuf "$dir/peer.fgb" "$file" "${options[@]}" -nln address -limit $peer_rows
    peer=$(since "$start")
    copied=$(ogrinfo -so "$dir/peer.fgb" address | sed -n 's/^Feature Count: //p')
    row "ogr2ogr of the first rows of $end" 1 "$peer" - "$copied" "$(stat -c %s "$dir/peer.fgb")" "-"
    ratio "import from $end, per row" "ogr2ogr" \
        "$(awk -v a="$took" -v b="$rows" 'BEGIN { print a / b }')" "$(awk -v a="$peer" -v b="$copied" 'BEGIN { print a / b }')"
done
echo "  cities from the three formats answer $([ $same = yes ] && echo the same || echo DIFFERENTLY)"
own=$("$onemap" query "$dir/city" address --bbox $box --count)
theirs=$(ogrinfo -so -spat ${box//,/ } "$src/address.fgb" address | sed -n 's/^Feature Count: //p')
echo "  rows in the box $box: onemap $own, GDAL $theirs"
du -sb "$dir/city" | awk -v r="$rows" '{ printf "  the layer in the city: %d bytes, %.1f a row\n", $1, $1 / r }'
[ $same = yes ] && [ "$own" = "$theirs" ]
