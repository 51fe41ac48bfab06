#!/usr/bin/env python3
# benchmarks/run.py - runs the contenders of each workload in turn and compares them.
# SPDX-License-Identifier: MIT
"""usage: ./dev bench [--quick] [--threads 1,2] [--only NAME] [--rounds N] [--json FILE]

Contenders of a workload take turns (A B C, A B C, ...), one process per run, so that a busy machine disturbs
all of them alike. Read the ratios, not the seconds. A wrong answer ends the run with status 1.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARIES = ROOT / "build" / "gcc-release" / "benchmarks"
SINGLE_THREADED = {"serial", "floor"}


def numbers(text):
    try:
        values = [int(t) for t in text.split(",")]
    except ValueError:
        values = [0]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers from 1, such as 1,2")
    return values


def contenders(only):
    found = {}
    for binary in sorted(BINARIES.glob("bench_*_*")):
        _, workload, contender = binary.name.split("_", 2)
        if only in (None, workload):
            found.setdefault(workload, {})[contender] = binary
    return found


def run_once(binary, threads, quick):
    command = [str(binary), "--threads", str(threads)] + (["--quick"] if quick else [])
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"run.py: {binary.name} failed with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def context():
    def first_line(*command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        return done.stdout.splitlines()[0] if done.stdout else ""

    cpu = [l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")]
    return {
        "commit": first_line("git", "rev-parse", "--short", "HEAD"),
        "compiler": first_line("g++", "--version"),
        "build": "Release (CMake preset gcc-release)",
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
    }


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n\n")[1])
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--threads", type=numbers, default=[1, 2], metavar="LIST", help="default 1,2")
    parser.add_argument("--only", metavar="NAME", help="one workload")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    parser.add_argument("--json", metavar="FILE", help="write all results there")
    options = parser.parse_args()
    found = contenders(options.only)
    if not found:
        sys.exit(f"run.py: no workload '{options.only}'; there are: {', '.join(contenders(None)) or 'none'}")

    results = []
    for workload, binaries in found.items():
        for threads in options.threads:
            names = [c for c in binaries if threads == 1 or c not in SINGLE_THREADED]
            runs = {c: [] for c in names}
            for r in range(options.rounds):
                for c in names:
                    print(f"\r{workload}, {threads} threads: round {r + 1}/{options.rounds}, {c}".ljust(70),
                          end="", file=sys.stderr, flush=True)
                    runs[c].append(run_once(binaries[c], threads, options.quick))
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)
            rows = []
            for c in names:
                seconds = sorted(r["seconds"] for r in runs[c])
                median = statistics.median(seconds)
                rows.append({
                    "workload": workload, "contender": c, "threads": threads, "median_s": median,
                    "min_s": seconds[0], "max_s": seconds[-1],
                    "ns_per_op": statistics.median(r["ns_per_op"] for r in runs[c]),
                    "cpu_s": statistics.median(r["cpu_s"] for r in runs[c]),
                    "peak_rss_kib": max(r["peak_rss_kib"] for r in runs[c]), "ok": all(r["ok"] for r in runs[c]),
                })
            best = min(row["median_s"] for row in rows)
            print(f"\n{workload}, {threads} thread{'s' if threads > 1 else ''}")
            print(f"  {'contender':12} {'median s':>9} {'min':>8} {'max':>8} {'ns/op':>8} {'cpu s':>8} "
                  f"{'MiB':>8} {'x best':>7}")
            for row in sorted(rows, key=lambda r: r["median_s"]):
                print(f"  {row['contender']:12} {row['median_s']:9.4f} {row['min_s']:8.4f} {row['max_s']:8.4f} "
                      f"{row['ns_per_op']:8.2f} {row['cpu_s']:8.3f} {row['peak_rss_kib'] / 1024:8.1f} "
                      f"{row['median_s'] / best:7.2f}")
            results += rows
    if options.json:
        Path(options.json).write_text(json.dumps({"context": context(), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nrun.py: interrupted")
