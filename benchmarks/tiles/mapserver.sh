#!/bin/bash
# mapserver.sh - pictures beside MapServer 8: the same rows, the same tiles.
#
#   mapserver.sh ONEMAP CITY
#
# All 1.7 M buildings by use, all 1.13 M hazard reports as dots and as a heat
# map (Gaussian, sigma 300 m, cut at three of them), 256 pixels, PNG with
# alpha. MapServer reads FlatGeobuf in EPSG:3857, sorted along Hilbert's curve
# and indexed, which ogr2ogr makes of the city's source files first; it runs as
# two FastCGI processes behind nginx that keep their files open, in tile mode.
# onemap is a server that was just started. Both are asked for each tile once,
# over two connections, after one other tile; neither has it in a cache (see
# the counter). Each line: median and p99 of a tile by the clock on the wall,
# the processor's time of a tile (MapServer's without nginx's), the median of the
# bytes, and how alike the pictures are: of buildings and dots the pixels painted
# in both, of those painted in either; of heat the rank correlation of all
# pixels' values. (Edges, sizes of dots and colours are each program's own.)
#
# BENCH_TILES (30) tiles a zoom at most. Takes some two minutes. Says so and
# ends well where a program or the files are missing.
set -eu
onemap=$(realpath "$1") city=$(realpath -m "$2") here=$(realpath "$(dirname "$0")")
. "$here/../row.sh"
PATH=$PATH:/usr/sbin # nginx
source=$(realpath -m "${BENCH_SRC:-$city.src}") most=${BENCH_TILES:-30}
programs=$(dirname "$onemap")/release/benchmarks
ask=$programs/ask bench=$programs/tiles/bench_mvt
echo "# pictures beside MapServer: two connections, cold"
for tool in mapserv nginx ogr2ogr /usr/bin/python3; do
    command -v $tool >/dev/null || { echo "$tool is missing (make deps-bench): nothing to compare with"; exit 0; }
done
/usr/bin/python3 -c 'import numpy, scipy, PIL' 2>/dev/null ||
    { echo "python3-numpy, -scipy or -pil is missing (make deps-bench): nothing to compare with"; exit 0; }
for need in "$city/city.json" "$source/building.fgb" "$source/hazard.csv"; do
    [ -f "$need" ] || { echo "no $need (make city): nothing to compare with"; exit 0; }
done
for need in "$ask" "$bench"; do [ -x "$need" ] || { echo "no $need (make benches)"; exit 1; }; done

dir=$(mktemp -d)
chmod 755 "$dir"
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null && wait "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT

start=$(now)
ogr2ogr -f FlatGeobuf "$dir/building.fgb" "$source/building.fgb" -t_srs EPSG:3857 -select use
ogr2ogr -f FlatGeobuf "$dir/hazard.fgb" "$source/hazard.csv" -oo X_POSSIBLE_NAMES=lon -oo Y_POSSIBLE_NAMES=lat \
    -s_srs EPSG:4326 -t_srs EPSG:3857 -select severity -nln hazard
for layer in building hazard; do
    echo "  $layer.fgb: $(ogrinfo -so -al "$dir/$layer.fgb" | sed -n 's/^Feature Count: //p') rows, $(stat -c %s "$dir/$layer.fgb") bytes"
done
echo "  both written and indexed in $(since "$start" | cut -c1-5) s"

