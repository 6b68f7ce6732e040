#!/bin/bash
# served.sh - tiles over HTTP, cold and cached, zoom by zoom, beside nginx.
#
#   served.sh ONEMAP CITY
#
# 10,000 distinct addresses of zooms 8 to 18, around random rows (bench_mvt
# --tiles), asked over 64 connections by benchmarks/ask, which shares the cores
# with the servers. "cold": a server that was just started is asked for each
# address once; its counters, printed below, show that no answer came from a
# cache and that each was drawn. (What tiles share is kept, as in any server.
# A zoom's line is of that zoom alone; "all" is of another new server, in
# random order.) "cached": the same addresses round and round after all were
# asked for, and nginx with the same bytes as files and as many headers, in
# turns; the median of the rounds. Vector tiles are asked for with gzip, as
# browsers do, and nginx sends the same gzip. Latencies are p50 and p99 under
# the 64 connections, sizes as sent: median, p99, largest.
#
# BENCH_SECONDS (1) a round, BENCH_ROUNDS (5) rounds, BENCH_THREADS (2) of each
# server. Takes some five minutes.
set -eu
onemap=$(realpath "$1") city=$(realpath -m "$2")
. "$(dirname "$0")/../row.sh"
PATH=$PATH:/usr/sbin # nginx
seconds=${BENCH_SECONDS:-1} rounds=${BENCH_ROUNDS:-5} threads=${BENCH_THREADS:-2}
programs=$(dirname "$onemap")/release/benchmarks
ask=$programs/ask bench=$programs/tiles/bench_mvt
echo "# tiles over HTTP: 64 connections, $threads threads each, rounds of $seconds s, $rounds of them"
[ -f "$city/city.json" ] || { echo "no city (make city): nothing to serve"; exit 0; }
for need in "$ask" "$bench"; do [ -x "$need" ] || { echo "no $need (make benches)"; exit 1; }; done
peer=nginx
command -v nginx >/dev/null || { echo "nginx is missing (make deps-bench): no peer"; peer=; }

dir=$(mktemp -d)
stop() { [ -z "${1:-}" ] || { kill "$1" 2>/dev/null && wait "$1" 2>/dev/null; } || true; }
trap 'stop "${server:-}"; stop "${web:-}"; rm -rf "$dir"' EXIT
"$bench" "$city" --tiles address | head -10000 | cut -d/ -f2- >"$dir/tiles"
zooms=$(cut -d/ -f1 "$dir/tiles" | sort -nu)
# Room for all, so that "cached" is cached.
echo "{\"cache_mib\": 4096, \"threads\": $threads}" >"$dir/config.json"

