#!/bin/sh
# doors.sh - includes point only leftwards, and each outside library is known
# to one room. Prints TAP.
cd "$(dirname "$0")/.." || exit 1

fails=0
number=0
say() { # status text
    number=$((number + 1))
    [ "$1" = ok ] || fails=$((fails + 1))
    echo "$1 $number - $2"
}

# room, and what it may include of the other rooms
check_room() {
    bad=$(grep -rnE '^#include "(data|engine|tiles|web)/' --include='*.[ch]' "$1" |
        grep -vE "#include \"($2)/")
    if [ -z "$bad" ]; then say ok "$1 includes only $2"; else
        echo "$bad" | sed 's/^/# /'
        say "not ok" "$1 includes only $2"
    fi
}
check_room data 'data'
check_room engine 'data|engine'
check_room tiles 'data|engine|tiles'
check_room web 'data|engine|tiles|web'

# header pattern, rooms that may include it
check_library() {
    bad=$(grep -rnE "^#include <($1)" --include='*.[ch]' data engine tiles web |
        grep -vE "^($2)/")
    if [ -z "$bad" ]; then say ok "<$1> only in $2"; else
        echo "$bad" | sed 's/^/# /'
        say "not ok" "<$1> only in $2"
    fi
}
check_library 'gdal|ogr|cpl_|proj|geodesic' data
check_library 'sqlite3|jansson|zstd|xxhash|sodium' data
check_library 'geos' engine
check_library 'unicode/' engine
check_library 'png|libpng|ft2build|freetype|hb' tiles
check_library 'libdeflate' 'tiles|web'
check_library 'microhttpd' web

# Output and endings belong to the command line.
bad=$(grep -rnE '\b(printf|puts|exit|abort)\(' --include='*.c' data engine tiles web |
    grep -vE '^web/cli/|^data/base/log.c|(sn|vsn|f)printf|//')
if [ -z "$bad" ]; then say ok "nobody prints or exits below the command line"; else
    echo "$bad" | sed 's/^/# /'
    say "not ok" "nobody prints or exits below the command line"
fi
echo "1..$number"
[ "$fails" -eq 0 ]
