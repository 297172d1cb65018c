#!/usr/bin/env python3
"""report.py -- tables and a picture of what perf/compare or perf/one_machine.sh measured.

    perf/report.py FILE.json               tables to stdout, the picture into FILE.svg
    perf/report.py FILE.json --results     FILE and its picture go to perf/results/ under the CPU's
                                           name, and the tables of all that lies there into
                                           perf/RESULTS.md, between its two marks

Needs Python alone. Nothing is drawn or written that is not in the files.
"""

import argparse
import glob
import json
import os
import re
import shutil
import statistics

import chart

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "RESULTS.md")
BEGIN = "<!-- perf/report.py --results writes from here -->"
END = "<!-- to here -->"


# ---- figures ----


def number(value):
    return f"{value:,.0f}"


def spread_percent(samples):
    """Half of what lies between the smallest and the largest."""
    return 50 * (max(samples) - min(samples)) / statistics.median(samples)


def ratios(ours, theirs):
    """Of neighbouring samples: median, smallest, largest."""
    all_ratios = [a / b for a, b in zip(ours, theirs)]
    return statistics.median(all_ratios), min(all_ratios), max(all_ratios)


def is_ours(name):
    return name.startswith("trainer")


def precision(name):
    return "bf16" if name.endswith("bf16") else "float32"


def fastest_of_ours(samples, like):
    own = {name: one for name, one in samples.items()
           if is_ours(name) and precision(name) == precision(like)}
    return max(own, key=lambda name: statistics.median(own[name])) if own else None


# ---- Markdown ----


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def cell(case, name):
    samples = case["samples"].get(name)
    if not samples:
        return "left out" if name in case["failures"] else ""
    median, ours = statistics.median(samples), fastest_of_ours(case["samples"], name)
    text = f"{number(median)} ±{spread_percent(samples):.0f} %"
    if is_ours(name):
        return f"**{text}**" if name == ours else text
    if ours is None:
        return text
    middle, low, high = ratios(case["samples"][ours], samples)
    return f"{text}; {middle:.2f} x ({low:.2f} to {high:.2f})"


def where(report):
    at, trainer = report["machine"], report["trainer"]
    caches = ", ".join(f"{level} {size}" for level, size in at["caches"].items())
    return (f"{at['cpu']}, {at['cpus']} CPUs, {caches}, {at['memory_gb']:.0f} GB,"
            f" {at['system'] or 'an unnamed system'}; trainer {trainer['trainer']} at"
            f" {report['commit'] or '?'}, {trainer['dnn']}, {trainer['isa']}")


def conditions(report):
    peers = ", ".join(f"{name} {text}" for name, text in report["versions"].items())
    text = (f"{report['date'][:10]}; {peers or 'no peers'};"
            f" load before {report['load_before']:.1f}, after {report['load_after']:.1f};"
            f" {'jemalloc for PyTorch' if report['jemalloc'] else 'no jemalloc'}.")
    if report["load_before"] > 0.5:
        text += " **Something else ran: believe no figure.**"
    return text


def left_out(report):
    said = [f"- left out: `{name}`: {why}" for name, why in report["left_out"].items()]
    for case in report["cases"]:
        place = f"{case['job']}, {case['mode']}, batch {case['batch']}, threads {case['threads']}"
        said += [f"- left out: `{name}` at {place}: {why}"
                 for name, why in case["failures"].items()]
    return "\n".join(said)


def grouped(cases, *names):
    groups = {}
    for case in cases:
        groups.setdefault(tuple(case[name] for name in names), []).append(case)
    return groups


def compare_tables(report):
    parts = [conditions(report), ""]
    for (mode, threads), cases in grouped(report["cases"], "mode", "threads").items():
        word = {"train": "Training", "evaluate": "Evaluation"}[mode]
        names = [name for name in report["entrants"]
                 if any(name in case["samples"] for case in cases)]
        rows = [[case["job"], str(case["batch"]), *(cell(case, name) for name in names)]
                for case in cases]
        parts += [f"**{word}, threads: {threads}**\n", table(["job", "batch", *names], rows)]
    return "\n".join(parts + [left_out(report)])


def bar_rows(case):
    return [(name, statistics.median(one), min(one), max(one))
            for name, one in case["samples"].items()]


