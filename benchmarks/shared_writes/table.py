#!/usr/bin/env python3
# benchmarks/shared_writes/table.py - what workers write to the same lines, for each workload and number of workers.
# SPDX-License-Identifier: MIT
"""Runs the simulated machine (benchmarks/shared_writes) once for each workload and number of workers, and prints
Markdown tables for docs/performance.md: figures for each task.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ["fork_join", "spawn", "spawn_by_all", "spawn_apart", "wake"]
TOTALS = {
    "writes": "atomic writes",
    "moved": "of these, to a line another has written last",
    "taken_back": "of these, to a line of its own another has read",
    "fetched": "reads of a line another has written since",
    "hottest_line": "all these misses on the hottest line",
    "steals": "steals",
    "wakes": "calls that wake",
    "barriers": "membarriers",
}


def row(name, values):
    print(f"| {name} | " + " | ".join(f"{v:.3f}" if v < 0.1 else f"{v:.2f}" for v in values) + " |")


def table(binary, workload, counts, places):
    runs = []
    for workers in counts:
        done = subprocess.run([binary, workload, str(workers)], capture_output=True, text=True, check=True, timeout=600)
        runs.append(json.loads(done.stdout))
    print(f"\n| `{workload}`, workers: | " + " | ".join(map(str, counts)) + " |")
    print("|---|" + "---|" * len(counts))
    for key, title in TOTALS.items():
        row(title, [r[key] for r in runs])
    names = {name for r in runs for name in r["places"]}
    most = sorted(names, key=lambda n: -max(r["places"].get(n, 0) for r in runs))
    for name in most[:places]:
        row(f"misses in `{name}`", [r["places"].get(name, 0) for r in runs])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=ROOT / "build/gcc-release/benchmarks/shared_writes")
    parser.add_argument("--workers", type=lambda t: [int(n) for n in t.split(",")], default=[2, 4, 8, 16, 32, 64])
    parser.add_argument("--only", choices=WORKLOADS)
    parser.add_argument("--places", type=int, default=5, metavar="N", help="how many places to list; default 5")
    options = parser.parse_args()
    if not options.binary.exists():
        sys.exit(f"table.py: there is no {options.binary}; build it: ninja -C build/gcc-release shared_writes")
    for workload in [options.only] if options.only else WORKLOADS:
        table(options.binary, workload, options.workers, options.places)


if __name__ == "__main__":
    main()
