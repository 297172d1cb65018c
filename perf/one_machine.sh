#!/usr/bin/env bash
# one_machine.sh -- how fast this machine trains: one JSON, one SVG, in under 8 minutes.
#
#     perf/one_machine.sh [OPTION]...
#
#     -m, --minutes M          how long it may take, default 7.5; at least 1
#     -t, --threads "N..."     default 1, 2, 4 ... and all
#     -k, --kernels "WORD..."  values of [engine] kernels, default "onednn fast portable"
#         --python FILE        a Python with the peers, perf/requirements.txt; may be repeated
#     -o, --out FILE           default runs/one_machine/CPU-DATE.json; the SVG beside it
#
# Measured, in this order, until time is up: the tutorial's network (configs/mnist.ini) over threads
# with each kernel and precision that program and CPU have, each beside the multiply-add peak of the
# same threads; larger batches for many threads; ResNet-20 and VGG on all; AVX2 where the CPU has
# more; and, where a Python has PyTorch, Keras or JAX, the main comparison with them. Nothing else
# should run, and a laptop belongs on its charger. It needs no dataset, downloads nothing and builds
# nothing but the program, if that is missing; without peers, and without any Python, it does the
# rest and says so. In the end it says what to send.
#
# Environment: TRAINER (build/release/trainer).
set -uo pipefail
here=$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR
source "$here/lib.sh"

minutes=7.5
cpus=$(nproc)
threads_list=
kernels_list="onednn fast portable"
pythons=()
out=

while (($# > 0)); do
    case $1 in
    -h | --help) usage && exit ;;
    -*) (($# > 1)) || usage_error "$1 needs a value" ;;
    esac
    case $1 in
    -m | --minutes) minutes=$2 ;;
    -t | --threads) threads_list=$2 ;;
    -k | --kernels) kernels_list=$2 ;;
    --python) pythons+=(--python "$(realpath -s -- "$2")") ;;
    -o | --out) out=$(realpath -m -- "$2") ;;
    *) usage_error "'$1' is no option" ;;
    esac
    shift 2
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || usage_error "--minutes takes a number, not '$minutes'"
if [[ -z $threads_list ]]; then
    for ((n = 1; n < cpus; n *= 2)); do threads_list+="$n "; done
    threads_list+=$cpus
fi
demand_numbers --threads "$threads_list"

cd "$here/.." || exit 1
export LC_ALL=C
trainer=${TRAINER:-build/release/trainer}
[[ -x $trainer ]] || ./quickstart.sh build || fail "$trainer cannot be built"
stem=$(cpu_name | tr -cs '[:alnum:]' - | sed 's/-$//')
[[ -n $out ]] || out=$PWD/runs/one_machine/${stem:-cpu}-$(date +%Y%m%d-%H%M).json
mkdir -p "$(dirname "$out")" || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

deadline=$(awk -v now="$(date +%s)" -v m="$minutes" 'BEGIN { printf "%d", now + 60 * m }')
left() { echo $((deadline - $(date +%s))); }

# ---- the machine ----

has_flag() { grep -qwE "$1" <(sed -n '/^flags\|^Features/{p;q}' /proc/cpuinfo); }

