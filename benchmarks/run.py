#!/usr/bin/env python3
# benchmarks/run.py - runs the contenders of each workload in turn and compares them.
# SPDX-License-Identifier: MIT
"""Runs the contenders of each workload in turn (A B C, A B C, ...), one process per run, so that a busy machine
disturbs all of them alike, and compares them. Read the ratios, not the seconds. A wrong answer ends the run with
status 1.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import machine
import tables

ROOT = Path(__file__).resolve().parent.parent
SINGLE_THREADED = {"serial", "floor"}
TIME_LIMIT = 900  # seconds for one run; who needs more hangs
LONG_ROUND = 30  # seconds; beyond, three rounds have to do


class Case:
    """One workload, or one variant of it, with so many threads; and who takes part."""

    def __init__(self, workload, variant, threads):
        self.workload = workload
        self.variant = variant
        self.threads = threads
        self.binaries = {}

    @property
    def name(self):
        return f"{self.workload}/{self.variant}" if self.variant else self.workload

    def run(self, contender, quick):
        command = [str(self.binaries[contender]), "--threads", str(self.threads)]
        command += ["--variant", self.variant] if self.variant else []
        command += ["--quick"] if quick else []
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            sys.exit(f"run.py: {' '.join(command)}: not done after {TIME_LIMIT} seconds")
        if done.returncode != 0:
            sys.exit(f"run.py: {' '.join(command)} failed with {done.returncode}: {done.stdout}{done.stderr}")
        for line in done.stdout.splitlines():
            sample = json.loads(line)
            if not sample["ok"]:
                sys.exit(f"run.py: {' '.join(command)}: wrong answer")
            part = sample.get("part")
            yield f"{self.name}/{part}" if part else self.name, sample.get("contender", contender), sample


def variants(binary, quick):
    """Name and fixed number of threads (0: any) of each variant; one without a name if there are none."""
    done = subprocess.run([str(binary), *(["--quick"] if quick else []), "--variants"], capture_output=True, text=True, check=True)
    found = [line.split() for line in done.stdout.splitlines()]
    return [(name, int(threads)) for name, threads in found] or [("", 0)]


def find_cases(folders, only, contenders, thread_counts, quick):
    """In the order of the names; a folder given later wins."""
    cases = {}
    for binary in sorted(b for folder in folders for b in folder.glob("bench_*_*")):
        _, workload, contender = binary.name.split("_", 2)
        if contenders and contender not in contenders:
            continue
        for variant, fixed in variants(binary, quick):
            for threads in [fixed] if fixed else thread_counts:
                case = cases.setdefault((workload, variant, threads), Case(workload, variant, threads))
                if threads == 1 or contender not in SINGLE_THREADED:
                    case.binaries[contender] = binary
    chosen = [c for c in cases.values() if c.binaries and (only is None or f"{c.name}/".startswith(f"{only}/"))]
    if not chosen:
        names = sorted({c.workload for c in cases.values() if c.binaries})
        sys.exit(f"run.py: no workload '{only}'; there are: {', '.join(names) or 'none'}")
    return sorted(chosen, key=lambda c: (c.workload, c.variant, c.threads))


def run_case(case, rounds, quick, say):
    """The samples of each part and contender: {(name, contender): [sample, ...]}."""
    samples = {}
    done = 0
    while done < rounds:
        start = time.monotonic()
        for contender in case.binaries:
            say(f"{case.name}, {tables.threads(case.threads)}: round {done + 1}/{rounds}, {contender}")
            for name, who, sample in case.run(contender, quick):
                samples.setdefault((name, who), []).append(sample)
        done += 1
        if time.monotonic() - start > LONG_ROUND:
            rounds = min(rounds, 3)
    return samples


def summary(name, contender, threads, samples):
    seconds = sorted(s["seconds"] for s in samples)
    return {
        "workload": name,
        "contender": contender,
        "threads": threads,
        "median_s": statistics.median(seconds),
        "min_s": seconds[0],
        "max_s": seconds[-1],
        "ns_per_op": statistics.median(s["ns_per_op"] for s in samples),
        "cpu_s": statistics.median(s["cpu_s"] for s in samples),
        "peak_rss_kib": max(s["peak_rss_kib"] for s in samples),
        "ok": all(s["ok"] for s in samples),
    }


def notes(samples):
    return {key: statistics.median(s["notes"][key] for s in samples) for key in samples[0]["notes"]}


def numbers(text):
    try:
        values = [int(t) for t in text.split(",")]
    except ValueError:
        values = [0]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers from 1, such as 1,2")
    return values


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--threads", type=numbers, default=[1, 2], metavar="LIST", help="default 1,2")
    parser.add_argument("--only", metavar="NAME", help="one workload (spawn), or one variant (spawn/one_task)")
    parser.add_argument("--contenders", type=lambda t: t.split(","), metavar="LIST", help="only these")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5; at most 3 if a round is long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw charts there, as SVG")
    parser.add_argument("--from", type=Path, dest="source", metavar="FILE", help="run nothing; show what --json wrote")
    parser.add_argument("--preset", default="gcc-release", metavar="NAME", help="whose build; default gcc-release")
    parser.add_argument("--with", type=Path, action="append", default=[], dest="folders", metavar="DIR",
                        help="also the programs there named bench_<workload>_<contender>")
    return parser.parse_args()


def run_all(options):
    build = ROOT / "build" / options.preset
    cases = find_cases([build / "benchmarks", *options.folders], options.only, options.contenders, options.threads,
                       options.quick)
    report = {"context": machine.context(ROOT, build, options.quick), "results": []}
    remarks = report["context"]["notes"] = []
    for number, case in enumerate(cases, 1):
        with tables.Progress(f"[{number}/{len(cases)}] ") as say:
            samples = run_case(case, options.rounds, options.quick, say)
        for (name, contender), runs in samples.items():
            report["results"].append(summary(name, contender, case.threads, runs))
            if more := notes(runs):
                remarks.append({"workload": name, "contender": contender, "threads": case.threads, **more})
        for name in dict.fromkeys(name for name, _ in samples):
            tables.show(report, name, case.threads)
    return report


def main():
    options = parse()
    if options.source:
        report = json.loads(options.source.read_text())
        for name, threads in dict.fromkeys((r["workload"], r["threads"]) for r in report["results"]):
            tables.show(report, name, threads)
    else:
        report = run_all(options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if options.plot:
        import plot  # here: it needs matplotlib

        plot.draw(report, options.plot)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nrun.py: interrupted")
