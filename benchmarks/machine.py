# benchmarks/machine.py - what a result has to say about where it comes from.
# SPDX-License-Identifier: MIT
import json
import os
import platform
import re
import subprocess
import time


def first_line(*command, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return done.stdout.splitlines()[0] if done.stdout else ""


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return names[0] if names else platform.processor()


def compiler_and_flags(build):
    """As the harness was compiled, without paths and warnings; nothing if all programs come from elsewhere."""
    database = build / "compile_commands.json"
    if not database.exists():
        return "", ""
    commands = json.loads(database.read_text())
    command = next(c["command"] for c in commands if c["file"].endswith("harness/bench.cpp"))
    words = command.split()
    flags = [w for w in words if re.match(r"-(O|D|m|f|std=|g)", w)]
    compiler = next(w for w in words if re.search(r"(g\+\+|clang\+\+)(-\d+)?$", w))
    return first_line(compiler, "--version"), " ".join(flags)


def context(root, build, quick):
    compiler, flags = compiler_and_flags(build)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": first_line("git", "describe", "--always", "--dirty", folder=root),
        "compiler": compiler,
        "flags": flags,
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "quick": quick,
    }
