#!/usr/bin/env python3
"""Prints what scikit-learn's classification_report and SciPy's Wilson interval say of a small
confusion matrix, for tests/report/test_class_shares.c and test_evaluation_files.c.

Class 2 is never said, class 3 is not there."""
from scipy.stats import binomtest
from sklearn.metrics import classification_report

CONFUSION = [[40, 3, 0, 1], [2, 25, 0, 0], [4, 1, 0, 2], [0, 0, 0, 0]]

true = [i for i, row in enumerate(CONFUSION) for n in row for _ in range(n)]
said = [j for row in CONFUSION for j, n in enumerate(row) for _ in range(n)]
report = classification_report(true, said, labels=range(4), output_dict=True, zero_division=0)
for name in ["0", "1", "2", "3", "macro avg", "weighted avg"]:
    print(name, {key: round(value, 12) for key, value in report[name].items()})
for right, n in [(65, 78), (0, 7), (7, 7), (9753, 10000)]:
    interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
    print(f"wilson {right}/{n}: {interval.low:.12f} {interval.high:.12f}")
