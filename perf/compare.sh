#!/usr/bin/env bash
# compare.sh -- seconds that trainer and PyTorch take for the same job on this machine.
#
#     perf/compare.sh [OPTION]... [-- OPTION OF compare_pytorch.py...]
#
#     -n RUNS                       pairs of runs, default 5
#     -t "THREADS..."               thread counts, one after the other, default OMP_NUM_THREADS or 2
#     -c, --config FILE             the job, default configs/mnist.ini
#     -s, --set SECTION.KEY=VALUE   for both programs, may be repeated; [engine] is trainer's alone
#     -m, --mode train|evaluate     default train
#         --checkpoint FILE         weights for evaluate; default: trains one epoch to have some
#         --tuned                   PyTorch hand-tuned, in the environment that suits it
#         --csv FILE                every pair, also as a table for programs
#
# train: two epochs a run; the second is taken, the first warms up. evaluate: one pass of `trainer
# evaluate` over the test images, from its line "evaluated N images in S s, R images/s"; of PyTorch
# the second of two passes, in its favour. The two programs take turns, so that a machine whose
# speed drifts (heat, neighbours) drifts for both, and the median of the ratios of neighbouring runs
# is the number to quote. Nothing else should run.
#
# Environment: PYTHON (python3, needs torch and h5py), TRAINER (build/release/trainer).
set -euo pipefail
shopt -s inherit_errexit
here=$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR
source "$here/lib.sh"

runs=5
threads_list=${OMP_NUM_THREADS:-2}
config=$here/../configs/mnist.ini
mode=train
variant=plain
checkpoint=
csv=
sets=()

while (($# > 0)); do
    case $1 in
    -h | --help) usage && exit ;;
    --tuned) variant=tuned && shift && continue ;;
    --) shift && break ;;
    -n | -t | -c | --config | -s | --set | -m | --mode | --checkpoint | --csv)
        (($# > 1)) || usage_error "$1 needs a value"
        ;;
    *) usage_error "'$1' is no option" ;;
    esac
    case $1 in
    -n) runs=$2 ;;
    -t) threads_list=$2 ;;
    -c | --config) config=$2 ;;
    -s | --set) sets+=(--set "$2") ;;
    -m | --mode) mode=$2 ;;
    --checkpoint) checkpoint=$2 ;;
    --csv) csv=$(realpath -- "$2") ;;
    esac
    shift 2
done
pytorch_options=(--epochs 2 --mode "$mode" "${sets[@]}" "$@")
demand_numbers -n "$runs"
demand_numbers -t "$threads_list"
[[ $mode == train || $mode == evaluate ]] || usage_error "--mode is train or evaluate"
config=$(absolute "$config")
[[ -z $checkpoint ]] || checkpoint=$(absolute "$checkpoint")

cd "$here/.."
trainer=${TRAINER:-build/release/trainer}
python=${PYTHON:-python3}
export LC_ALL=C

[[ -x $trainer ]] || fail "$trainer is missing; ./quickstart.sh builds it"
"$python" -c 'import torch, h5py' 2>/dev/null ||
    fail "$python lacks torch or h5py; on Debian: apt-get install python3-torch python3-h5py"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# ---- the environment of PyTorch ----

# --tuned: an allocator that keeps what it once got, and no second pool of threads.
pytorch_environment=()
if [[ $variant == tuned ]]; then
    pytorch_options+=(--tuned)
    pytorch_environment+=(OPENBLAS_NUM_THREADS=1)
    jemalloc=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p |
        awk '$1 == "libjemalloc.so.2" { path = $NF } END { print path }')
    if [[ -n $jemalloc ]]; then
        pytorch_environment+=("LD_PRELOAD=$jemalloc"
            "MALLOC_CONF=thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1")
    else
        echo "compare.sh: no libjemalloc.so.2, PyTorch runs faster with it;" \
            "on Debian: apt-get install libjemalloc2" >&2
    fi
fi

# ---- one run: prints SECONDS IMAGES_PER_S ----

