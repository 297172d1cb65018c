#!/usr/bin/env bash
# fetch_fashion_mnist.sh -- makes data/fashion_mnist.h5, the dataset of configs/fashion_mnist.ini.
#
#     data/fetch_fashion_mnist.sh [--force] [FOLDER-WITH-IDX-FILES]
#
# Takes the four IDX files from the folder given, else from where Debian's package
# dataset-fashion-mnist puts them. The program is build/release/trainer, or $TRAINER.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly out=$root/data/fashion_mnist.h5
readonly trainer=${TRAINER:-$root/build/release/trainer}
readonly debian=/usr/share/datasets/fashion-mnist

say() { printf '%s\n' "fetch_fashion_mnist: $*" >&2; }

fail() {
    say "$1"
    shift
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

force=no
folder=
for argument in "$@"; do
    case $argument in
    --force) force=yes ;;
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) fail "unknown option $argument" 'usage: data/fetch_fashion_mnist.sh [--force] [FOLDER]' ;;
    *)
        [[ -z $folder ]] || fail 'more than one folder given' \
            'usage: data/fetch_fashion_mnist.sh [--force] [FOLDER]'
        folder=$argument
        ;;
    esac
done

if [[ ! -x $trainer ]]; then
    fail "the program $trainer is not there; build it first, or name another with TRAINER=..." \
        'cmake --preset release && cmake --build --preset release'
fi

# `convert` writes the file whole or not at all, so one that is there is good.
if [[ -s $out && $force == no ]]; then
    say "data/fashion_mnist.h5 is there already; --force makes it anew"
    exit 0
fi

if [[ -z $folder ]]; then
    folder=$debian
    [[ -d $folder ]] || fail "$folder is not there" \
        'apt-get install dataset-fashion-mnist' \
        'or, with the four IDX files (plain or .gz) in a folder of your own:' \
        'data/fetch_fashion_mnist.sh FOLDER'
fi
[[ -d $folder ]] || fail "$folder is not a folder"

"$trainer" convert idx "$folder" "$out" || fail "data/fashion_mnist.h5 could not be written"
say "data/fashion_mnist.h5 is ready: build/release/trainer -c configs/fashion_mnist.ini"
