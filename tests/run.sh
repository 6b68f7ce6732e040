#!/bin/bash
# run.sh - run test programs that speak TAP, and add up what they say.
#
#   run.sh [-j N] [-l LABEL] [-t TOTALS] [-d DURATIONS] [-w THREADED] PROGRAM...
#
# N programs run at a time (1). Each one's output goes to a file and is shown
# only when it fails. The counts are added to TOTALS ("passed failed"), which the
# Makefile prints at the very end. A program that dies counts as one failure more.
# DURATIONS gets a line "seconds LABEL PROGRAM" of each; THREADED, if threads.so
# is beside it, the names of those that began threads.
set -u
label="" totals="" durations="" threaded="" jobs=1
while getopts d:j:l:t:w: option; do
    case $option in
    d) durations=$OPTARG ;;
    j) jobs=$OPTARG ;;
    l) label="$OPTARG " ;;
    t) totals=$OPTARG ;;
    w) threaded=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
# Races of our own are what we look for: GDAL takes its locks in two orders.
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:detect_deadlocks=0:suppressions=$(dirname "$0")/tsan.txt}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$(dirname "$0")/lsan.txt:print_suppressions=0}
limit=900 # seconds of one program
# All that tests make is in two folders, on the disk and in memory, and goes with
# them, also what a test leaves that was killed. Those of a run that was killed
# itself are known by a lock that nobody holds, and go with the next one.
places="${TMPDIR:-/tmp}"
[ ! -w /dev/shm ] || places="$places /dev/shm"
for old in $(for place in $places; do ls -d "$place"/onemap-run.* 2>/dev/null; done); do
    [ -O "$old" ] && [ -f "$old/lock" ] && flock -n "$old/lock" rm -rf "$old"
done
work=$(mktemp -d -p "${TMPDIR:-/tmp}" onemap-run.XXXXXX) memory=$work/memory
[ ! -w /dev/shm ] || memory=$(mktemp -d -p /dev/shm onemap-run.XXXXXX)
trap 'rm -rf "$work" "$memory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work/t" "$memory"
chmod 711 "$work" "$memory" # tests become nobody
exec 8>"$work/locking" 9>"$memory/locking"
flock 8 && flock 9
mv "$work/locking" "$work/lock" && mv "$memory/locking" "$memory/lock"
export TMPDIR=$work/t ONEMAP_TEST_MEMORY=$memory
# What takes hours says how far it is.
if [ -n "${ONEMAP_LONG:-}" ]; then
    limit=36000
    export ONEMAP_PROGRESS=$work/progress
    : >"$ONEMAP_PROGRESS"
    tail -f "$ONEMAP_PROGRESS" >&2 8>&- 9>&- &
    tail=$!
    trap 'kill $tail; rm -rf "$work" "$memory"' EXIT
fi

# run_one NUMBER PROGRAM: runs it, says how it went, leaves its counts.
run_one() {
    local out=$work/$1.out program=$2 start=$SECONDS status p f skipped=0
    case $program in
    *.mjs) node --test --test-reporter=tap "$program" >"$out" 2>&1 </dev/null ;;
    *)
        [ -z "$threaded" ] || export THREADS_FILE=$work/$1.threads LD_PRELOAD=${threaded%/*}/threads.so
        timeout $limit "$program" >"$out" 2>&1 </dev/null
        ;;
    esac
    status=$?
    unset LD_PRELOAD
    [ ! -e "$work/$1.threads" ] || basename "$program" >>"$threaded"
    case $program in
    *.mjs) # node nests its subtests and sums up at the end
        p=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$out" | tail -n 1)
        f=$(sed -n 's/^# fail \([0-9]*\)$/\1/p' "$out" | tail -n 1)
        ;;
    *)
        # What is skipped is neither; cmocka has "not ok 3 # SKIP".
        p=$(grep -E '^ok [0-9]' "$out" | grep -vc '# SKIP')
        f=$(grep -E '^not ok [0-9]' "$out" | grep -vc '# SKIP')
        skipped=$(grep -cE '^(not )?ok [0-9]+ # SKIP' "$out")
        ;;
    esac
    p=${p:-0} f=${f:-0}
    [ $status -ne 0 ] && [ "$f" -eq 0 ] && f=1
    [ $((p + f + skipped)) -eq 0 ] && f=1
    echo "$p $f" >"$work/$1.count"
    [ -z "$durations" ] || echo "$((SECONDS - start)) $label$program" >>"$durations"
    if [ "$f" -gt 0 ]; then
        # In one piece, whoever else is writing.
        echo "$(sed 's/^/    /' "$out" | tail -n 200)
FAIL ${label}$program: $p passed, $f failed, exit status $status"
    else
        echo "ok   ${label}$program: $p passed ($((SECONDS - start)) s)"
    fi
    rm -f "$out"
}

number=0 running=0 tests=""
for program in "$@"; do
    [ $running -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
    number=$((number + 1)) running=$((running + 1))
    run_one $number "$program" &
    tests="$tests $!"
done
[ -z "$tests" ] || wait $tests
passed=0 failed=0
for n in $(seq $number); do
    # What left no count died with its shell.
    read -r p f 2>/dev/null <"$work/$n.count" || { p=0 f=1; }
    passed=$((passed + p)) failed=$((failed + f))
done
if [ -n "$totals" ]; then
    read -r p f 2>/dev/null <"$totals" || { p=0 f=0; }
    echo "$((p + passed)) $((f + failed))" >"$totals"
fi
[ "$failed" -eq 0 ]
