#!/bin/bash
# postgis.sh - vector tiles beside PostGIS ST_AsMVT: same rows, same tiles.
#
#   postgis.sh ONEMAP CITY
#
# A private PostgreSQL 15 in a temporary folder, tuned for reading: the city's
# source files in EPSG:3857, clustered along a GiST index, all in memory, no
# JIT (tiles are short), asked by prepared statements that are planned for each
# tile, for the length of the tile, so that nothing is sent. Each tile is made
# twice and the better one taken, for both, by the clock on the wall; PostGIS
# twice with parallel workers and twice without, which suits small tiles.
# PostGIS shows every row at every zoom; onemap counts what is too many, so the
# work differs where rows are many, and the rows that both speak for are
# compared. "all rows" are tiles in which onemap shows every row, too. "counted
# in cells" is PostGIS asked in SQL for what onemap answers: counts and sums of
# cells, 32 a side, instead of rows.
#
# PostGIS answers with the columns of the source (4), onemap with the units of
# each row as well (7). Says so and ends well where PostGIS or the files are
# missing. Takes some four minutes.
set -eu
onemap=$(realpath "$1") city=$(realpath -m "$2")
. "$(dirname "$0")/../row.sh"
. "$(dirname "$0")/../postgres.sh"
source=${BENCH_SRC:-$city.src}
bench=$(dirname "$onemap")/release/benchmarks/tiles/bench_mvt
head_row "vector tiles beside PostGIS ST_AsMVT"
for need in "$pg_bin/initdb" /usr/share/postgresql/15/extension/postgis.control "$city/city.json" \
    "$source/address.csv" "$source/building.fgb" "$bench"; do
    [ -f "$need" ] || { echo "no $need (make deps-bench, make city, make benches): nothing to compare with"; exit 0; }
done

dir=$(mktemp -d)
chmod 755 "$dir"
trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir" <<CONF
shared_buffers = 3GB
effective_cache_size = 8GB
max_wal_size = 16GB
$(pg_in_memory 512MB)
CONF

start=$(now)
sql -c 'CREATE EXTENSION postgis'
sql -c 'CREATE UNLOGGED TABLE raw (lon float8, lat float8, id text, "text" text, building text, residents int)'
sql -c "\\copy raw FROM '$source/address.csv' CSV HEADER"
sql <<SQL
CREATE UNLOGGED TABLE address AS SELECT id, "text", building, residents,
    ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 3857) AS geom FROM raw;
DROP TABLE raw;
CREATE INDEX address_geom ON address USING gist (geom);
CLUSTER address USING address_geom;
ANALYZE address;
SQL
ogr2ogr -f PGDUMP /vsistdout/ "$source/building.fgb" -nln building -t_srs EPSG:3857 -lco GEOMETRY_NAME=geom \
    -lco UNLOGGED=ON -lco SPATIAL_INDEX=NONE -lco CREATE_SCHEMA=OFF --config PG_USE_COPY YES 2>/dev/null | sql >/dev/null 2>&1
sql <<SQL
CREATE INDEX building_geom ON building USING gist (geom);
CLUSTER building USING building_geom;
ANALYZE building;
SQL
row "PostGIS: load, index, cluster" 1 "$(since "$start")" - "$(sql -At -c 'SELECT (SELECT count(*) FROM address) + (SELECT count(*) FROM building)')" \
    0 -
echo "  its files: $(sql -At -c 'SELECT pg_size_pretty(pg_database_size(current_database()))')"

# Tiles around random rows.
list=$dir/tiles.txt all=$dir/all.txt
for layer in address building; do "$bench" "$city" --tiles $layer; done >"$all"
pick() { grep "^$1/$2/" "$all" | head -"$3"; }
{
    pick address 10 3
    for z in 14 15 16 17; do pick address $z 60; done
    for z in 14 15 16 17; do pick building $z 60; done
} >"$list"
"$bench" "$city" "@$list" >"$dir/own.txt"

{
    cat <<SQL
SET plan_cache_mode = force_custom_plan;
PREPARE address (int, int, int) AS SELECT length(ST_AsMVT(t, 'address', 4096, 'geom')), count(*) FROM (
    SELECT a.id, a."text", a.building, a.residents, ST_AsMVTGeom(a.geom, e.g, 4096, 0, true) AS geom
    FROM address a, (SELECT ST_TileEnvelope(\$1, \$2, \$3) g) e WHERE a.geom && e.g) t WHERE geom IS NOT NULL;
PREPARE building (int, int, int) AS SELECT length(ST_AsMVT(t, 'building', 4096, 'geom')), count(*) FROM (
    SELECT b.id, b."use", b.floors, b.built, b.residents, ST_AsMVTGeom(b.geom, e.g, 4096, 64, true) AS geom
    FROM building b, (SELECT ST_TileEnvelope(\$1, \$2, \$3) g, ST_TileEnvelope(\$1, \$2, \$3, margin => 64.0 / 4096) m) e
    WHERE b.geom && e.m) t WHERE geom IS NOT NULL;
PREPARE counted (int, int, int) AS SELECT length(ST_AsMVT(t, 'cells', 4096, 'geom')), sum(count)::bigint FROM (
    SELECT count(*) AS count, sum(a.residents) AS residents,
        ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(avg(ST_X(a.geom)), avg(ST_Y(a.geom))), 3857), e.g, 4096, 0, true) AS geom
    FROM address a, (SELECT ST_TileEnvelope(\$1, \$2, \$3) g, 40075016.685578488 / 2 ^ \$1 / 32 s) e WHERE a.geom && e.g
    GROUP BY e.g, floor(ST_X(a.geom) / e.s), floor(ST_Y(a.geom) / e.s)) t WHERE geom IS NOT NULL;
