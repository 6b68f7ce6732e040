#!/bin/bash
# http.sh - a cached tile over HTTP, beside nginx with the same bytes as a file.
#
#   http.sh ONEMAP CITY
#
# Both serve at the same time on the same machine, asked in turns by the same
# wrk with the same connections; the client shares the cores with them. nginx
# sends the file with as many header lines as we do, and no access log. Printed
# is the median of the rounds, their spread, and the ratio. Before anything is
# measured the two bodies are compared.
set -eu
onemap=$1 city=$2
PATH=$PATH:/usr/sbin # nginx
seconds=${HTTP_SECONDS:-4} rounds=${HTTP_ROUNDS:-5} threads=${HTTP_THREADS:-2}
for tool in wrk nginx curl; do
    command -v $tool >/dev/null || { echo "http: $tool is missing (make deps-bench)"; exit 0; }
done
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; sleep 0.3; rm -rf "$dir"' EXIT

if [ ! -f "$city/city.json" ]; then
    "$onemap" synth "$dir/files" --scale 0.01 --quiet
    "$onemap" import "$dir/city" --all "$dir/files" --quiet >/dev/null
    city=$dir/city
fi
mkfifo "$dir/said"
"$onemap" serve "$city" --listen 127.0.0.1:0 --threads "$threads" >"$dir/said" 2>"$dir/onemap.log" &
echo $! >>"$dir/pids"
read -r _ _ ours <"$dir/said"
layer=address
tile=tiles/heat:$layer/11/1671/889.png
curl -sSf -D "$dir/head" -o "$dir/tile.png" "$ours$tile"
etag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$dir/head")

port=$((20000 + $$ % 12000))
mkdir -p "$dir/www" && cp "$dir/tile.png" "$dir/www/tile.png"
cat >"$dir/nginx.conf" <<CONF
worker_processes $threads;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
$([ "$(id -u)" = 0 ] && echo "user root;")
events { worker_connections 1024; }
http {
    access_log off;
    types { image/png png; }
    sendfile on; tcp_nopush on; tcp_nodelay on;
    keepalive_requests 1000000000;
    open_file_cache max=100 inactive=60s;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3;
    uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    add_header Access-Control-Allow-Origin *;
    add_header Access-Control-Expose-Headers "ETag, Data-Sequence, Data-As-Of";
    add_header X-Content-Type-Options nosniff;
    add_header Cache-Control "public, max-age=10, stale-while-revalidate=60";
    add_header Data-Sequence 1;
    add_header Data-As-Of "2023-06-27T00:00:00+08:00";
    server { listen 127.0.0.1:$port; root $dir/www; }
}
CONF
nginx -c "$dir/nginx.conf" -e "$dir/nginx.log" -g 'daemon off;' &
echo $! >>"$dir/pids"
theirs=http://127.0.0.1:$port/
curl -sf --retry 20 --retry-connrefused --retry-delay 0 -D "$dir/nginx.head" -o "$dir/nginx.png" "${theirs}tile.png"
cmp "$dir/tile.png" "$dir/nginx.png"
nginx_etag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$dir/nginx.head")

# One round: requests a second, and what was not a 2xx or 3xx.
ask() {
    local out
    out=$(wrk -t1 -c64 -d"${seconds}s" "${@:2}" "$1")
    if grep -q 'Non-2xx\|Socket errors' <<<"$out"; then
        echo "http: $1: $(grep 'Non-2xx\|Socket errors' <<<"$out")" >&2
    fi
    sed -n 's/^Requests\/sec: *//p' <<<"$out"
}
middle() { sort -n | awk '{v[NR] = $1} END {printf "%.0f %.0f %.0f", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
compare() { # name, ours, theirs, then headers for each
    local name=$1 a=$2 b=$3 mine=$4 other=$5 i
    : >"$dir/a"; : >"$dir/b"
    ask "$a" ${mine:+-H "$mine"} >/dev/null # both warm
    ask "$b" ${other:+-H "$other"} >/dev/null
    for ((i = 0; i < rounds; i++)); do
        ask "$a" ${mine:+-H "$mine"} >>"$dir/a"
        ask "$b" ${other:+-H "$other"} >>"$dir/b"
    done
    local m o
    m=$(middle <"$dir/a") o=$(middle <"$dir/b")
    echo "$name $m $o" | awk '{printf "%-24s onemap %7d/s (%d to %d)   nginx %7d/s (%d to %d)   ratio %.2f  %s (0.8)\n", $1, $2, $3, $4, $5, $6, $7, $2 / $5, ($2 / $5 >= 0.8 ? "met" : "MISSED")}'
}
bytes=$(stat -c %s "$dir/tile.png")
echo "# http: $threads threads each, wrk -t1 -c64 on the same cores, $rounds rounds of ${seconds}s; tile of $bytes bytes, sha256 $(sha256sum <"$dir/tile.png" | cut -c1-16)"
compare "cached_tile" "$ours$tile" "${theirs}tile.png" "" ""
compare "cached_tile_304" "$ours$tile" "${theirs}tile.png" "If-None-Match: $etag" "If-None-Match: $nginx_etag"
curl -sS "${ours}metrics" | grep -E '^onemap_cache_(hits|misses)_total\{cache="answers"' | tr '\n' ' '
echo
