#!/usr/bin/env bash
# sweep.sh -- speed of training over threads and the keys of [engine]: a table and a picture.
#
#     perf/sweep.sh [OPTION]...
#
#     --threads "N..."          default "1 <cores>"
#     --isa "WORD..."           default "avx2 avx512"
#     --precision "WORD..."     default "float32 bfloat16"
#     --convolution "WORD..."   default "direct winograd"
#     --micro-batch "N..."      default "1 2 4 8 16 32"
#     --batch-size "N..."       default: the configuration's
#     -c, --config FILE         default configs/mnist.ini
#     -s, --set SECTION.KEY=VALUE    for every run, may be repeated
#     -n RUNS                   of each combination, default 3; the median is taken
#     -e EPOCHS                 of a run, default 2; the last is taken, those before warm up
#     -o, --out DIR             default runs/sweep
#
# Leaves in DIR: runs.csv, every run; sweep.csv, the median of each combination; sweep.svg, images/s
# over micro_batch, a line for each of the other keys' combinations (needs gnuplot). The runs of one
# combination do not follow each other: all combinations are run once, then all again, so that a
# machine whose speed drifts does not favour any. A combination that the program refuses (exit
# code 2: no such instruction set, no such kernel) is named on stderr with the reason and left out;
# so is one that fails otherwise, and then the script ends with exit code 1.
#
# Environment: TRAINER (build/release/trainer).
set -euo pipefail
shopt -s inherit_errexit
here=$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR
source "$here/lib.sh"

threads_list="1 $(nproc)"
[[ $(nproc) != 1 ]] || threads_list=1
isa_list="avx2 avx512"
precision_list="float32 bfloat16"
convolution_list="direct winograd"
micro_batch_list="1 2 4 8 16 32"
batch_size_list=
config=$here/../configs/mnist.ini
runs=3
epochs=2
out=$here/../runs/sweep
sets=()

while (($# > 0)); do
    case $1 in
    -h | --help) usage && exit ;;
    -*) (($# > 1)) || usage_error "$1 needs a value" ;;
    esac
    case $1 in
    --threads) threads_list=$2 ;;
    --isa) isa_list=$2 ;;
    --precision) precision_list=$2 ;;
    --convolution) convolution_list=$2 ;;
    --micro-batch) micro_batch_list=$2 ;;
    --batch-size) batch_size_list=$2 ;;
    -c | --config) config=$2 ;;
    -s | --set) sets+=(--set "$2") ;;
    -n) runs=$2 ;;
    -e) epochs=$2 ;;
    -o | --out) out=$2 ;;
    *) usage_error "'$1' is no option" ;;
    esac
    shift 2
done
demand_numbers --threads "$threads_list"
demand_numbers --micro-batch "$micro_batch_list"
[[ -z $batch_size_list ]] || demand_numbers --batch-size "$batch_size_list"
demand_numbers -n "$runs"
demand_numbers -e "$epochs"
config=$(absolute "$config")
mkdir -p "$out"
out=$(realpath -- "$out")

cd "$here/.."
trainer=${TRAINER:-build/release/trainer}
export LC_ALL=C
[[ -x $trainer ]] || fail "$trainer is missing; ./quickstart.sh builds it"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

readonly columns=threads,isa,precision,convolution,micro_batch,batch_size,seconds,images_per_s
declare -A left_out=() # combinations that do not run
failed=0

# A program older than a key has nothing but the key's default, and is asked without it.
is_known() { # KEY DEFAULT
    [[ $("$trainer" check -c "$config" --set "engine.$1=$2" 2>&1) != *"unknown key"* ]]
}

# ---- one run ----

# Sets `options`, the command line of a combination.
set_options() { # THREADS ISA PRECISION CONVOLUTION MICRO_BATCH [BATCH_SIZE]
    options=("${sets[@]}" --threads "$1" --set "engine.isa=$2" --set "engine.micro_batch=$5")
    [[ $3 == float32 && -z $has_precision ]] || options+=(--set "engine.precision=$3")
    [[ $4 == direct && -z $has_convolution ]] || options+=(--set "engine.convolution=$4")
    [[ -z ${6-} ]] || options+=(--set "fit.batch_size=$6")
    options+=(--set "fit.epochs=$epochs" --set "output.directory=$scratch/run")
}