\\timing on
SQL
    # Twice each: the first warms what it touches.
    for workers in 2 0; do
        echo "SET max_parallel_workers_per_gather = $workers;"
        awk -F/ 'function say(name, what) { for (i = 0; i < 2; i++) printf "\\echo %s\nEXECUTE %s (%d, %d, %d);\n", name, what, $2, $3, $4 }
            { say($0, $1) } $1 == "address" && $2 < 16 { say("counted" substr($0, 8), "counted") }' "$list"
    done
} | sql -At >"$dir/said.txt"
awk -F'[ |]' '/\// { tile = $1 } /^[0-9]+\|/ { bytes[tile] = $1; rows[tile] = $2 }
    /^Time:/ && tile { s = $2 / 1e3; if (!(tile in best) || s < best[tile]) best[tile] = s }
    END { for (t in best) printf "%s %.9f %d %d\n", t, best[t], rows[t], bytes[t] }' "$dir/said.txt" >"$dir/peer.txt"

# own: tile seconds features rows bytes; peer: tile seconds rows bytes.
sed -n 's/^address/counted/p' "$dir/own.txt" >"$dir/counted.txt"
cat "$dir/counted.txt" >>"$dir/own.txt"
join <(sort "$dir/own.txt") <(sort "$dir/peer.txt") >"$dir/both.txt"
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
bad=0
compare() { # NAME FILTER(awk) TARGET
    awk "$2" "$dir/both.txt" >"$dir/these.txt"
    n=$(wc -l <"$dir/these.txt")
    [ "$n" -gt 0 ] || { echo "  no tiles: $1"; return; }
    own=$(awk '{ print $2 }' "$dir/these.txt" | median) peer=$(awk '{ print $6 }' "$dir/these.txt" | median)
    row "$1" "$n" "$own" - "$(awk '{ s += $4 } END { print s }' "$dir/these.txt")" "$(awk '{ s += $5 } END { print s }' "$dir/these.txt")" -
    row "  PostGIS ST_AsMVT" "$n" "$peer" - "$(awk '{ s += $7 } END { print s }' "$dir/these.txt")" "$(awk '{ s += $8 } END { print s }' "$dir/these.txt")" -
    ratio "$1" "PostGIS ST_AsMVT" "$own" "$peer"
    awk -v a="$own" -v b="$peer" -v t="$3" 'BEGIN { if (t) printf "  at least %d times: %s\n", t, (b / a >= t ? "met" : "MISSED") }'
    # PostGIS keeps boxes in single precision and finds points up to a metre
    # beyond the tile, too: the more the smaller the tile is.
    awk -v most="$4" '{ a += $4; b += $7 } END { d = a > b ? a - b : b - a
        printf "  rows: %d and %d, %.4f %% apart\n", a, b, 100 * d / b; exit (d > most * b) }' "$dir/these.txt" || bad=1
}
compare "mvt address z10" '$1 ~ /^address\/10\//' 100 0.0005
compare "mvt address z10, counted in cells" '$1 ~ /^counted\/10\//' 0 0.0005
compare "mvt address z14" '$1 ~ /^address\/14\//' 0 0.002
compare "mvt address z14, counted in cells" '$1 ~ /^counted\/14\//' 0 0.002
compare "mvt address z15" '$1 ~ /^address\/15\//' 10 0.004
compare "mvt address z15, counted in cells" '$1 ~ /^counted\/15\//' 0 0.004
compare "mvt address z16, all rows" '$1 ~ /^address\/16\// && $3 == $4' 0 0.008
compare "mvt address z17, all rows" '$1 ~ /^address\/17\// && $3 == $4' 0 0.016
# Buildings too small to draw are in one tile of ours; PostGIS has those of its
# margin, 64 of 4096 to each side (6.3 % of the area), and on its border in both.
compare "mvt building z14" '$1 ~ /^building\/14\//' 0 0.08
compare "mvt building z15" '$1 ~ /^building\/15\//' 10 0.01
compare "mvt building z16" '$1 ~ /^building\/16\//' 0 0.01
compare "mvt building z17" '$1 ~ /^building\/17\//' 0 0.01
[ $bad = 0 ] || { echo "answers differ"; exit 1; }