def compare_picture(report):
    sheet = chart.Sheet()
    threads = max((case["threads"] for case in report["cases"]), default=0)
    batches = sorted({case["batch"] for case in report["cases"]})
    batch = 128 if 128 in batches else batches[len(batches) // 2] if batches else 0
    sheet.heading(report["machine"]["cpu"],
                  f"images/s, threads: {threads}, batch {batch}; bars are medians of"
                  f" {report['rounds']}, lines their spread",
                  f"{report['trainer']['dnn']}, {report['trainer']['isa']}; {report['date'][:10]}")
    panels = []
    for (job,), cases in grouped(report["cases"], "job").items():
        for case in cases:
            if (case["threads"], case["batch"]) == (threads, batch):
                panels.append((f"{job}, {case['mode']}", bar_rows(case)))
    chart.bar_grid(sheet, panels)
    return sheet.svg()


# ---- what one_machine.sh measured ----


def run_name(run):
    kind = run["kernels"] + ("" if run["precision"] == "float32" else "-bf16")
    return f"trainer-{kind}" + ("" if run["isa"] == "auto" else f", {run['isa']}")


def series(runs, value, **which):
    found = {}
    for run in runs:
        if all(run[key] == wanted for key, wanted in which.items()):
            found.setdefault(run_name(run), {})[run["threads"]] = value(run["bench"])
    return found


def peaks(runs):
    """The highest of each number of threads, whatever ran beside it."""
    found = {}
    for run in runs:
        name = run["precision"] + ("" if run["isa"] == "auto" else f", {run['isa']}")
        points, peak = found.setdefault(name, {}), run["bench"]["peak_gflops"]["max"]
        points[run["threads"]] = max(points.get(run["threads"], 0), peak)
    return {name: points for name, points in found.items() if any(points.values())}


def speed(bench):
    return bench["images_per_s"]["median"]


def speed_spread(bench):
    return 50 * (bench["images_per_s"]["max"] - bench["images_per_s"]["min"]) / speed(bench)


def one_machine_tables(report):
    rows = []
    for run in report["runs"]:
        bench = run["bench"]
        gflops = 1e-3 * bench["flops_per_step"] / bench["step_us"] if bench["step_us"] else 0
        peak = bench["peak_gflops"]["max"]
        rows.append([
            run["job"], str(run["batch"]), run_name(run), str(run["threads"]),
            f"{number(speed(bench))} ±{speed_spread(bench):.0f} %",
            number(bench["evaluate_images_per_s"]["median"]),
            f"{peak:,.0f}", f"{100 * gflops / peak:.0f} %" if peak else ""])
    parts = [conditions(report), "", table(
        ["job", "batch", "kernels", "threads", "training, images/s", "evaluation, images/s",
         "peak, GFLOP/s", "share of it"], rows)]
    if report.get("compare"):
        parts.append(compare_tables(report["compare"]))
    return "\n".join(parts + [left_out(report | {"cases": []})])


def one_machine_picture(report):
    sheet = chart.Sheet()
    sheet.heading(report["machine"]["cpu"],
                  f"{report['machine']['cpus']} CPUs; {report['trainer']['dnn']};"
                  f" {report['date'][:10]}; dashed: as many times as fast as there are threads")
    for (job, batch) in dict.fromkeys((run["job"], run["batch"]) for run in report["runs"]):
        found = series(report["runs"], speed, job=job, batch=batch)
        if any(len(points) > 1 for points in found.values()):
            chart.lines(sheet, f"{job}, batch {batch}, training", found, "images/s")
    chart.lines(sheet, "multiply-add peak, measured beside it", peaks(report["runs"]), "GFLOP/s")
    if report.get("compare"):
        cases = report["compare"]["cases"]
        titles = [f"{case['job']}, {case['mode']}, batch {case['batch']},"
                  f" threads {case['threads']}" for case in cases]
        chart.bar_grid(sheet, list(zip(titles, map(bar_rows, cases))))
    return sheet.svg()


KINDS = {"compare": (compare_tables, compare_picture),
         "one_machine": (one_machine_tables, one_machine_picture)}


# ---- files ----


def read(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    if report.get("kind") not in KINDS or report.get("format") != 1:
        raise SystemExit(f"report.py: {path} is not of perf/compare or perf/one_machine.sh")
    return report


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def result_name(report):
    at = report["machine"]
    words = (at["cpu"], f"{at['cpus']} cpus", report["trainer"]["dnn"], report["kind"])
    return re.sub(r"[^a-z0-9.]+", "-", " ".join(words).lower()).strip("-")


def section(path):
    report = read(path)
    name = os.path.basename(path).removesuffix(".json")
    title = report["machine"]["cpu"] + ", " + report["trainer"]["dnn"]
    return (f"### {title}\n\n{where(report)}\n\n![{title}](results/{name}.svg)\n\n"
            f"All samples: [results/{name}.json](results/{name}.json)."
            f" {KINDS[report['kind']][0](report)}\n")


def add_to_results(path, report):
    folder = os.path.join(HERE, "results")
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, result_name(report))
    if os.path.abspath(path) != base + ".json":
        shutil.copyfile(path, base + ".json")
    write(base + ".svg", KINDS[report["kind"]][1](report))
    with open(RESULTS, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    sections = [section(one) for one in sorted(glob.glob(os.path.join(folder, "*.json")))]
    write(RESULTS, before + BEGIN + "\n\n" + "\n".join(sections) + "\n" + END + after)


def main():
    parser = argparse.ArgumentParser(description="tables and a picture of a measurement")
    parser.add_argument("file")
    parser.add_argument("--results", action="store_true", help="into perf/RESULTS.md")
    given = parser.parse_args()
    report = read(given.file)
    if given.results:
        add_to_results(given.file, report)
        return
    write(given.file.removesuffix(".json") + ".svg", KINDS[report["kind"]][1](report))
    print(where(report) + "\n\n" + KINDS[report["kind"]][0](report))


if __name__ == "__main__":
    main()
