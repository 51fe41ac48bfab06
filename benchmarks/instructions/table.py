#!/usr/bin/env python3
# benchmarks/instructions/table.py - which instructions a fork, an await and a spawned child are made of.
# SPDX-License-Identifier: MIT
"""Builds benchmarks/instructions with each preset, runs it under valgrind with two sizes, and prints the difference for
each operation: instructions by the file they were written in, wherever the compiler has inlined them. A fork is
one of a tree of them, with the two tasks that it makes.
"""
import argparse
import collections
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ["fork", "await", "spawn"]
SIZES = (2000, 12000)


def build(preset):
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["cmake", "--preset", preset, "-D", "TASKSCOPE_BUILD_BENCHMARKS=ON"], cwd=ROOT, **quiet)
    subprocess.run(["cmake", "--build", "--preset", preset, "--target", "instructions"], cwd=ROOT, **quiet)
    return ROOT / "build" / preset / "benchmarks" / "instructions"


def count(binary, operation, n):
    """Instructions by object and address."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["valgrind", "--tool=callgrind", "-q", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no",
             f"--callgrind-out-file={out.name}", binary, operation, str(n)], check=True, stderr=subprocess.DEVNULL)
        found = collections.Counter()
        target = ""
        inclusive = False  # the line after calls= has the cost of the callee
        for line in Path(out.name).read_text().splitlines():
            if line.startswith("ob="):
                target = line[3:]
            elif line.startswith("calls="):
                inclusive = True
            elif m := re.match(r"(0x[0-9a-f]+) \S+ (\d+)$", line):
                if not inclusive:
                    found[target, m[1]] += int(m[2])
                inclusive = False
        return found


def functions(binary, addresses):
    """For each address the innermost function of ours that was inlined there, else its own, as (file, name)."""
    done = subprocess.run(["addr2line", "-a", "-f", "-i", "-C", "-e", binary], input="\n".join(addresses),
                          capture_output=True, text=True, check=True)
    found = {}
    for block in re.split(r"^(?=0x)", done.stdout, flags=re.MULTILINE)[1:]:
        address, *lines = block.splitlines()
        frames = [(Path(file.split(":")[0]), name) for name, file in zip(lines[::2], lines[1::2])]
        file, name = next((f for f in frames if f[0].is_relative_to(ROOT)), frames[-1])
        found[f"{int(address, 16):#x}"] = (file.name, short(name))
    return found


def short(name):
    """deque::push of taskscope::detail::deque::push(taskscope::detail::job*)."""
    name = re.sub(r"operator\(\)", "call", name).replace("operator bool", "operator_bool")
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    name = name.replace("(anonymous namespace)::", "").split("(")[0].split(" ")[-1]
    return "::".join(name.split("::")[-2:])


def breakdown(binary, operation, by_function):
    """Instructions for each operation, by file, or by function."""
    few, many = (count(binary, operation, n) for n in SIZES)
    more = {key: (many[key] - few[key]) / (SIZES[1] - SIZES[0]) for key in many}
    names = functions(binary, sorted({a for o, a in more if Path(o) == binary}))
    parts = collections.Counter()
    for (target, address), n in more.items():
        if Path(target) == binary:
            file, name = names[f"{int(address, 16):#x}"]
            parts[f"`{name}` in {file}" if by_function else f"`{file}`"] += n
        else:
            parts[Path(target).name] += n
    return parts


def show(operation, presets, tables, least):
    print(f"\n| instructions of one {operation} | " + " | ".join(presets) + " |")
    print("|---|" + "---|" * len(presets))
    print("| all | " + " | ".join(f"{round(sum(t.values()))}" for t in tables) + " |")
    keys = sorted({k for t in tables for k in t}, key=lambda k: -max(t[k] for t in tables))
    shown = [k for k in keys if max(t[k] for t in tables) >= least]
    for key in shown:
        print(f"| {key} | " + " | ".join(f"{round(t[key])}" for t in tables) + " |")
    rest = [sum(n for k, n in t.items() if k not in shown) for t in tables]
    print("| others | " + " | ".join(f"{round(n)}" for n in rest) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", type=lambda t: t.split(","), default=["gcc-release", "clang-release"])
    parser.add_argument("--functions", action="store_true", help="by function, not by file")
    parser.add_argument("--least", type=float, default=2.0, metavar="N", help="parts with fewer are added up; default 2")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("table.py: there is no valgrind; on Debian: apt install valgrind")
    binaries = [build(p) for p in options.presets]
    for operation in OPERATIONS:
        show(operation, options.presets, [breakdown(b, operation, options.functions) for b in binaries],
             options.least)


if __name__ == "__main__":
    main()
