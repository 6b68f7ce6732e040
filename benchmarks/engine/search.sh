#!/bin/bash
# search.sh - addresses as people type them beside PostgreSQL's pg_trgm, on what
# bench_search has left in BENCH_DUMP.
#
#   search.sh ONEMAP CITY
#
# A private PostgreSQL 15 in a temporary folder, all in memory, with a tenth of
# the addresses of the full city and a GIN index of their trigrams; onemap
# searches all of them. Each question is asked in the two ways that the manual
# of pg_trgm has for it: by similarity (%) and by word similarity (<%), at their
# default thresholds, the most similar first. An answer is right if its building
# is the one of the address that was mistyped. A question that takes longer than
# TIMEOUT_S counts as wrong, and as having taken that long. Says so and ends well
# where PostgreSQL or the full city is missing. Takes some minutes.
set -eu
. "$(dirname "$0")/../row.sh"
. "$(dirname "$0")/../postgres.sh"
TIMEOUT_S=20
dump=${BENCH_DUMP:-}
head_row "search: beside PostgreSQL pg_trgm, a tenth of the addresses"
for need in "$pg_bin/initdb" /usr/share/postgresql/15/extension/pg_trgm.control "$dump/search_rows.tsv"; do
    [ -f "$need" ] || { echo "no $need (make deps-bench, make city): nothing to compare with"; exit 0; }
done

dir=$(mktemp -d)
chmod 755 "$dir"
trap 'pg_stop; rm -rf "$dir"' EXIT
# Characters are letters to pg_trgm only where the locale says so.
pg_start "$dir" -E UTF8 --locale=C.UTF-8 <<CONF
shared_buffers = 2GB
max_wal_size = 8GB
$(pg_in_memory 256MB)
CONF

start=$(now)
sql -c 'CREATE EXTENSION pg_trgm' -c 'CREATE UNLOGGED TABLE a ("text" text, building text)' \
    -c 'CREATE UNLOGGED TABLE q (i int, kind text, building text, typed text)'
sql -c '\copy a FROM STDIN' <"$dump/search_rows.tsv"
sql -c '\copy q FROM STDIN' <"$dump/search_questions.tsv"
sql -c 'CREATE INDEX ON a USING gin ("text" gin_trgm_ops)' -c 'ANALYZE a'
row "pg_trgm: load and index" 1 "$(since "$start")" - "$(sql -At -c 'SELECT count(*) FROM a')" \
    "$(sql -At -c "SELECT pg_total_relation_size('a')")" -

# ask NAME OPERATOR ORDER: each question once, by the server's clock
ask() {
    sql -At >"$dir/answers" <<SQL
SET statement_timeout = 0;
CREATE OR REPLACE FUNCTION ask(typed text) RETURNS text LANGUAGE sql AS
    \$\$ SELECT building FROM a WHERE $2 ORDER BY $3 LIMIT 1 \$\$;
DO \$\$ BEGIN PERFORM ask('文乐社区'); END \$\$;
SQL
    while IFS=$'\t' read -r i kind building typed; do
        sql -At -F$'\t' <<SQL || echo "$kind	f	$TIMEOUT_S"
SET statement_timeout = '${TIMEOUT_S}s';
SELECT q.kind, coalesce(ask(q.typed) = q.building, false), extract(epoch FROM clock_timestamp() - statement_timestamp()) FROM q WHERE i = $i;
SQL
    done <"$dump/search_questions.tsv" 2>/dev/null >"$dir/answers"
    local times
    times=$(cut -f3 "$dir/answers" | sort -g)
    each=$(echo "$times" | awk '{ s += $1 } END { print s / NR }')
    row "pg_trgm by $1, a tenth" "$(wc -l <"$dir/answers")" "$each" "$(echo "$times" | tail -1)" - 0 -
    awk -F'\t' -v limit="$TIMEOUT_S" '{ n[$1]++; right[$1] += $2 == "t"; if (!($1 in order)) { order[$1] = ++k; name[k] = $1 } N++; R += $2 == "t" }
        END { for (i = 1; i <= k; i++) printf "%-44s %d of %d first: %.1f %%\n", name[i], right[name[i]], n[name[i]], 100 * right[name[i]] / n[name[i]]
              printf "%-44s %d of %d first: %.1f %%\n", "all classes", R, N, 100 * R / N }' "$dir/answers"
    ratio "search of all addresses" "pg_trgm by $1 of a tenth" "$(cat "$dump/search_own.txt")" "$each"
}
ask similarity '"text" % typed' 'similarity("text", typed) DESC'
ask "word similarity" 'typed <% "text"' 'word_similarity(typed, "text") DESC'
