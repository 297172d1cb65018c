# shellcheck shell=bash
# lib.sh -- what the shell scripts here share. Sourced, not run.

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# The head comment of the script that calls, as its help.
usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
}

# usage_error WHAT: for a wrong command line
usage_error() {
    printf '%s: %s; --help explains\n' "${0##*/}" "$1" >&2
    exit 2
}

# demand_numbers OPTION "LIST": positive whole numbers, at least one, separated by blanks
demand_numbers() {
    [[ $2 =~ ^\ *[1-9][0-9]*(\ +[1-9][0-9]*)*\ *$ ]] ||
        usage_error "$1 takes positive whole numbers, not '$2'"
}

# The path as seen from the caller's folder, valid in any other.
absolute() {
    [[ -f $1 ]] || fail "$1 is missing"
    realpath -- "$1"
}

# last_of COLUMN,COLUMN... FILE.csv: those columns' values in the last row, separated by blanks
last_of() {
    awk -F, -v names="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        { row = $0 }
        END {
            split(row, value, ",")
            n = split(names, name, ",")
            for (i = 1; i <= n; i++) {
                if (NR < 2 || !(name[i] in column)) exit 1
                printf "%s%s", value[column[name[i]]], i < n ? " " : "\n"
            }
        }' "$2" || fail "$2 has no row, or no column of: $1"
}

# Median, smallest and largest of the numbers on stdin.
spread() {
    sort -g | awk '{ v[NR] = $1 }
        END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}

cpu_name() {
    sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
}
