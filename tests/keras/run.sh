#!/usr/bin/env bash
# tests/keras/run.sh [TRAINER] -- our files in real Kerases, theirs in ours: the newest Keras, Keras 3.3, Keras 2.15, tf_keras.
#
# Each has a virtual environment in $TRAINER_KERAS_ENVS (build/keras), made from PyPI once and kept; a removed one is made anew. One
# that cannot be made here is skipped and says why: PyPI is not reached, or TensorFlow has no wheel for this Python (2.15: 3.9 to 3.11).
# Ends with a table and "N passed, N failed"; exit code 77 where there is no Keras at all.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

readonly trainer=$(realpath "${1:-build/release/trainer}") here=$PWD/tests/keras/real
envs=${TRAINER_KERAS_ENVS:-build/keras}
mkdir -p "$envs" build/keras-work
envs=$(realpath "$envs")
readonly envs work=$PWD/build/keras-work
note() { [[ -z ${CI_NOTE:-} ]] || printf '%s' "$1" >"$CI_NOTE"; }

# python_of FIRST LAST: a Python 3 whose minor version lies between
python_of() {
    local candidate
    for candidate in python3 /usr/bin/python3 python3.{9..13}; do
        if "$candidate" -c "import sys, venv; sys.exit(not $1 <= sys.version_info[1] <= $2)" 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

# environment NAME FIRST LAST PACKAGE...: is there, or made
environment() {
    local name=$1 python
    if [[ -f $envs/$name/ready ]]; then return 0; fi
    python=$(python_of "$2" "$3") || { echo "skipped: $name: needs Python 3.$2 to 3.$3"; return 1; }
    shift 3
    rm -rf "${envs:?}/$name"
    if "$python" -m venv "$envs/$name" && timeout 400 "$envs/$name/bin/pip" install --quiet --disable-pip-version-check "$@" &&
        touch "$envs/$name/ready"; then
        return 0
    fi
    echo "skipped: $name: $* cannot be installed here"
    return 1
}

# tf_keras asks for the package `tensorflow`; tensorflow-cpu is the same, smaller.
tf_keras() {
    environment tf_keras 10 13 tensorflow-cpu || return 1
    local release
    release=$("$envs/tf_keras/bin/pip" list 2>/dev/null | sed -n 's/^tensorflow.cpu *\([0-9]*\.[0-9]*\)\..*/\1/p')
    "$envs/tf_keras/bin/pip" list 2>/dev/null | grep -q '^tf.keras ' ||
        "$envs/tf_keras/bin/pip" install --quiet --disable-pip-version-check --no-deps "tf_keras==$release.*" ||
        { echo "skipped: tf_keras: cannot be installed here"; return 1; }
}

kerases=()
environment newest 11 13 keras tensorflow-cpu && kerases+=(newest)
environment keras3.3 9 12 keras==3.3.3 'tensorflow-cpu==2.17.*' && kerases+=(keras3.3)
environment keras2.15 9 11 'tensorflow-cpu==2.15.*' && kerases+=(keras2.15)
tf_keras && kerases+=(tf_keras)
if ((${#kerases[@]} == 0)); then
    note "no Keras can be installed here"
    exit 77
fi

rm -rf "$work"
mkdir -p "$work"
cd "$here" || exit 1
export PYTHONDONTWRITEBYTECODE=1 TF_CPP_MIN_LOG_LEVEL=3
"$envs/${kerases[0]}/bin/python" -c 'import sys, networks; networks.make(*sys.argv[1:])' "$work" "$trainer" || exit 1

# Two at a time, each started once.
results=()
for name in "${kerases[@]}"; do
    results+=("$work/$name.txt")
    while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
    timeout 900 "$envs/$name/bin/python" check.py "$trainer" "$work" >"$work/$name.txt" 2>"$work/$name.log" &
done
wait
for name in "${kerases[@]}"; do
    tail -n 1 "$work/$name.txt" | grep '^keras ' ||
        printf 'FAILED\t-\t-\tended early: %s\n' "$(tail -n 1 "$work/$name.log")" >>"$work/$name.txt"
done
"$envs/${kerases[0]}/bin/python" table.py "${results[@]}" | tee "$work/table.txt"
code=${PIPESTATUS[0]}
note "$(tail -n 1 "$work/table.txt")"
exit "$code"
