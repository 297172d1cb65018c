"""table.py FILE... -- the checks of each Keras (check.py's lines, a file each) as a table: a row per network, a column per Kind of Keras."""
import os
import sys

columns = [os.path.splitext(os.path.basename(path))[0] for path in sys.argv[1:]]
cells, failures, passed = {}, [], 0
for column, path in zip(columns, sys.argv[1:]):
    with open(path) as f:
        for line in f:
            parts = line.rstrip("\n").split("\t")
            if len(parts) < 4:
                continue
            good = parts[0] == "ok"
            passed += good
            if not good:
                failures.append("%s: %s" % (column, "  ".join(parts)))
            row = cells.setdefault(parts[1], {}).setdefault(column, {})
            row[parts[2]] = row.get(parts[2], True) and good
print("%-12s" % "network", *("%-34s" % column for column in columns))
for network, row in cells.items():
    shown = [" ".join(("" if good else "NOT ") + file for file, good in row.get(column, {}).items()) for column in columns]
    print("%-12s" % network, *("%-34s" % text for text in shown))
print(*failures, sep="\n")
print("%d passed, %d failed" % (passed, len(failures)))
sys.exit(1 if failures or not passed else 0)
