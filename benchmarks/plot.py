# benchmarks/plot.py - results as charts: one SVG per workload, and one of how they scale.
# SPDX-License-Identifier: MIT
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


def draw(report, folder):
    folder.mkdir(parents=True, exist_ok=True)
    workloads = by(report["results"], "workload")
    for workload, rows in workloads.items():
        comparison(workload, rows, folder)
    scalable = {w: rows for w, rows in workloads.items() if len({r["threads"] for r in rows}) > 1}
    if scalable:
        scaling(scalable, folder)
    print(f"\ncharts: {folder}")
