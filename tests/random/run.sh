#!/usr/bin/env bash
# tests/random/run.sh [SECONDS [SEEDS]] -- random trainings against Keras, see differ.py; with the newest Keras that tests/keras/run.sh has made.
#
# SEEDS: 1-1000000, the first of which are tried for a minute. Exit code 77 where there is no Keras. What was tried stays in build/random.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
readonly python=${TRAINER_KERAS_ENVS:-build/keras}/newest/bin/python

if [[ ! -x $python ]]; then
    echo "skipped: there is no $python; tests/keras/run.sh makes it"
    exit 77
fi
rm -rf build/random
mkdir -p build/random
PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore TF_CPP_MIN_LOG_LEVEL=3 exec "$python" tests/random/differ.py build/release/trainer \
    build/release/tests/random_threads build/random --seconds "${1:-60}" --seeds "${2:-1-1000000}" 2>build/random/log
