#!/usr/bin/env bash
# style.sh -- rules of CONTRIBUTING.md that a compiler does not see. Prints what breaks them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bad=0

# refuse REASON PATTERN FILE...: no line of the files may match
refuse() {
    local reason=$1 pattern=$2
    shift 2
    if grep -nE "$pattern" "$@" | grep -vE '^[^:]*:[0-9]+: *(\*|/\*)'; then
        printf '    ^ %s\n' "$reason"
        bad=1
    fi
}

mapfile -t library < <(find src -name '*.c' -o -name '*.h' | grep -v '^src/cli/' | sort)
mapfile -t all < <(find src include -name '*.c' -o -name '*.h' | sort)

refuse 'memory comes from base/mem.h' '(^|[^_[:alnum:]])(malloc|calloc|realloc|strdup) *\(' \
    $(printf '%s\n' "${library[@]}" | grep -v '^src/base/mem\.c$')
refuse 'only cli/ prints and exits' '(^|[^_[:alnum:]])(printf|puts|putchar|exit|abort|perror) *\(' \
    "${library[@]}"
refuse 'numbers are read through a table of keys' '(^|[^_[:alnum:]])(atoi|atol|atof) *\(' "${all[@]}"
refuse 'OpenMP belongs to engine/' '# *pragma omp' \
    $(printf '%s\n' "${library[@]}" | grep -v '^src/engine/')
refuse 'dnnl.h belongs to dnn/' 'include.*dnnl' \
    $(printf '%s\n' "${all[@]}" | grep -v '^src/dnn/')
mapfile -t trained < <(printf '%s\n' "${library[@]}" |
    grep -E '^src/(kernels|data|optimizers|losses|metrics|layers|model|engine)/.*\.c$')
refuse 'C libraries differ in the last bits of these: base/elementary_math.h' \
    '(^|[^_[:alnum:]])(exp|exp2|expm1|log|log1p|log2|log10|pow|sin|cos|tanh|erf)[fl]? *\(' \
    "${trained[@]}"
for file in "${all[@]}"; do
    [[ $(head -c 2 "$file") == '/*' ]] || {
        printf '%s\n    ^ a file begins with its reason\n' "$file"
        bad=1
    }
done
exit "$bad"
