#!/usr/bin/env bash
# compare.sh -- seconds per training epoch of trainer and of PyTorch on this machine.
#
#     perf/compare.sh [-n RUNS] [-t THREADS] [-- OPTION OF compare_pytorch.py...]
#
# The job is configs/mnist.ini's, two epochs a run; the second is taken, the first warms up. The two
# programs take turns, so that a machine whose speed drifts (heat, neighbours) drifts for both, and
# the median of the ratios of neighbouring runs is the number to quote. Nothing else should run.
# Environment: PYTHON (python3, needs torch and h5py), TRAINER (build/release/trainer).
set -euo pipefail

runs=5
threads=${OMP_NUM_THREADS:-2}

fail() {
    printf 'compare: %s\n' "$1" >&2
    exit 1
}

while getopts n:t:h option; do
    case $option in
    n) runs=$OPTARG ;;
    t) threads=$OPTARG ;;
    h)
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit
        ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[[ $runs =~ ^[1-9][0-9]*$ && $threads =~ ^[1-9][0-9]*$ ]] ||
    fail "-n and -t take a positive whole number"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
trainer=${TRAINER:-build/release/trainer}
python=${PYTHON:-python3}
export OMP_NUM_THREADS=$threads LC_ALL=C

[[ -x $trainer ]] || fail "$trainer is missing; ./quickstart.sh builds it"
[[ -s data/mnist.h5 ]] || fail "data/mnist.h5 is missing; data/fetch_mnist.sh makes it"
"$python" -c 'import torch, h5py' 2>/dev/null ||
    fail "$python lacks torch or h5py; on Debian: apt-get install python3-torch python3-h5py"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

trainer_seconds() {
    "$trainer" -c configs/mnist.ini --set fit.epochs=2 --set output.directory="$scratch/run" \
        >"$scratch/log" 2>&1 || fail "trainer failed: $(cat "$scratch/log")"
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") column = i }
             NR > 1 { seconds = $column }
             END { if (!column || NR < 2) exit 1; print seconds }' "$scratch/run/history.csv" ||
        fail "history.csv has no epoch or no column 'seconds'"
    rm -rf "$scratch/run"
}

pytorch_seconds() {
    "$python" perf/compare_pytorch.py --epochs 2 --threads "$threads" "$@" \
        >"$scratch/log" 2>&1 || fail "compare_pytorch.py failed: $(cat "$scratch/log")"
    awk '$1 == "epoch" { seconds = $3 } END { if (!seconds) exit 1; print seconds }' "$scratch/log" ||
        fail "compare_pytorch.py printed no epoch"
}

# Median, smallest and largest of the numbers on stdin.
spread() {
    sort -g | awk '{ v[NR] = $1 }
        END { middle = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
              printf "%8.3f %8.3f %8.3f\n", middle, v[1], v[NR] }'
}

printf 'seconds per epoch of 48,000 images, %d threads, %s\n' "$threads" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
printf '%-8s %8s %8s %8s\n' run trainer PyTorch ratio
for ((run = 1; run <= runs; run++)); do
    ours=$(trainer_seconds)
    theirs=$(pytorch_seconds "$@")
    echo "$ours $theirs" | awk '{ print $1, $2, $2 / $1 }' >>"$scratch/results"
    awk -v run="$run" 'END { printf "%-8d %8.3f %8.3f %8.3f\n", run, $1, $2, $3 }' "$scratch/results"
done

printf '\n%-8s %8s %8s %8s\n' "" median min max
printf '%-8s' trainer && cut -d' ' -f1 "$scratch/results" | spread
printf '%-8s' PyTorch && cut -d' ' -f2 "$scratch/results" | spread
printf '%-8s' ratio && cut -d' ' -f3 "$scratch/results" | spread