serve() {
    rm -f "$dir/said"; mkfifo "$dir/said"
    "$onemap" serve "$city" --listen 127.0.0.1:0 --config "$dir/config.json" >"$dir/said" 2>"$dir/onemap.log" &
    server=$!
    read -r _ _ url <"$dir/said"
    port=${url##*:} port=${port%/}
}
counter() { curl -sSf "$url"metrics | awk -v name="$1" '$1 == name { print $2 }'; }
hits='onemap_cache_hits_total{cache="answers"}' misses='onemap_cache_misses_total{cache="answers"}'
drawn=onemap_tiles_drawn_total

# list NAME.FORM: addresses to $dir/list and, zoom by zoom, $dir/list.Z
list() {
    awk -v name="${1%.*}" -v form="${1##*.}" '{ print "/tiles/" name "/" $0 "." form }' "$dir/tiles" >"$dir/ordered"
    for z in $zooms; do grep "^/tiles/[^/]*/$z/" "$dir/ordered" >"$dir/list.$z"; done
    shuf --random-source="$dir/tiles" "$dir/ordered" >"$dir/list.all"
}
# The first tile of a name makes ready what all share (of a zoom out of those
# measured).
ready() {
    echo "/tiles/${1%.*}/7/104/55.${1##*.}" >"$dir/first"
    "$ask" -c1 "$port" "$dir/first" | awk '{ printf "  the first tile, which makes ready what all share: %.1f ms\n", 1e3 * $2 }'
}
print() { # ZOOM, then the words of ask
    awk -v z="$1" '{ printf "  %-5s %7d tiles  %9.0f/s  p50 %8.3f  p99 %8.3f ms   bytes %7d %7d %7d\n",
        (z == "all" ? z : "z" z), $1, $1 / $2, 1e3 * $3, 1e3 * $4, $6, $7, $8 }'
}
cold() {
    local form=() z before
    [ "${1##*.}" = mvt ] && form=(-z)
    list "$1"
    serve; ready "$1"
    for z in $zooms; do "$ask" "${form[@]}" "$port" "$dir/list.$z" | print "$z"; done
    stop "$server"
    serve; ready "$1" >/dev/null
    before=$(counter "$drawn")
    "$ask" "${form[@]}" "$port" "$dir/list.all" >"$dir/cold"
    print all <"$dir/cold"
    echo "        answers from the cache: $(counter "$hits"); drawn: $(($(counter "$drawn") - before));" \
        "empty or refused: $(awk '{ print $10 }' "$dir/cold")"
    [ "$(counter "$hits")" = 0 ] || { echo "that was not cold"; exit 1; }
}
start_nginx() {
    nginx_port=$((20000 + $$ % 12000))
    cat >"$dir/nginx.conf" <<CONF
worker_processes $threads;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
$([ "$(id -u)" = 0 ] && echo "user root;")
events { worker_connections 1024; }
http {
    access_log off;
    types { image/png png; application/vnd.mapbox-vector-tile mvt; }
    sendfile on; tcp_nopush on; tcp_nodelay on;
    keepalive_requests 1000000000;
    open_file_cache max=30000 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3;
    uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    add_header Access-Control-Allow-Origin *;
    add_header Access-Control-Expose-Headers "ETag, Data-Sequence, Data-As-Of";
    add_header X-Content-Type-Options nosniff;
    add_header Cache-Control "public, max-age=10, stale-while-revalidate=60";
    add_header Data-Sequence 1;
    add_header Data-As-Of "2023-06-27T00:00:00+08:00";
    server {
        listen 127.0.0.1:$nginx_port reuseport;
        root $dir/www;
        location ~ mvt\$ {
            add_header Access-Control-Allow-Origin *;
            add_header Access-Control-Expose-Headers "ETag, Data-Sequence, Data-As-Of";
            add_header X-Content-Type-Options nosniff;
            add_header Cache-Control "public, max-age=10, stale-while-revalidate=60";
            add_header Data-Sequence 1;
            add_header Data-As-Of "2023-06-27T00:00:00+08:00";
            add_header Content-Encoding gzip;
            add_header Vary Accept-Encoding;
        }
    }
}
CONF
    nginx -c "$dir/nginx.conf" -e "$dir/nginx.log" -g 'daemon off;' &
    web=$!
    until curl -so /dev/null "http://127.0.0.1:$nginx_port/"; do
        kill -0 "$web" || { cat "$dir/nginx.log"; exit 1; }
        sleep 0.05
    done
}
# median FILE: the line of ask with the middle rate
median() { awk '{ print $1 / $2, $0 }' "$1" | sort -g | awk '{ line[NR] = $0 } END { print line[int((NR + 1) / 2)] }' | cut -d' ' -f2-; }
spread() { awk '{ print $1 / $2 }' "$1" | sort -g | awk '{ v[NR] = $1 } END { printf "(%d to %d)", v[1], v[NR] }'; }
cached() {
    local form=() z i asked before said
    [ "${1##*.}" = mvt ] && form=(-z)
    # Twice: what is asked for once may be let go. Bodies are kept as files.
    rm -rf "$dir/www"; mkdir "$dir/www"
    "$ask" "${form[@]}" -w "$dir/www" "$port" "$dir/list.all" >"$dir/again"
    "$ask" "${form[@]}" "$port" "$dir/list.all" >>"$dir/again"
    if [ -n "$peer" ]; then
        start_nginx
        "$ask" "${form[@]}" "$nginx_port" "$dir/list.all" >>"$dir/again"
    fi
    [ "$(awk '{ print $9, $10, $11 }' "$dir/cold" "$dir/again" | sort -u | wc -l)" = 1 ] &&
        awk '$10 { exit 1 }' "$dir/again" || { echo "the bodies differ"; exit 1; }
    asked=$(counter "$hits") before=$(counter "$misses") said=0
    for z in $zooms all; do
        : >"$dir/own"; : >"$dir/peer"
        for ((i = 0; i < rounds; i++)); do
            "$ask" "${form[@]}" -s "$seconds" "$port" "$dir/list.$z" >>"$dir/own"
            [ -z "$peer" ] || "$ask" "${form[@]}" -s "$seconds" "$nginx_port" "$dir/list.$z" >>"$dir/peer"
        done
        said=$((said + $(awk '{ n += $1 } END { print n }' "$dir/own")))
        if [ -n "$peer" ]; then
            echo "$z $(median "$dir/own") $(median "$dir/peer") $(spread "$dir/own") $(spread "$dir/peer")"
        else
            echo "$z $(median "$dir/own") 0 1 0 0 0 0 0 0 0 0 0 $(spread "$dir/own")"
        fi | awk -v peer="$peer" '{
            printf "  %-5s onemap %7.0f/s  p50 %6.3f  p99 %6.3f ms", ($1 == "all" ? $1 : "z" $1), $2 / $3, 1e3 * $4, 1e3 * $5
            if (peer) printf "   nginx %7.0f/s  p50 %6.3f  p99 %6.3f ms   ratio %.2f  %s (0.8)", $13 / $14, 1e3 * $15, 1e3 * $16,
                $2 / $3 / ($13 / $14), ($2 / $3 / ($13 / $14) >= 0.8 ? "met" : "MISSED")
            if ($1 == "all") printf "   %s %s %s %s %s %s", $24, $25, $26, $27, $28, $29
            print "" }'
    done
    echo "        answers from the cache: $(($(counter "$hits") - asked)) of $said; others (asking for these numbers): $(($(counter "$misses") - before))"
    stop "${web:-}"; web=
}

for name in heat:address.png base:light.png address.mvt building.mvt; do
    echo "$name, cold"
    cold "$name"
    case $name in
    heat:address.png | address.mvt)
        echo "$name, cached"
        cached "$name" ;;
    esac
    stop "$server"; server=
done