# Radius in pixels of zoom Z: three sigmas on the ground at 22.95 degrees north.
radius() { awk -v z="$1" 'BEGIN { printf "%.0f", 900 / (40075016.685578488 / 256 / 2 ^ z * cos(22.95 * 3.14159265358979 / 180)) }'; }
heat_zooms="9 10 12 14 15"
{
    cat <<LAYERS
MAP
  NAME tiles
  SIZE 256 256
  EXTENT -20037508 -20037508 20037508 20037508
  UNITS METERS
  PROJECTION "init=epsg:3857" END
  SHAPEPATH "$dir"
  IMAGETYPE png
  OUTPUTFORMAT NAME png DRIVER AGG/PNG MIMETYPE image/png IMAGEMODE RGBA EXTENSION png TRANSPARENT ON FORMATOPTION "COMPRESSION=1" END
  SYMBOL NAME dot TYPE ELLIPSE FILLED TRUE POINTS 1 1 END END
  WEB METADATA "tile_map_edge_buffer" "8" END END
  LAYER
    NAME building TYPE POLYGON STATUS OFF
    CONNECTIONTYPE OGR CONNECTION "$dir/building.fgb" DATA "building" PROCESSING "CLOSE_CONNECTION=DEFER"
    CLASSITEM "use"
LAYERS
    colour=40
    for use in residential mixed commercial industrial public; do
        echo "    CLASS EXPRESSION \"$use\" STYLE COLOR $colour 120 200 END END"
        colour=$((colour + 40))
    done
    echo "    CLASS STYLE COLOR 90 160 90 END END"
    echo "  END"
    # Dots as large as onemap's at that zoom; z0: what the heat map is made of.
    for dot in 0:1 10:1 12:1 14:2 16:6 18:7; do
        cat <<LAYERS
  LAYER
    NAME hazard${dot%:*} TYPE POINT STATUS OFF
    CONNECTIONTYPE OGR CONNECTION "$dir/hazard.fgb" DATA "hazard" PROCESSING "CLOSE_CONNECTION=DEFER"
    CLASSITEM "severity"
    CLASS EXPRESSION "4" STYLE SYMBOL dot SIZE ${dot#*:} COLOR 220 40 40 END END
    CLASS EXPRESSION "3" STYLE SYMBOL dot SIZE ${dot#*:} COLOR 220 140 40 END END
    CLASS STYLE SYMBOL dot SIZE ${dot#*:} COLOR 200 200 80 END END
  END
LAYERS
    done
    for z in $heat_zooms; do
        cat <<LAYERS
  LAYER
    NAME heat$z TYPE RASTER STATUS OFF
    CONNECTIONTYPE KERNELDENSITY CONNECTION "hazard0"
    PROCESSING "KERNELDENSITY_RADIUS=$(radius "$z")"
    PROCESSING "KERNELDENSITY_COMPUTE_BORDERS=ON"
    PROCESSING "KERNELDENSITY_NORMALIZATION=AUTO"
    CLASS STYLE COLORRANGE 0 0 0 255 255 255 DATARANGE 0 255 END END
  END
LAYERS
    done
    echo END
} >"$dir/tiles.map"
printf 'CONFIG\n  MAPS\n    TILES "%s"\n  END\nEND\n' "$dir/tiles.map" >"$dir/mapserver.conf"
MAPSERVER_CONFIG_FILE=$dir/mapserver.conf /usr/bin/python3 - "$dir/socket" "$(command -v mapserv)" 2>"$dir/mapserv.log" <<'PY' &
# Two FastCGI processes on one socket; one that died is started again.
import os, signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
listener.listen(64)
def start():
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 0)
        os.execv(sys.argv[2], ["mapserv"])
    return pid
running = [start(), start()]
def end(*_):
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    pid, status = os.wait()
    print("ended with", status, file=sys.stderr, flush=True)
    running[running.index(pid)] = start()
PY
mapserv=$!
pids="$pids $mapserv"

nginx_port=$((20000 + $$ % 12000))
cat >"$dir/nginx.conf" <<CONF
worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
$([ "$(id -u)" = 0 ] && echo "user root;")
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3;
    uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    chunked_transfer_encoding off;
    server {
        listen 127.0.0.1:$nginx_port;
        location ~ ^/tiles/([a-z0-9]+)/(\d+)/(\d+)/(\d+)[.]png\$ {
            fastcgi_pass unix:$dir/socket;
            fastcgi_param REQUEST_METHOD GET;
            fastcgi_param QUERY_STRING map=TILES&mode=tile&tilemode=gmap&layers=\$1&tile=\$3+\$4+\$2;
            fastcgi_read_timeout 600s;
            fastcgi_buffers 64 16k;
        }
    }
}
CONF
nginx -c "$dir/nginx.conf" -e "$dir/nginx.log" -g 'daemon off;' &
web=$!
pids="$pids $web"
until [ -S "$dir/socket" ] && curl -so /dev/null "http://127.0.0.1:$nginx_port/"; do
    kill -0 "$web" || { cat "$dir/nginx.log"; exit 1; }
    sleep 0.05
done

mkfifo "$dir/said"
"$onemap" serve "$city" --listen 127.0.0.1:0 --threads 2 >"$dir/said" 2>"$dir/onemap.log" &
server=$!
pids="$pids $server"
read -r _ _ url <"$dir/said"
port=${url##*:} port=${port%/}

# cpu PID...: seconds of the processor so far, of all threads
cpu() { for p in "$@"; do cat /proc/"$p"/task/*/schedstat; done 2>/dev/null | awk '{ s += $1 } END { printf "%.6f", s / 1e9 }'; }
children() { cat /proc/"$mapserv"/task/*/children; }
# alike KIND LIST-OWN LIST-PEER: lines of file names, below own/ and peer/
alike() { /usr/bin/python3 "$here/alike.py" "$1" "$dir" "$2" "$3"; }

compare() { # LAYER ADDRESSES-OF KIND OWN-NAME QUERY PEER-NAME ZOOM
    local kind=$2 z=$6 own peer own_s peer_s
    "$bench" "$city" --tiles "$1" | grep "^$1/$z/" | head -"$((most + 1))" | cut -d/ -f3- >"$dir/tiles"
    sed -e "s|^|/tiles/$3/$z/|" -e "s|\$|.png$4|" "$dir/tiles" >"$dir/own.all"
    sed -e "s|^|/tiles/$5/$z/|" -e 's|$|.png|' "$dir/tiles" >"$dir/peer.all"
    for who in own peer; do
        # The last one first, and not counted: files are open then.
        tail -1 "$dir/$who.all" >"$dir/$who.first"
        head -n -1 "$dir/$who.all" >"$dir/$who.list"
        mkdir -p "$dir/$who"
    done
    [ -s "$dir/own.list" ] || { echo "  no tiles: $3 z$z"; return; }
    "$ask" -c1 "$port" "$dir/own.first" >/dev/null
    own_s=$(cpu "$server")
    own=$("$ask" -c2 -w "$dir/own" "$port" "$dir/own.list")
    own_s="$own_s $(cpu "$server")"
    "$ask" -c1 "$nginx_port" "$dir/peer.first" >"$dir/peer.said" 2>/dev/null || true
    peer_s=$(cpu $(children))
    if ! "$ask" -c2 -w "$dir/peer" -o "$dir/peer.each" "$nginx_port" "$dir/peer.list" >"$dir/peer.said" 2>"$dir/error" ||
        grep -qv ' 200 ' "$dir/peer.each" || ! head -c 4 "$dir/peer$(head -1 "$dir/peer.list")" | grep -q PNG; then
        echo "  $3 z$z: onemap p50 $(awk '{ printf "%.2f", 1e3 * $3 }' <<<"$own") ms; MapServer fails:" \
            "$(cat "$dir/error") $(tail -1 "$dir/mapserv.log") $(sed 's/<[^>]*>//g' "$dir/peer$(head -1 "$dir/peer.list")" 2>/dev/null | grep -v '^ *$' | head -1)"
        return
    fi
    peer_s="$peer_s $(cpu $(children))"
    peer=$(tail -1 "$dir/peer.said")
    echo "$3 z$z $own $peer $(alike "$kind" "$dir/own.list" "$dir/peer.list") $own_s $peer_s" | awk '{
        own = 1e3 * ($27 - $26) / $3; peer = 1e3 * ($29 - $28) / $3
        printf "  %-12s %-4s %3d tiles  onemap p50 %6.2f  p99 %7.2f  cpu %6.2f ms %7d bytes  MapServer p50 %8.2f  p99 %8.2f  cpu %8.2f ms %7d bytes  %6.1f times as fast, %6.1f by cpu  alike %s\n",
            $1, $2, $3, 1e3 * $5, 1e3 * $6, own, $8, 1e3 * $16, 1e3 * $17, peer, $19, $16 / $5, peer / own, $25 }'
}
for z in $heat_zooms; do
    compare hazard heat heat:hazard "?kernel=gaussian\&bandwidth=300" "heat$z" "$z"
done
for z in 10 12 14 16 18; do compare hazard mask hazard "" "hazard$z" "$z"; done
for z in 14 15 16 17 18; do compare building mask building "" building "$z"; done
curl -sSf "$url"metrics | awk '/^onemap_cache_hits_total\{cache="answers"\}/ { print "  onemap: answers from the cache: " $2 }'