# The batch size that was really used, from the effective configuration.
batch_size_used() {
    awk '/^\[/ { section = $1 }
         section == "[fit]" && $1 == "batch_size" { sub(/^[^=]*= */, ""); print }' \
        "$scratch/run/config.ini"
}

measure() { # the same; adds a row to runs.csv, or an entry to `left_out`
    local status=0 options
    set_options "$@"
    rm -rf "$scratch/run"
    OMP_NUM_THREADS=$1 "$trainer" -c "$config" "${options[@]}" >"$scratch/out" 2>"$scratch/err" ||
        status=$?
    if ((status == 0)); then
        local row
        row=$(last_of seconds,images_per_s "$scratch/run/history.csv")
        echo "$1,$2,$3,$4,$5,$(batch_size_used),${row/ /,}" | tee -a "$out/runs.csv"
        return
    fi
    ((status < 128)) || exit "$status" # stopped by a signal
    ((status == 2)) || failed=1
    left_out[$*]=yes
    printf 'sweep.sh: left out: %s: exit code %d, %s\n' "$*" "$status" \
        "$(head -n 1 "$scratch/err")" >&2
}

# ---- all runs ----

combinations() {
    local threads isa precision convolution batch_size micro_batch
    for threads in $threads_list; do
        for isa in $isa_list; do
            for precision in $precision_list; do
                for convolution in $convolution_list; do
                    for batch_size in ${batch_size_list:-""}; do
                        for micro_batch in $micro_batch_list; do
                            echo "$threads $isa $precision $convolution $micro_batch $batch_size"
                        done
                    done
                done
            done
        done
    done
}

# Medians of seconds and of images/s, in the order in which the combinations came.
medians() {
    local key
    echo "$columns"
    tail -n +2 "$out/runs.csv" | cut -d, -f1-6 | awk '!seen[$0]++' | while read -r key; do
        echo "$key,$(median_of "$key" 7),$(median_of "$key" 8)"
    done
}

median_of() { # KEY COLUMN
    awk -F, -v key="$1," -v column="$2" 'index($0, key) == 1 { print $column }' "$out/runs.csv" |
        spread | cut -d' ' -f1
}

# Blocks for gnuplot: a title, then micro_batch and images/s.
picture() {
    if ! command -v gnuplot >/dev/null; then
        echo "sweep.sh: no picture without gnuplot; on Debian: apt-get install gnuplot-nox" >&2
        return
    fi
    tail -n +2 "$out/sweep.csv" | awk -F, '
        { title = "threads " $1 ", " $2 ", " $3 ", " $4 ", batch " $6
          if (!(title in points)) order[++n] = title
          points[title] = points[title] $5 " " $8 "\n" }
        END { for (i = 1; i <= n; i++) printf "\"%s\"\n%s\n\n", order[i], points[order[i]] }' \
        >"$scratch/points"
    gnuplot -e "points='$scratch/points'; picture='$out/sweep.svg'" \
        -e "blocks=$(grep -c '^"' "$scratch/points"); heading='${config##*/}, $(cpu_name)'" \
        perf/sweep.gnuplot
}

has_precision=
has_convolution=
if is_known precision float32; then has_precision=yes; fi
if is_known convolution direct; then has_convolution=yes; fi

mapfile -t all < <(combinations)
printf 'sweep.sh: %d combinations, %d runs each\n' "${#all[@]}" "$runs" >&2
echo "$columns" | tee "$out/runs.csv"
for ((run = 1; run <= runs; run++)); do
    for combination in "${all[@]}"; do
        read -ra words <<<"$combination"
        [[ -n ${left_out[${words[*]}]-} ]] || measure "${words[@]}"
    done
done
(($(wc -l <"$out/runs.csv") > 1)) || fail "no combination runs"
medians >"$out/sweep.csv"
picture
echo "sweep.sh: results in $out" >&2
exit "$failed"
