# postgres.sh - a private PostgreSQL 15 in a folder: begun, asked, ended.
# Sourced by the scripts of benchmarks/*/ that compare with one.

pg_bin=/usr/lib/postgresql/15/bin
# PostgreSQL does not run as root.
as() { if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); else "$@"; fi; }
# pg_start FOLDER [INITDB_OPTION...] <LINES of postgresql.conf: begins one whose
# data, log and socket are in the folder.
pg_start() {
    pg_folder=$1
    shift
    [ "$(id -u)" != 0 ] || chown postgres "$pg_folder"
    as "$pg_bin/initdb" -D "$pg_folder/data" -A trust -U postgres "$@" </dev/null >/dev/null
    { echo "listen_addresses = ''"; echo "unix_socket_directories = '$pg_folder'"; cat; } >>"$pg_folder/data/postgresql.conf"
    as "$pg_bin/pg_ctl" -D "$pg_folder/data" -w -l "$pg_folder/log" start >/dev/null
}
# In memory, for reading: nothing is durable, nobody else is there.
pg_in_memory() {
    cat <<CONF
work_mem = $1
maintenance_work_mem = 1GB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
jit = off
random_page_cost = 1.0
CONF
}
sql() { as psql -h "$pg_folder" -U postgres -X -q -v ON_ERROR_STOP=1 "$@"; }
# Its own error, should it not stop, is not ours.
pg_stop() { [ -z "${pg_folder:-}" ] || as "$pg_bin/pg_ctl" -D "$pg_folder/data" -m immediate stop >/dev/null 2>&1 || true; }
