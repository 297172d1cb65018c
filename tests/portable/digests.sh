#!/usr/bin/env bash
# digests.sh [--full] [--threads "1 2 ..."] [--write] PROGRAM [ARG...] -- kernels = portable: a network has one digest, whatever computes it.
#
# PROGRAM is portable_digests (digests.c) of some compiler, or an emulator with it. It trains the networks beside this script with every
# instruction set that is there, on 1, 2, 3 and 7 threads, and each must end as digests.txt says. --full is 3 epochs on 2,000 images, which
# takes minutes; without, it is a few steps. --write first puts what the first instruction set and number of threads gives into that file.
set -uo pipefail
amount=short threads="1 2 3 7" write=
while [[ ${1-} == --* ]]; do
    case $1 in
    --full) amount=full ;;
    --threads) threads=$2 && shift ;;
    --write) write=yes ;;
    *) echo "digests.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    shift
done
if [[ -e ${1-} ]]; then set -- "$(realpath "$1")" "${@:2}"; fi
(($# > 0)) || { echo 'usage: digests.sh [--full] [--threads "1 2 ..."] [--write] PROGRAM [ARG...]' >&2; exit 2; }

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
bad=0 n=0

# compare WHO LINE: with what digests.txt has of that network and amount
compare() {
    local known
    known=$(grep -F "${2% *} " digests.txt)
    n=$((n + 1))
    if [[ $2 != "$known" ]]; then
        printf '%s: %s\n    digests.txt: %s\n' "$1" "$2" "$known"
        bad=1
    fi
}

for type in $(sed -n 's/.*\.type = "\([a-z0-9_]*\)".*/\1/p' ../../src/layers/*.c); do
    grep -q "^type *= $type\$" -- *.ini || { echo "no network here has a $type"; bad=1; }
done

for isa in scalar neon avx2 avx512; do
    for t in $threads; do
        lines=$("$@" "$isa" "$t" "$amount" reference.ini residual.ini every_layer.ini shapes.ini convolutions.ini functions.ini rules.ini augmented.ini)
        code=$?
        if ((code == 77)); then
            echo "$isa: not here"
            break
        elif ((code != 0)); then
            echo "$isa, $t threads: exit code $code"
            bad=1
            continue
        fi
        if [[ $write == yes ]]; then
            write=
            { grep -vF "$(sed 's/ [^ ]*$/ /' <<<"$lines")" digests.txt; echo "$lines"; } | sort >digests.new
            mv digests.new digests.txt
        fi
        while read -r line; do compare "$isa, $t threads" "$line"; done <<<"$lines"
    done
done
echo "portable: $n trainings, $( ((bad == 0)) && echo "all as expected" || echo "NOT ALL as expected")"
exit "$bad"
