#!/bin/sh
# run.sh - serve a city and its public release, each by a process of its own,
# until both are told to stop.
# run.sh CITY LISTEN RELEASE LISTEN_PUBLIC
public=
trap 'kill $inside $public 2>/dev/null' INT TERM
"$ONEMAP" serve "$1" --listen "$2" --links &
inside=$!
if [ -f "$3/city.json" ]; then
    "$ONEMAP" serve "$3" --listen "$4" &
    public=$!
else
    echo "run: nothing of $1 is public: there is no release $3" >&2
fi
# A signal ends the first wait before the server has ended.
wait $inside
status=$?
while kill -0 $inside 2>/dev/null; do
    wait $inside
    status=$?
done
[ -z "$public" ] || { kill $public 2>/dev/null; wait $public; }
exit $status
