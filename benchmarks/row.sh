# row.sh - rows of results from shell scripts, laid out as bench.c does it.
# Sourced by the scripts of benchmarks/*/.

now() { date +%s.%N; }
# since START: seconds
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.6f", b - a }'; }
# hash of standard input, 16 digits
hash_of() { sha256sum | cut -c1-16; }
head_row() {
    echo "# $1"
    printf '%-44s %12s %12s %12s %12s %14s %16s  %s\n' work operations each p99 rows bytes hash target
}
# row NAME OPERATIONS SECONDS_EACH P99|- ROWS BYTES HASH [TARGET]: the target
# is of the p99 where there is one, else of each.
row() {
    awk -v name="$1" -v ops="$2" -v each="$3" -v p99="$4" -v rows="$5" -v bytes="$6" -v hash="$7" -v target="${8:-0}" '
    function say(s) {
        if (s == "-") return "-"
        if (s < 1e-6) return sprintf("%.1f ns", s * 1e9)
        if (s < 1e-3) return sprintf("%.2f us", s * 1e6)
        if (s < 1) return sprintf("%.3f ms", s * 1e3)
        return sprintf("%.3f s", s)
    }
    BEGIN {
        judged = p99 == "-" ? each : p99
        printf "%-44s %12d %12s %12s %12d %14d %16s  %s\n", name, ops, say(each), say(p99), rows, bytes, hash,
            (target > 0 ? (judged + 0 <= target + 0 ? "met" : "MISSED") " (" say(target + 0) ")" : "")
    }'
}
# ratio NAME PEER OWN_S PEER_S
ratio() { awk -v n="$1" -v p="$2" -v a="$3" -v b="$4" 'BEGIN { printf "%-44s %.2f times as fast as %s\n", n, b / a, p }'; }
# judge NAME VALUE LIMIT UNIT: met where VALUE is at most LIMIT
judge() { awk -v n="$1" -v v="$2" -v l="$3" -v u="$4" 'BEGIN { printf "%-44s %.3f %s  %s (%g %s)\n", n, v, u, (v + 0 <= l + 0 ? "met" : "MISSED"), l, u }'; }
# stop_server FILE: the child of which it holds the number; waits for its end, so
# that what it writes to can be removed
stop_server() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
