#!/usr/bin/env bash
# compilers.sh [COMPILER...] -- kernels = portable: the same digests from gcc and clang (or those named), with -O1 and with -O3.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
(($# > 0)) || set -- gcc clang
mkdir -p build/portable
bad=0
for compiler; do
    for level in -O1 -O3; do
        build=build/portable/$compiler$level
        echo "==> $compiler $level"
        if ! { cmake --preset release -B "$build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS_RELEASE="$level" &&
            cmake --build "$build" --target portable_digests; } >"$build.log" 2>&1; then
            tail -20 "$build.log"
            bad=1
        else
            tests/portable/digests.sh --threads 2 "$PWD/$build/tests/portable_digests" || bad=1
        fi
    done
done
exit "$bad"
