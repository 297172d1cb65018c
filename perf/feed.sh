#!/usr/bin/env bash
# feed.sh -- what streaming costs: the same run with its images in memory and in their file.
#
#     perf/feed.sh [OPTION]...
#
#     -n PAIRS                  default 5
#     -c, --config FILE         default configs/mnist.ini
#     -s, --set SECTION.KEY=VALUE    for every run, may be repeated
#     -o, --out DIR             default runs/feed
#     --limit MIB               no pairs: one run in a control group with so much memory
#
# Runs of two epochs in turn, of which the second counts, when the file is in the page cache; its
# images must lie in one piece (trainer convert h5 makes such a file of any). Prints seconds and
# computing time of each pair, streamed divided by resident, and at last the median, the smallest and
# the largest. Both must end with the same weights.
#
# With --limit (root, cgroup v1 or v2) the program decides by itself where the images are. Prints
# images and MB of images a second; drop the page cache before it, as root, to read from the disk.
#
# Environment: TRAINER (build/release/trainer).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=perf/lib.sh
source "$here/lib.sh"

pairs=5 config=$here/../configs/mnist.ini out=runs/feed limit='' sets=()
while (($# > 0)); do
    case $1 in
    -n | -c | --config | -s | --set | -o | --out | --limit)
        (($# > 1)) || usage_error "$1 wants a value"
        case $1 in
        -n) pairs=$2 ;;
        -c | --config) config=$2 ;;
        -s | --set) sets+=(--set "$2") ;;
        -o | --out) out=$2 ;;
        --limit) limit=$2 ;;
        esac
        shift 2
        ;;
    -h | --help) usage && exit ;;
    *) usage_error "unknown argument '$1'" ;;
    esac
done
demand_numbers -n "$pairs"
trainer=$(absolute "${TRAINER:-$here/../build/release/trainer}")
config=$(absolute "$config")
mkdir -p "$out"

# run NAME SET...: a training into $out/NAME
run() {
    local name=$1
    shift
    "$trainer" -c "$config" --overwrite "${sets[@]}" "$@" --set "output.directory=$out/$name" \
        >"$out/$name.log" 2>&1 || fail "the run failed, see $out/$name.log"
}

# ---- under a limit of memory ----

# Moves this process into a new group with $1 MiB.
enter_group() {
    local group=/sys/fs/cgroup/memory/trainer_feed file=memory.limit_in_bytes
    if [[ ! -d /sys/fs/cgroup/memory ]]; then
        group=/sys/fs/cgroup/trainer_feed file=memory.max
    fi
    mkdir -p "$group" || fail "no control group can be made: root only"
    echo $(($1 << 20)) >"$group/$file" || fail "$group takes no limit"
    echo $BASHPID >"$group/cgroup.procs" || fail "$group takes no process"
}

if [[ -n $limit ]]; then
    demand_numbers --limit "$limit"
    (
        enter_group "$limit"
        run limited --set fit.epochs=1
    )
    grep -E '^data:' "$out/limited.log"
    last_of images_per_s "$out/limited/history.csv" | awk '{ printf "%.0f images/s\n", $1 }'
    exit
fi

# ---- pairs ----

# measure NAME MEMORY: seconds of the second epoch and computing time of the whole run
measure() {
    local TIMEFORMAT='%U %S' cpu
    cpu=$({ time run "$1" --set fit.epochs=2 --set "data.memory=$2"; } 2>&1)
    echo "$(last_of seconds "$out/$1/history.csv") $(awk '{ print $1 + $2 }' <<<"$cpu")"
}

# The digest of the weights stands in the last lines of a run.
digest_of() {
    grep -oE '[0-9a-f]{32}' "$out/$1.log" | tail -n 1
}

: >"$out/seconds"
: >"$out/cpu"
for ((pair = 1; pair <= pairs; pair++)); do
    read -r resident resident_cpu <<<"$(measure resident resident)"
    read -r streamed streamed_cpu <<<"$(measure streamed streamed)"
    [[ $(digest_of resident) == "$(digest_of streamed)" ]] || fail 'the weights differ'
    awk -v a="$streamed" -v b="$resident" 'BEGIN { print a / b }' >>"$out/seconds"
    awk -v a="$streamed_cpu" -v b="$resident_cpu" 'BEGIN { print a / b }' >>"$out/cpu"
    printf 'pair %d: %.3f s streamed, %.3f s resident; computing %.2f s and %.2f s\n' "$pair" \
        "$streamed" "$resident" "$streamed_cpu" "$resident_cpu"
done
for what in seconds cpu; do
    read -r median least most <<<"$(spread <"$out/$what")"
    printf 'streamed / resident, %s: median %.3f (%.3f to %.3f), %s\n' "$what" "$median" "$least" \
        "$most" "$(cpu_name)"
done
