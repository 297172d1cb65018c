#!/usr/bin/env bash
# run.sh [SECONDS [JOBS [TARGET...]]] -- builds the fuzz targets and runs each so long (30 s), JOBS
# of them at a time (2). Prints how many inputs each has tried; fails where one was found that
# breaks a rule: it lies in build/fuzz/found/<target>-..., and build/fuzz/<target> FILE
# shows it again.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
readonly seconds=${1:-30} jobs=${2:-2} build=build/fuzz

cmake --preset fuzz >/dev/null && cmake --build --preset fuzz || exit 1
python3 tests/fuzz/seeds.py $build/seeds || exit 1
mkdir -p $build/found $build/logs

# fuzz TARGET: the corpus of earlier runs is gone on with; what is in it was fine.
fuzz() {
    local target=$1
    mkdir -p "$build/corpus/$target"
    # A hang is more than any limit of a child; HDF5's own leaks are not ours.
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=$([[ $target == fuzz_@(h5_*|csv) ]]; echo $?) \
        LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 \
        "$build/$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 \
        -max_len=16384 -print_final_stats=1 -artifact_prefix="$build/found/$target-" \
        "$build/corpus/$target" "$build/seeds/$target" >"$build/logs/$target" 2>&1
    local code=$?
    printf '%-20s %9s inputs%s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/logs/$target")" \
        "$( ((code == 0)) || printf ', FAILED:')"
    if ((code != 0)); then grep -v '^#' "$build/logs/$target" | tail -n 40; fi
    return $code
}
export -f fuzz
export build seconds

if (($# > 2)); then
    targets=("${@:3}")
else
    mapfile -t targets < <(cd tests/fuzz && printf '%s\n' fuzz_*.c | sed 's/\.c$//')
fi
printf '%s\n' "${targets[@]}" | xargs -n 1 -P "$jobs" bash -c 'fuzz "$0"' || exit 1
(cd $build/logs && cat "${targets[@]}") | sed -n 's/^stat::number_of_executed_units: *//p' |
    awk '{ n += $1 } END { print n " inputs in '"${#targets[@]}"' targets" }' |
    tee "${CI_NOTE:-/dev/null}"