# text VALUE: as a JSON string
text() {
    local value=${1//\\/\\\\}
    value=${value//\"/\\\"}
    printf '"%s"' "${value//[[:cntrl:]]/ }"
}

# As perf/compare names it.
cpu_title() {
    awk -F': *' '
        { sub(/[ \t]+$/, "", $1) }
        !($1 in value) { value[$1] = $2 }
        END {
            if (!("model name" in value)) exit 1
            printf "%s", value["model name"]
            if ("cpu family" in value)
                printf " (family %s, model %s)", value["cpu family"], value["model"]
        }' /proc/cpuinfo || uname -m
}

caches() {
    local index comma=
    for index in /sys/devices/system/cpu/cpu0/cache/index*; do
        [[ -r $index/size && $(<"$index/type") != Instruction ]] || continue
        printf '%s%s: %s' "$comma" "$(text "L$(<"$index/level")")" "$(text "$(<"$index/size")")"
        comma=', '
    done
}

machine() {
    local flag flags='' governor=/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor
    for flag in avx2 fma avx512f avx512_bf16 amx_bf16 asimd hypervisor; do
        ! has_flag "$flag" || flags+="${flags:+, }$(text "$flag")"
    done
    printf '{"cpu": %s, "cpus": %d, "flags": [%s], "caches": {%s}, "memory_gb": %s, ' \
        "$(text "$(cpu_title)")" "$cpus" "$flags" "$(caches)" \
        "$(awk '/^MemTotal/ { printf "%.1f", $2 * 1.024e-6 }' /proc/meminfo)"
    printf '"governor": %s, "kernel": %s, "system": %s}' \
        "$(text "$(cat $governor 2>/dev/null)")" "$(text "$(uname -r)")" \
        "$(text "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null)")"
}

load() { cut -d' ' -f1 /proc/loadavg; }

# ---- what to run ----

left_out=() # JSON members
leave_out() { # NAME WHY
    printf 'one_machine.sh: left out: %s: %s\n' "$1" "$2"
    left_out+=("$(text "$1"): $(text "$2")")
}

# The kernels that this program knows. One older than the key has oneDNN's alone, without the key.
kernels=()
has_key=
for word in $kernels_list; do
    if why=$("$trainer" check -c configs/mnist.ini --set "engine.kernels=$word" 2>&1); then
        kernels+=("$word")
        has_key=yes
    elif [[ $word == onednn ]]; then
        kernels+=("$word")
    else
        leave_out "trainer-$word" "$(head -n 1 <<<"$why")"
    fi
done
((${#kernels[@]} > 0)) || fail "none of these kernels is known: $kernels_list"

most=${threads_list% }
most=${most##* }
plan=() # JOB CONFIG BATCH KERNELS PRECISION ISA THREADS
add() { plan+=("$*"); }
for n in $threads_list; do # kernels that are to be compared follow each other
    for word in "${kernels[@]}"; do add mnist configs/mnist.ini 128 "$word" float32 auto "$n"; done
done
if has_flag 'avx512_bf16|amx_bf16'; then
    for n in $threads_list; do
        for word in "${kernels[@]}"; do
            [[ $word != onednn ]] || add mnist configs/mnist.ini 128 "$word" bfloat16 auto "$n"
        done
    done
else
    leave_out bfloat16 "this CPU has neither AVX512_BF16 nor AMX"
fi
for word in "${kernels[@]}"; do
    add resnet20 configs/resnet20.ini 128 "$word" float32 auto "$most"
    add vgg perf/wide_normalized.ini 128 "$word" float32 auto "$most"
done
# 128 images are 16 micro-batches: work for 16 threads and no more.
for n in $threads_list; do
    ((most > 8)) || continue
    for word in "${kernels[@]}"; do add mnist configs/mnist.ini 2048 "$word" float32 auto "$n"; done
done
if has_flag avx512f; then
    add mnist configs/mnist.ini 128 "${kernels[0]}" float32 avx2 1
    add mnist configs/mnist.ini 128 "${kernels[0]}" float32 avx2 "$most"
fi

# ---- running ----

# bench JOB CONFIG BATCH KERNELS PRECISION ISA THREADS: adds a run to the JSON's list
runs=0
bench() {
    local options=(-c "$2" --threads "$7" --set "fit.batch_size=$3" --set "engine.isa=$6")
    local name="$1, batch $3, $4, $5, isa $6, threads $7"
    [[ -z $has_key ]] || options+=(--set "engine.kernels=$4")
    [[ $5 == float32 ]] || options+=(--set "engine.precision=$5")
    local limit=$(($(left) - reserve)) status=0
    ((limit > 0)) || limit=0.01 # which is too short for any
    timeout "$limit" "$trainer" bench --alone --json --seconds "$seconds" "${options[@]}" \
        >"$scratch/bench" 2>"$scratch/err" || status=$?
    if ((status == 124)); then
        leave_out "$name" "time was up"
        return
    elif ((status != 0)); then
        leave_out "$name" "$(grep -v ': note:\|: slow:' "$scratch/err" | head -n 1)"
        return
    fi
    ((runs++ == 0)) || printf ',\n' >>"$scratch/runs"
    {
        printf '{"job": "%s", "batch": %d, "kernels": "%s", "precision": "%s", ' "$1" "$3" "$4" "$5"
        printf '"isa": "%s", "threads": %d, "bench": ' "$6" "$7"
        cat "$scratch/bench"
        printf '}'
    } >>"$scratch/runs"
    printf '%4d s left  %-60s %s images/s\n' "$(left)" "$name" "$(awk '
        /"images_per_s": \{/ { found = 1 }
        found && /"median"/ { gsub(/[^0-9.]/, ""); printf "%.0f", $0; exit }' "$scratch/bench")"
}

# The peers that are there, as words for perf/compare; empty: none.
find_peers() {
    local python
    for python in "${pythons[@]}" build/peers/bin/python python3; do
        [[ $python != --python ]] || continue
        for module in torch keras jax; do
            "$python" -c "import sys, importlib.util as u; sys.exit(not u.find_spec('$module'))" \
                2>/dev/null && return 0
        done
    done
    return 1
}

before=$(load)
if awk -v load="$before" 'BEGIN { exit !(load > 0.5) }'; then
    echo "one_machine.sh: load $before: something else runs here; its figures are worth little"
fi
reserve=0
if ! command -v python3 >/dev/null; then
    leave_out peers "there is no Python 3"
elif ! find_peers; then
    leave_out peers "no Python has PyTorch, Keras or JAX; perf/compare --install brings them"
else
    reserve=$(awk -v m="$minutes" 'BEGIN { printf "%d", 60 * m * 0.4 }')
fi

seconds=$(awk -v left="$(($(left) - reserve))" -v n="${#plan[@]}" 'BEGIN {
    s = (left / n - 1) / 1.1 # it starts, and warms up
    printf "%.2f", (s < 0.3 ? 0.3 : (s > 4 ? 4 : s)) }')
echo "one_machine.sh: ${#plan[@]} runs of about $seconds s on $(cpu_title)"
: >"$scratch/runs"
for run in "${plan[@]}"; do
    # shellcheck disable=SC2086 # seven words
    bench $run
done
((runs > 0)) || fail "nothing could be run"

compare=null
if ((reserve > 0)); then
    threads=$((most < cpus ? most : cpus))
    if ((threads > 1)); then threads="$threads 1"; fi
    # Those that are prepared in seconds; torch.compile and JAX want minutes.
    timeout --foreground -k 20 "$(left)" python3 perf/compare -j mnist -b 128 -m train \
        -t "$threads" -k "${kernels[*]}" -n 5 --seconds 0.5 "${pythons[@]}" \
        -p torch-plain,torch-tuned,torch-bf16,keras-tensorflow \
        -o "$scratch/compare.json"
    if [[ -s $scratch/compare.json ]]; then
        compare=$(<"$scratch/compare.json")
    else
        leave_out peers "the comparison did not end in time"
    fi
fi

# ---- the result ----

# first KEY: its text in the first run
first() {
    awk -v key="\"$1\":" '$1 == key { sub(/^[^:]*: "/, ""); sub(/",?$/, ""); print; exit }' \
        "$scratch/runs"
}

members=$(printf ', %s' "${left_out[@]}")
{
    printf '{"kind": "one_machine", "format": 1, "date": "%s", "commit": %s,\n' \
        "$(date +%Y-%m-%dT%H:%M)" "$(text "$(git rev-parse --short HEAD 2>/dev/null)")"
    printf '"machine": %s,\n' "$(machine)"
    printf '"load_before": %s, "load_after": %s, "jemalloc": false, "versions": {},\n' \
        "$before" "$(load)"
    printf '"trainer": {"trainer": %s, "dnn": %s, "isa": %s},\n' \
        "$(text "$(first trainer)")" "$(text "$(first dnn)")" "$(text "$(first isa)")"
    printf '"left_out": {%s},\n"runs": [\n%s\n],\n"compare": %s}\n' \
        "${members#, }" "$(<"$scratch/runs")" "$compare"
} >"$out.tmp" || fail "$out.tmp cannot be written"
mv "$out.tmp" "$out" || exit 1

picture=${out%.json}.svg
if command -v python3 >/dev/null && python3 perf/report.py "$out" >"${out%.json}.md"; then
    printf '\nPlease send these two files:\n  %s\n  %s\n' "$out" "$picture"
    printf 'and look at %s for the tables.\n' "${out%.json}.md"
else
    printf '\nPlease send this file (the picture can be made of it anywhere):\n  %s\n' "$out"
fi
cat <<'END'
They hold the CPU's name and caches, the size of the memory, versions of system and kernel, and
what was measured; no name of a user, host or folder. Say whether the machine was otherwise idle,
and what cooling and power it has where that is unusual.
END
