#!/bin/bash
# postgresql.sh - single rows beside PostgreSQL: durable, from 64 clients.
#
#   postgresql.sh ONEMAP CITY
#
# A private PostgreSQL 15 on the disk of the city, as it is installed but for
# memory (fsync and synchronous_commit on): a table with a primary key and an
# index of places, rows of the same columns, a row a transaction, prepared, by
# pgbench over a local socket. onemap is asked over HTTP, and each row is in the
# next answer and tile, which here it is not. Both in turn, twice, the better one
# of each: at 1,000 a second, latency from the moment at which a row was due; and
# as fast as they go. Says so and ends well where PostgreSQL is missing.
set -eu
onemap=$(realpath "$1") city=$(realpath -m "$2")
here=$(dirname "$(realpath "$0")")
. "$here/../row.sh"
. "$here/../postgres.sh"
seconds=${LIVE_SECONDS:-15}
[ "$seconds" -le 30 ] || seconds=30
write=$(dirname "$onemap")/release/benchmarks/live/write
head_row "single rows beside PostgreSQL, 64 clients, $seconds s"
for need in "$pg_bin/initdb" "$pg_bin/pgbench" "$write"; do
    [ -x "$need" ] || { echo "no $need (make deps-bench, make benches): nothing to compare with"; exit 0; }
done
dir=$(mktemp -d "$city.beside.XXXXXX")
chmod 755 "$dir"
mkdir "$dir/pg"
trap 'stop_server "$dir/pid"; pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir/pg" <<CONF
shared_buffers = 1GB
max_wal_size = 4GB
CONF
sql <<'SQL'
CREATE SEQUENCE ids;
CREATE TABLE hazard (id text PRIMARY KEY, place point, department text, item text, severity int, status text,
    reported timestamptz);
CREATE INDEX ON hazard USING gist (place);
SQL
cat >"$dir/pg/insert.sql" <<'SQL'
\set x random(113600000, 114000000)
\set y random(22800000, 23100000)
INSERT INTO hazard VALUES ('B' || nextval('ids'), point(:x / 1e6, :y / 1e6), '公安', 'I001', 2, 'reported', '2023-06-26T12:00:00+08:00');
SQL
chmod 644 "$dir/pg/insert.sql"
if [ -f "$city/city.json" ]; then cp -r --reflink=auto "$city" "$dir/city"; else
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/city" --all "$dir/files" --quiet >/dev/null
fi
echo '{"writes_per_s": 1000000}' >"$dir/serve.json"
mkfifo "$dir/said"
"$onemap" serve "$dir/city" --listen 127.0.0.1:0 --config "$dir/serve.json" >"$dir/said" 2>"$dir/log" &
echo $! >"$dir/pid"
read -r _ _ url <"$dir/said"
port=${url##*:} port=${port%/}
properties='"department":"公安","item":"I001","severity":2,"status":"reported","reported":"2023-06-26T12:00:00+08:00"'
# Each prints: rows a second, p50 and p99 in seconds.
own() {
    "$write" -c 64 -s "$seconds" "$@" "$port" hazard 113.6,22.8,114.0,23.1 "$properties" >"$dir/own"
    read -r answers took p50 p99 _ _ bad <"$dir/own"
    [ "$bad" -eq 0 ] || { echo "$bad rows were not taken" >&2; exit 1; }
    awk -v n="$answers" -v s="$took" -v a="$p50" -v b="$p99" 'BEGIN { print n / s, a, b }'
}
# pgbench's log: client, transaction, microseconds (with -R from when it was due).
theirs() {
    rm -f "$dir"/pg/trace.*
    (cd "$dir/pg" && as "$pg_bin/pgbench" -h "$dir/pg" -U postgres -n -M prepared -c 64 -j 2 -T "$seconds" -f "$dir/pg/insert.sql" \
        -l --log-prefix="$dir/pg/trace" "$@" postgres >/dev/null 2>"$dir/bench.log") || { cat "$dir/bench.log" >&2; exit 1; }
    cat "$dir"/pg/trace.* | awk '{ print $3 }' | sort -n | awk -v s="$seconds" '{ v[NR] = $1 / 1e6 }
        END { print NR / s, v[int(NR * 0.5) + 1], v[int(NR * 0.99) + 1] }'
}
best() { sort "$@" | head -1; }
for turn in 1 2; do
    theirs -R 1000 >>"$dir/their.paced"; own -r 1000 >>"$dir/own.paced"
    theirs >>"$dir/their.free"; own >>"$dir/own.free"
done
say() { # name, file
    read -r rate p50 p99 < <(best "$3" "$4" "$2")
    row "$1" "$(awk -v r="$rate" -v s="$seconds" 'BEGIN { printf "%d", r * s }')" "$p50" "$p99" 1 0 -
}
say "PostgreSQL, INSERT, 1,000/s" "$dir/their.paced" -g -k3,3; their=$p99
say "onemap, POST, 1,000/s" "$dir/own.paced" -g -k3,3
ratio "p99 of a durable row at 1,000/s" PostgreSQL "$p99" "$their"
say "PostgreSQL, INSERT, as fast as it goes" "$dir/their.free" -gr -k1,1; their=$rate
say "onemap, POST, as fast as it goes" "$dir/own.free" -gr -k1,1
echo "    rows a second: PostgreSQL $their, onemap $rate"
ratio "durable single rows a second" PostgreSQL "$(awk -v r="$rate" 'BEGIN { print 1 / r }')" "$(awk -v r="$their" 'BEGIN { print 1 / r }')"