run_trainer() { # THREADS EPOCHS
    rm -rf "$scratch/run"
    OMP_NUM_THREADS=$1 "$trainer" -c "$config" "${sets[@]}" --threads "$1" --set fit.epochs="$2" \
        --set output.directory="$scratch/run" >"$scratch/log" 2>&1 ||
        fail "trainer failed: $(cat "$scratch/log")"
}

# evaluated WHO: from the line "evaluated N images in S s, R images/s"; the last one counts. N / R
# has more digits than S when a pass is short.
evaluated() {
    awk '$1 == "evaluated" && $3 == "images" { n = $2; rate = $7 }
         END { if (!rate) exit 1; print n / rate, rate }' "$scratch/log" ||
        fail "$1 printed no line 'evaluated N images in S s, R images/s'"
}

trainer_seconds() { # THREADS
    if [[ $mode == train ]]; then
        run_trainer "$1" 2
        last_of seconds,images_per_s "$scratch/run/history.csv"
    else
        OMP_NUM_THREADS=$1 "$trainer" evaluate -c "$config" "${sets[@]}" --threads "$1" \
            --checkpoint "$checkpoint" >"$scratch/log" 2>&1 ||
            fail "trainer evaluate failed: $(cat "$scratch/log")"
        evaluated "trainer evaluate"
    fi
}

pytorch_seconds() { # THREADS
    env OMP_NUM_THREADS="$1" "${pytorch_environment[@]}" "$python" perf/compare_pytorch.py \
        --config "$config" --threads "$1" "${pytorch_options[@]}" >"$scratch/log" 2>&1 ||
        fail "compare_pytorch.py failed: $(cat "$scratch/log")"
    if [[ $mode == train ]]; then
        awk '$1 == "epoch" { seconds = $3; rate = $5 }
             END { if (!seconds) exit 1; print seconds, rate }' "$scratch/log" ||
            fail "compare_pytorch.py printed no epoch"
    else
        evaluated compare_pytorch.py
    fi
}

# ---- all pairs of one thread count ----

# summary NAME COLUMN DIGITS: of the pairs in $scratch/pairs, as a row
summary() {
    local median min max
    read -r median min max < <(cut -d' ' -f"$2" "$scratch/pairs" | spread)
    printf '%-18s %10.*f %10.*f %10.*f\n' "$1" "$3" "$median" "$3" "$min" "$3" "$max"
}

compare_at() { # THREADS
    local run ours our_rate theirs their_rate ratio pair
    printf '\n%s %s, threads: %d, PyTorch %s, %s\n' "$mode" "${config##*/}" "$1" "$variant" \
        "$(cpu_name)"
    printf '%-18s %10s %10s %10s\n' run "trainer s" "PyTorch s" ratio
    : >"$scratch/pairs"
    for ((run = 1; run <= runs; run++)); do
        pair=$(trainer_seconds "$1") # on a line of its own: its failure ends the script
        read -r ours our_rate <<<"$pair"
        pair=$(pytorch_seconds "$1")
        read -r theirs their_rate <<<"$pair"
        ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { print b / a }')
        printf '%-18d %10.3f %10.3f %10.3f\n' "$run" "$ours" "$theirs" "$ratio"
        echo "$ours $theirs $ratio $our_rate $their_rate" >>"$scratch/pairs"
        [[ -z $csv ]] ||
            echo "${config##*/},$mode,$variant,$1,$run,$ours,$theirs,$ratio" >>"$csv"
    done
    printf '\n%-18s %10s %10s %10s\n' "" median min max
    summary "trainer s" 1 3
    summary "PyTorch s" 2 3
    summary "ratio" 3 3
    summary "trainer images/s" 4 0
    summary "PyTorch images/s" 5 0
}

[[ -z $csv ]] ||
    echo config,mode,pytorch,threads,run,trainer_seconds,pytorch_seconds,ratio >"$csv"
if [[ $mode == evaluate && -z $checkpoint ]]; then
    run_trainer "${threads_list##* }" 1
    checkpoint=$scratch/weights.h5
    mv "$scratch/run/last.h5" "$checkpoint"
fi
for threads in $threads_list; do
    compare_at "$threads"
done
