#!/bin/sh
# install.sh - install the Debian packages that are missing: as root, with
# sudo, or by saying what to do.
#
#   install.sh PACKAGE...
set -u

# Some packages stand for a program; one that came another way will do.
program_of() {
    case $1 in
    gcc | make | npm | clang | curl | chromium | wrk) echo "$1" ;;
    nodejs) echo node ;;
    nginx-light) echo nginx ;;
    gdal-bin) echo ogrinfo ;;
    esac
}
# Asked once for all: a call of dpkg-query takes longer than the rest.
installed=$(dpkg-query -W -f='${Package} ${Status}\n' "$@" 2>/dev/null |
    sed -n 's/ .*ok installed$//p')
is_there() {
    program=$(program_of "$1")
    if [ -n "$program" ]; then
        PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null && return 0
    fi
    echo "$installed" | grep -qx "$1"
}

missing=
for package in "$@"; do
    is_there "$package" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "These packages are missing, and this is neither root nor is there sudo." >&2
    echo "Please have them installed:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing:$missing"
start=$(date +%s)
log=$(mktemp)
if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    echo "installing failed (is this Debian 12 with its packages reachable?)" >&2
    exit 1
fi
rm -f "$log"
echo "install: $(($(date +%s) - start)) s"
