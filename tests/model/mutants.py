#!/usr/bin/env python3
# tests/model/mutants.py - breaks the production sources in one place at a time; the models must notice.
# SPDX-License-Identifier: MIT
"""Patches a copy of the rooms so that each mutant can be switched on at run time, and runs the models on each.

  mutants.py --patch <folder>                  writes the copy; tests/model/CMakeLists.txt builds it
  mutants.py --run <program> [--only <text>]   runs the models built from it, prints a table
  mutants.py --list                            what there is

There is a mutant for each memory order stronger than relaxed, found by reading the sources: acquire and
release become relaxed; acq_rel loses either half; seq_cst becomes what it would be without the single order.
There is one for each lock, too, in the files of LOCKS: it is not taken. mutants.txt adds the others: a re-check that
is left out, a touch of what may be gone. It also says why a mutant stays that nothing can notice: `! <name> | <reason>`.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("executor", "scope", "sync")
FOLDERS = tuple(f"{room}/{part}" for room in ROOMS for part in ("include", "src"))
# No concurrency of its own.
LEFT_OUT = ("executor/src/worker_count.cpp",)

# Whose mutexes are part of a protocol that has models.
LOCKS = (
    "executor/include/taskscope/result_promise.hpp",
    "executor/src/async_event.cpp",
    "executor/src/blocking_threads.cpp",
    "executor/src/deadline.cpp",
    "executor/src/idle.cpp",
    "executor/src/injection_queue.hpp",
    "executor/src/stop_token.cpp",
    "executor/src/timer_queue.cpp",
    "scope/include/taskscope/start.hpp",
    "scope/src/admission.cpp",
    "scope/src/child_registry.cpp",
    "scope/src/child_registry.hpp",
    "scope/src/deferred.cpp",
    "scope/src/members.cpp",
    "scope/src/scope_state.cpp",
    "scope/src/start.cpp",
    "sync/include/taskscope/channel.hpp",
    "sync/src/async_condition.cpp",
    "sync/src/async_mutex.cpp",
)
LOCK = re.compile(
    r"const std::(?:lock_guard|unique_lock) (?P<name>\w+)(?:\{| = patiently\()(?P<mutex>[^{}();,]+)[})];"
)
FUNCTION = re.compile(
    r"(?P<name>[\w~]+)\((?:[^;{}()]|\([^()]*\))*\)(?: const)?(?: noexcept)?"
    r"(?:\s*:(?:[^;{}]|\{[^{}]*\})*?)? \{"
)

CALL = re.compile(
    r"(?:\.|->)(?P<what>load|store|exchange|fetch_(?:add|sub|and|or|xor)|compare_exchange_(?:weak|strong))\s*\("
    r"|\b(?P<fence>std::atomic_(?:thread|signal)_fence)\s*\("
)
ORDER = re.compile(r"std::memory_order_(acquire|release|acq_rel|seq_cst)\b")

# Which models are likely to notice, by a word of the mutant's name: run first.
FIRST = {
    "admission": "AdmissionModel.*",
    "deadline.": "DeadlineModel.*",
    "portal": "PortalModel.*",
    "task_bridge": "PortalModel.*",
    "result_promise": "BridgeModel.*",
    "locals": "BridgeModel.*",
    "await_trace": "AwaitModel.*",
    "start.": "StartModel.*",
    "spawn_verbs": "StartModel.*",
    "says that it has ended": "PortalModel.ACall*",
    "spawn_future": "ScopeModel.AHandle*",
    "needs()": "ScopeModel.OfTwoDependencies*",
    "deferred": "ScopeModel.ADeferred*:ScopeModel.AJoinBegins*",
    "child_registry": "RegistryModel.*",
    "stack_job": "ParallelModel.*",
    "join_block": "JoinModel.*",
    "sync/": "SyncModel.*",
    "timer_queue": "WaitModel.*:DeadlineModel.*",
    "places in the registry": "RegistryModel.*:PortalModel.*",
    "through a portal asks": "PortalModel.*",
    "members.cpp": "MembersModel.*:ScopeModel.*",
    "observer": "ObserverModel.*",
    "watcher.cpp": "WatcherModel.*",
    "idle.cpp: io.load": "SleepModel.WhoeverInterrupts*",
    "idle.io": "SleepModel.AReactor*",
    "reactor": "SleepModel.AReactor*",
    "exiting_": "SleepModel.WorkThatIs*:SleepModel.AShutdown*",
    "the end wakes": "SleepModel.AShutdown*",
    "for the end": "SleepModel.AShutdown*",
    "the end and": "SleepModel.AShutdown*",
    "end was seen": "SleepModel.WorkThatIs*",
    "timer": "SleepModel.ATimer*:SleepModel.TheDriver*:WaitModel.*",
    "driver": "SleepModel.TheDriver*",
    "does not search again": "SleepModel.TwoInjected*",
    "searcher": "SleepModel.APushAnd*:SleepModel.TwoInjected*:SleepModel.TwoPushes*",
    "end of a search": "SleepModel.APushAnd*:SleepModel.TwoInjected*:SleepModel.TwoPushes*",
    "deque.hpp": "DequeModel.*",
    "blocking_threads": "WaitModel.*",
    "run_blocking": "WaitModel.*",
    "injection": "InjectionModel.*",
    "what was taken": "InjectionModel.*",
    "idle": "SleepModel.*",
    "worker": "SleepModel.*",
    "barrier": "SleepModel.*",
    "stop_token": "StopModel.*",
    "suspension": "WaitModel.*",
    "async_event": "WaitModel.*",
    "sleep.hpp": "WaitModel.*",
    "promise": "JoinModel.*",
    "scope/": "ScopeModel.*",
    "executor.cpp": "ExecutorModel.*:SleepModel.*:InjectionModel.*",
}


class Mutant:
    def __init__(self, name, path, line, begin, end, text, first):
        self.name, self.path, self.line = name, path, line
        self.begin, self.end, self.text, self.first = begin, end, text, first
        self.number = 0


def blank_comments(text):
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def closing(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    raise ValueError("unbalanced parentheses")


def beginning(code, end):
    """Where the object expression that ends at `end` begins."""
    i = end
    while i > 0:
        c = code[i - 1]
        if c in ")]":
            depth, i = 1, i - 1
            while depth:
                i -= 1
                depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(code[i], 0)
        elif c.isalnum() or c in "_.:" or (c == ">" and code[i - 2] == "-"):
            i -= 2 if c == ">" else 1
        else:
            break
    return i


def weaker(what, order):
    if order == "acq_rel":
        return ("acquire", "release")
    if order != "seq_cst":
        return ("relaxed",)
    return {"load": ("acquire",), "store": ("release",)}.get(what, ("acq_rel",))


def first_models(name):
    return next((models for word, models in FIRST.items() if word in name), "*")


def order_mutants(path, text):
    code = blank_comments(text)
    names = {}
    for m in CALL.finditer(code):
        end = closing(code, m.end() - 1) + 1
        begin = m.start() if m.group("fence") else beginning(code, m.start())
        # The first order counts: that of a failed compare_exchange is not stronger than relaxed here.
        order = ORDER.search(code, m.end(), end)
        if order is None or code.count("(", begin, end) > 12:
            continue
        depth = code.count("(", m.end(), order.start()) - code.count(")", m.end(), order.start())
        if depth != 0:
            continue  # of a call among the arguments
        what = m.group("what") or m.group("fence")
        for to in weaker(what, order.group(1)):
            head = " ".join(text[begin : m.end() - 1].split())
            name = f"{path}: {head} {order.group(1)} -> {to}"
            if "signal_fence" in what:
                name = f"{path}: {head} left out"
            names[name] = names.get(name, 0) + 1
            if names[name] > 1:
                name += f" #{names[name]}"
            changed = text[begin : order.start()] + f"std::memory_order_{to}" + text[order.end() : end]
            if "signal_fence" in what:
                changed = "static_cast<void>(0)"
            yield Mutant(name, path, code.count("\n", 0, begin) + 1, begin, end, changed, first_models(name))


def lock_mutants(path, text):
    code = blank_comments(text)
    functions = [m for m in FUNCTION.finditer(code) if m.group("name") not in ("if", "for", "while", "switch")]
    names = {}
    for m in LOCK.finditer(code):
        function = [f.group("name") for f in functions if f.start() < m.start()][-1]
        name = f"{path}: no lock in {function}()"
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name += f" #{names[name]}"
        lock, mutex = m.group("name", "mutex")
        changed = f"std::unique_lock {lock}{{{mutex}, std::defer_lock}}; if (!MUTANT) {lock}.lock();"
        line = code.count("\n", 0, m.start()) + 1
        yield Mutant(name, path, line, m.start(), m.end(), changed, first_models(name))


def listed(texts):
    """Mutants and excuses of mutants.txt."""
    mutants, excuses = [], {}
    entry = None
    for line in (ROOT / "tests/model/mutants.txt").read_text(encoding="utf-8").split("\n") + ["@"]:
        if line.startswith("#"):
            continue
        if line.startswith("!"):
            name, _, reason = line[1:].partition(" | ")
            excuses[name.strip()] = reason.strip()
        elif line.startswith("@"):
            if entry:
                mutants.append(listed_mutant(entry, texts))
            entry = [line[1:].strip(), [], []]
        elif line.startswith("< "):
            entry[1].append(line[2:])
        elif line.startswith("> "):
            entry[2].append(line[2:])
    return mutants, excuses


def listed_mutant(entry, texts):
    path, _, title = entry[0].partition(" | ")
    old, new = "\n".join(entry[1]), "\n".join(entry[2])
    text = texts[path]
    # Indentation does not matter.
    before, marked, after = re.fullmatch(r"(.*)«(.*)»(.*)", old, re.DOTALL).groups()

    def pattern(part):
        return r"\s+".join(re.escape(w) for w in part.split())

    gap = [r"\s*" if s[:1].isspace() or s[-1:].isspace() else "" for s in (before, after)]
    found = list(re.finditer(f"{pattern(before)}{gap[0]}({pattern(marked)}){gap[1]}{pattern(after)}", text))
    if len(found) != 1:
        sys.exit(f"mutants.txt: {path} | {title}: found {len(found)} times")
    begin, end = found[0].span(1)
    name = f"{path}: {title}"
    return Mutant(name, path, text.count("\n", 0, begin) + 1, begin, end, new, first_models(name))


def read():
    texts = {}
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.[ch]pp")):
            path = file.relative_to(ROOT).as_posix()
            if path not in LEFT_OUT:
                texts[path] = file.read_text(encoding="utf-8")
    mutants = [m for path, text in texts.items() for m in order_mutants(path, text)]
    mutants += [m for path, text in texts.items() if path in LOCKS for m in lock_mutants(path, text)]
    more, excuses = listed(texts)
    mutants += more
    for m in mutants:
        m.number = zlib.crc32(m.name.encode()) % 1_000_000  # stays when others come and go
    for name in excuses.keys() - {m.name for m in mutants}:
        sys.exit(f"mutants.txt: no mutant {name}")
    return texts, mutants, excuses


def patched(text, mutants):
    """`text` with every mutant in it, each behind its switch."""
    spans = {}
    for m in mutants:
        spans.setdefault((m.begin, m.end), []).append(m)
    end = None
    for begin, stop in sorted(spans, reverse=True):
        if end is not None and stop > end:
            sys.exit(f"mutants overlap: {spans[begin, stop][0].name}")
        end = begin
        original = text[begin:stop]
        for m in spans[begin, stop]:
            switch = f"::model::is_mutant({m.number})"
            if "MUTANT" in m.text:
                if original != text[begin:stop]:
                    sys.exit(f"mutants overlap: {m.name}")
                original = m.text.replace("MUTANT", switch)
            else:
                original = f"({switch} ? {m.text} : {original})"
        text = text[:begin] + original + text[stop:]
    include = "#include <model/checker/mutant.hpp>\n"
    if "#pragma once" in text:
        return text.replace("#pragma once\n", "#pragma once\n" + include, 1)
    return text.replace("#include", include + "#include", 1)


def write_copy(folder):
    texts, mutants, _ = read()
    for path, text in texts.items():
        mine = [m for m in mutants if m.path == path]
        new = patched(text, mine) if mine else text
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != new:
            file.write_text(new, encoding="utf-8")


def run_models(program, models, mutant, seconds):
    environment = dict(os.environ, TASKSCOPE_MUTANT=str(mutant))
    command = [program, "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={models}"]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return "time-out"
    if done.returncode == 0:
        return None
    failed = re.search(r"\[  FAILED  \] (\w+\.\w+)", done.stdout)
    if not failed:  # the checker itself never ends like this: what is mutated has
        return f"a crash: signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    why = re.search(r"Failure\nFailed\n(.*)", done.stdout)
    return f"{failed.group(1)}: {why.group(1)[:60] if why else ''}"


def try_mutant(program, mutant, seconds, all_models):
    verdict = run_models(program, mutant.first, mutant.number, seconds)
    if verdict is None and mutant.first != "*" and all_models:
        verdict = run_models(program, f"*:-{mutant.first}", mutant.number, seconds)
    return verdict


def run(program, only, jobs, seconds, sample, all_models):
    _, mutants, excuses = read()
    chosen = [m for m in mutants if only in m.name][::sample]
    started = time.monotonic()
    survived = stays = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        # A mutant that nobody notices costs all models; the excused are run with the likely ones.
        verdicts = pool.map(
            lambda m: try_mutant(program, m, seconds, all_models and m.name not in excuses), chosen
        )
        for m, verdict in zip(chosen, verdicts):
            if verdict is not None and verdict != "time-out":
                state = "killed  " if m.name not in excuses else "KILLED but excused"
                survived += m.name in excuses
            elif m.name in excuses:
                state, verdict = "stays   ", excuses[m.name]
                stays += 1
            else:
                state = "SURVIVED"
                survived += 1
            print(f"{m.number:6}  {state}  {m.name}  (line {m.line})\n{'':18}{verdict or ''}", flush=True)
    killed = len(chosen) - survived - stays
    print(f"killed: {killed}, survived: {survived}, stay with a reason: {stays} ", end="")
    print(f"({time.monotonic() - started:.0f} s)")
    return 1 if survived else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--patch", type=Path)
    parser.add_argument("--run")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int, default=1, help="every n-th mutant")
    parser.add_argument("--likely", action="store_true", help="only the models named after the mutant's file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=int, default=600, help="for the models on one mutant")
    a = parser.parse_args()
    if a.patch:
        write_copy(a.patch)
    if a.list:
        for m in read()[1]:
            print(f"{m.number:6}  {m.name}  (line {m.line})")
    return run(a.run, a.only, a.jobs, a.seconds, a.sample, not a.likely) if a.run else 0


if __name__ == "__main__":
    sys.exit(main())
