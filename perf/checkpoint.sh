#!/usr/bin/env bash
# checkpoint.sh -- what saving costs the training: the same run with and without saves.
#
#     perf/checkpoint.sh [OPTION]...
#
#     --every N                 a save every so many steps, default 1
#     -n PAIRS                  default 5
#     -c, --config FILE         default configs/mnist.ini
#     -s, --set SECTION.KEY=VALUE    for every run, may be repeated
#     -o, --out DIR             default runs/checkpoint
#
# Runs of two epochs in turn, of which the second counts: one that saves at the end of the epoch
# only, one that also saves every N steps. What the second takes longer, divided by the number of its
# saves, is the price of one save, copying, waiting and the background thread's share of the cores
# included. Prints it for each pair, in milliseconds and in percent of an epoch, and at last the
# median, the smallest and the largest.
#
# Environment: TRAINER (build/release/trainer).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=perf/lib.sh
source "$here/lib.sh"

every=1 pairs=5 config=$here/../configs/mnist.ini out=runs/checkpoint sets=()
while (($# > 0)); do
    case $1 in
    --every | -n | -c | --config | -s | --set | -o | --out)
        (($# > 1)) || usage_error "$1 wants a value"
        case $1 in
        --every) every=$2 ;;
        -n) pairs=$2 ;;
        -c | --config) config=$2 ;;
        -s | --set) sets+=(--set "$2") ;;
        -o | --out) out=$2 ;;
        esac
        shift 2
        ;;
    -h | --help) usage && exit ;;
    *) usage_error "unknown argument '$1'" ;;
    esac
done
demand_numbers --every "$every"
demand_numbers -n "$pairs"
trainer=$(absolute "${TRAINER:-$here/../build/release/trainer}")
config=$(absolute "$config")
mkdir -p "$out"

# seconds_of NAME EVERY: of the training part of the second epoch
seconds_of() {
    "$trainer" -c "$config" --overwrite "${sets[@]}" --set fit.epochs=2 --set "checkpoint.every_steps=$2" \
        --set "output.directory=$out/$1" >"$out/$1.log" || fail "the run failed, see $out/$1.log"
    last_of seconds "$out/$1/history.csv"
}

steps=0
: >"$out/pairs"
for ((pair = 1; pair <= pairs; pair++)); do
    without=$(seconds_of without 0)
    with=$(seconds_of with "$every")
    steps=$(sed -n 's/.*, \([0-9]*\) steps per epoch$/\1/p' "$out/with.log")
    awk -v a="$without" -v b="$with" -v n=$(((steps - 1) / every)) '
        { next } END { if (n < 1) exit 1
            printf "%.3f %.3f %.3f %.4f\n", a, b, 1000 * (b - a) / n, 100 * (b - a) / n / a }' \
        </dev/null >>"$out/pairs" || fail "--every $every: an epoch has $steps steps only"
    tail -n 1 "$out/pairs" | awk -v i="$pair" '{ printf \
        "pair %d: %s s without, %s s with: %s ms, %s %% of the epoch for one save\n", i, $1, $2, $3, $4 }'
done
read -r median least most < <(cut -d' ' -f4 "$out/pairs" | spread)
printf 'one save per epoch: %s %% of it (%s to %s)\n' "$median" "$least" "$most"
