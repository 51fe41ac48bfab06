#!/usr/bin/env python3
# tests/toolchain/run_probes.py - compiles and runs the probes, and compares with verdicts.txt.
# SPDX-License-Identifier: MIT
"""Fails for each probe that is better or worse than its row, and says what to write instead.

Exit status 0: all as written. 1: some are not. 77: verdicts.txt has no column for this compiler;
then the verdicts are printed, to start one.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import re
import resource
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "verdicts.txt"
LEVELS = ["-O0", "-O2"]
SKIPPED = 77  # what ctest is told means "skipped"
COMPILE_SECONDS = 300
RUN_SECONDS = 20
MEMORY_BYTES = 2 << 30  # a miscompiled recursion may not end; it must not take the machine with it
STACK_BYTES = 8 << 20  # the usual: a probe that needs more is wrong, also where there is more

Probe = collections.namedtuple("Probe", "program name")


def column_of(compiler):
    """The compiler's column in the table, such as g++-12 or clang-19."""
    macros = subprocess.run(
        [compiler, "-x", "c++", "-dM", "-E", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    defined = dict(re.findall(r"^#define (\w+) (.*)$", macros, re.MULTILINE))
    if "__clang__" in defined:
        return "clang-" + defined["__clang_major__"]
    return "g++-" + defined["__GNUC__"]


def read_table():
    """Returns the columns and, for each probe, its line number and a dict column -> verdict."""
    columns, rows = None, {}
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if columns is None:
            columns = words[1:]
            continue
        if len(words) != len(columns) + 1 or "/" not in words[0]:
            sys.exit(f"{TABLE}:{number}: expected program/probe and {len(columns)} verdicts")
        rows[Probe(*words[0].split("/", 1))] = (number, dict(zip(columns, words[1:])))
    return columns, rows


def at_level(cell, level):
    """A cell is one verdict, or two for -O0 and -O2: `ok|wrong`."""
    verdicts = cell.split("|")
    return verdicts[LEVELS.index(level) if len(verdicts) > 1 else 0]


def limit_compiler():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_probe():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def limit_memory():
    limit_probe()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(command, seconds, limit):
    """Returns exit status and output; the status is None after a time-out."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            preexec_fn=limit,
            errors="replace",
            text=True,
        )
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return None, f"no end after {seconds} s"


def first_line_with(pattern, text):
    match = re.search(rf"^.*(?:{pattern}).*$", text, re.MULTILINE | re.IGNORECASE)
    return match.group(0).strip() if match else ""


def probes_in(source):
    names = re.findall(r"^PROBE\((\w+),", source.read_text(), re.MULTILINE)
    return [Probe(source.stem, name) for name in names]


def failed_build(source, output):
    if re.search(r"internal compiler error|PLEASE submit a bug report|Stack dump:", output):
        verdict, why = "ice", first_line_with("internal compiler error|Stack dump:", output)
    else:
        verdict, why = "does-not-compile", first_line_with("error", output)
    return {probe: (verdict, why) for probe in probes_in(source)}


def randomised_too_much():
    """Older ThreadSanitizers do not find room in an address space shuffled by more than 28 bits."""
    try:
        return int(pathlib.Path("/proc/sys/vm/mmap_rnd_bits").read_text()) > 28
    except (OSError, ValueError):
        return False


def try_program(source, compiler, level, directory):
    """Returns probe -> (verdict, why) for all probes of one source file."""
    flags = re.findall(r"^// flags: (.*)$", source.read_text(), re.MULTILINE)
    flags = flags[0].split() if flags else []
    cache = ["ccache"] if shutil.which("ccache") else []
    binary, object_file = directory / source.stem, directory / (source.stem + ".o")
    common = ["-std=c++20", level, "-w", *flags]

    status, output = run(
        [*cache, compiler, *common, "-c", str(source), "-o", str(object_file)],
        COMPILE_SECONDS,
        limit_compiler,
    )
    if status != 0:
        return failed_build(source, output)
    status, output = run(
        [compiler, *common, str(object_file), "-o", str(binary)], COMPILE_SECONDS, limit_compiler
    )
    if status != 0:
        sys.exit(f"cannot link {source.name}: {output}")

    start, limit = [str(binary)], limit_memory
    if "-fsanitize=thread" in flags:
        limit = limit_probe  # its shadow takes terabytes of addresses
        if randomised_too_much() and shutil.which("setarch"):
            start = ["setarch", "-R", *start]
    verdicts = {}
    for probe in probes_in(source):
        status, output = run([*start, probe.name], RUN_SECONDS, limit)
        why = " ".join(output.split())[:160] or f"exit status {status}"
        verdicts[probe] = ("ok", "") if status == 0 else ("wrong", why)
    return verdicts


def try_all(compiler, level, directory, jobs):
    # The long files first, so that no job is left alone with one at the end.
    sources = sorted(HERE.glob("*.cpp"), key=lambda source: -source.stat().st_size)
    directory.mkdir(parents=True, exist_ok=True)
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for verdicts in pool.map(lambda s: try_program(s, compiler, level, directory), sources):
            results.update(verdicts)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--opt", choices=LEVELS, default=LEVELS[0])
    parser.add_argument("--jobs", type=int, default=2)
    arguments = sys.argv[1:]
    if "--opt" in arguments[:-1]:  # argparse takes a following -O2 for an option of its own
        i = arguments.index("--opt")
        arguments[i : i + 2] = ["--opt=" + arguments[i + 1]]
    options = parser.parse_args(arguments)

    column = column_of(options.compiler)
    columns, rows = read_table()
    directory = options.build_dir / (column + options.opt)
    results = try_all(options.compiler, options.opt, directory, options.jobs)

    if column not in columns:
        for probe, (verdict, _) in sorted(results.items()):
            print(f"{probe.program}/{probe.name} {verdict}")
        print(f"no column {column} in verdicts.txt: above is what one would say at {options.opt}")
        return SKIPPED

    complaints = 0
    for probe in sorted(results.keys() | rows.keys()):
        name = f"{probe.program}/{probe.name}"
        if probe not in results:
            print(f"verdicts.txt:{rows[probe][0]}: {name} has a row, but no PROBE: remove the row")
        elif probe not in rows:
            verdict = results[probe][0]
            print(f"verdicts.txt: {name} has no row: add one, with {verdict} for {column}")
        else:
            number, cells = rows[probe]
            before, (now, why) = at_level(cells[column], options.opt), results[probe]
            if before == now:
                continue
            change = "better" if now == "ok" else "worse" if before == "ok" else "different"
            print(
                f"verdicts.txt:{number}: {name} got {change} with {column} {options.opt}: "
                f"change its row from {before} to {now}" + (f"\n    {why}" if why else "")
            )
        complaints += 1

    print(f"{column} {options.opt}: {len(results)} probes, {complaints} not as verdicts.txt says")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
