# benchmarks/plot.py - results as charts: one SVG per workload or series, and one of how they scale.
# SPDX-License-Identifier: MIT
import math
import re

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "taskscope"  # the same results give the same file
import matplotlib.pyplot as pyplot  # noqa: E402

OURS = "taskscope"
COLORS = ["tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:pink", "tab:olive", "tab:cyan", "black"]


def by(rows, key):
    groups = {}
    for r in rows:
        groups.setdefault(r[key], []).append(r)
    return groups


def save(figure, folder, name):
    figure.savefig(folder / f"{name.replace('/', '-')}.svg", metadata={"Date": None})
    pyplot.close(figure)


def comparison(workload, rows, folder):
    """A bar per contender, a group per number of threads; the whiskers are the fastest and the slowest run."""
    groups = by(rows, "threads")
    figure, axes = pyplot.subplots(
        len(groups), 1, squeeze=False, figsize=(7, 0.8 + sum(0.6 + 0.3 * len(g) for g in groups.values())),
        gridspec_kw={"height_ratios": [len(g) for g in groups.values()]}, layout="constrained")
    for axis, (threads, group) in zip(axes[:, 0], sorted(groups.items())):
        group.sort(key=lambda r: -r["median_s"])
        names = [r["contender"] for r in group]
        axis.barh(
            names, [r["median_s"] for r in group],
            xerr=[[r["median_s"] - r["min_s"] for r in group], [r["max_s"] - r["median_s"] for r in group]],
            color=["tab:red" if n == OURS else "tab:gray" for n in names])
        axis.set_title(f"{workload}, threads: {threads}", loc="left", fontsize=10)
        axis.set_xlim(left=0)
    axes[-1, 0].set_xlabel("seconds: median, fastest, slowest")
    save(figure, folder, workload)


def scaling(workloads, folder):
    """How much faster than with the fewest threads; a straight line is as good as it gets."""
    columns = 3
    others = sorted({r["contender"] for rows in workloads.values() for r in rows} - {OURS})
    colors = {OURS: "tab:red"} | {c: COLORS[i % len(COLORS)] for i, c in enumerate(others)}
    rows_of_axes = -(-(len(workloads) + 1) // columns)  # the last place has the legend
    figure, axes = pyplot.subplots(
        rows_of_axes, columns, squeeze=False, figsize=(10, 0.5 + 2.6 * rows_of_axes), layout="constrained")
    for axis in axes.flat[len(workloads):]:
        axis.axis("off")
    for axis, (workload, rows) in zip(axes.flat, workloads.items()):
        for contender, line in by(rows, "contender").items():
            line.sort(key=lambda r: r["threads"])
            if len(line) > 1:
                axis.plot([r["threads"] for r in line], [line[0]["median_s"] / r["median_s"] for r in line],
                          marker="o", label=contender, color=colors[contender], linewidth=2.5 if contender == OURS else 1)
        threads = sorted({r["threads"] for r in rows})
        axis.plot(threads, [t / threads[0] for t in threads], color="lightgray", linestyle="--", zorder=0)
        axis.set_title(workload, fontsize=10)
        axis.set_xticks(threads)
        axis.set_ylim(bottom=0)
    lines = {line.get_label(): line for axis in axes.flat for line in axis.get_lines() if line.get_label() in colors}
    axes[-1, -1].legend(lines.values(), lines.keys(), loc="center", ncols=2, fontsize=8)
    figure.supxlabel("threads")
    figure.supylabel("times faster")
    save(figure, folder, "scaling")


def series(name, points, folder):
    """What an operation costs, dashed in CPU time, and the peak of memory, over what grows; a line per contender and number
    of threads."""
    figure, (time, memory) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 6), layout="constrained")
    own_threads = all(r["threads"] == x for x, rows in points for r in rows)  # threads are what grows
    lines = {}
    for x, rows in points:
        for r in rows:
            label = r["contender"] if own_threads else f"{r['contender']}, threads: {r['threads']}"
            lines.setdefault(label, []).append((x, r))
    for number, (label, line) in enumerate(sorted(lines.items())):
        look = {"marker": "o", "label": label, "color": COLORS[number % len(COLORS)],
                "linewidth": 2.5 if label.split(",")[0] == OURS else 1}
        time.plot([x for x, _ in line], [r["ns_per_op"] for _, r in line], **look)
        time.plot([x for x, _ in line], [r["ns_per_op"] * r["cpu_s"] / r["median_s"] for _, r in line],
                  linestyle="--", linewidth=0.8, color=look["color"])
        memory.plot([x for x, _ in line], [r["peak_rss_kib"] / 1024 for _, r in line], **look)
    time.set_title(name, loc="left", fontsize=10)
    time.set_ylabel("ns per operation (dashed: CPU)")
    memory.set_ylabel("peak MiB")
    memory.set_xlabel(name.rsplit("_", 1)[-1])
    memory.set_xscale("log", base=2 if own_threads else 10)
    for axis in (time, memory):
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        axis.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))  # a flat line looks flat
        axis.grid(which="major", color="lightgray", linewidth=0.5)
    time.legend(fontsize=8)
    save(figure, folder, name)


def draw(report, folder):
    folder.mkdir(parents=True, exist_ok=True)
    workloads = by(report["results"], "workload")
    points = {}  # of each series: a workload that ends in a number is one
    for workload in list(workloads):
        if m := re.fullmatch(r"(.+)/(\d+)", workload):
            points.setdefault(m[1], []).append((int(m[2]), workloads.pop(workload)))
    for name, found in points.items():
        series(name, sorted(found, key=lambda point: point[0]), folder)
    for workload, rows in workloads.items():
        comparison(workload, rows, folder)
    scalable = {w: rows for w, rows in workloads.items() if len({r["threads"] for r in rows}) > 1}
    if scalable:
        scaling(scalable, folder)
    print(f"\ncharts: {folder}")
