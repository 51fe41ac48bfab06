#!/usr/bin/env python3
# tools/check_layout.py - who may include whom, how files open, what must have a test, which links hold.
# SPDX-License-Identifier: MIT
"""Checks the rules of CONTRIBUTING.md that a script can check. Prints path:line for each violation.

  includes   rooms include rooms below; private headers stay in their src/; no `..`
  names      a public header has one owner: an install would silently overwrite the other
  opening    line 1 says what a file is, line 2 its licence
  lists      each file of a room and each test is named in its CMakeLists.txt, and exists
  tests      a public header with behaviour has tests/<room>/<name>_test.cpp
  documents  relative links and their anchors exist, numbered lists have no gap, and a fence under
             <!-- from <file> [tag] --> equals that file between // [tag] and // [/tag]
  length     a file of more than 500 lines is a warning
"""

import argparse
import re
import sys
from pathlib import Path

# Rooms from the bottom up, each with the rooms whose public headers it may include.
BELOW = {
    "executor": [],
    "sync": ["executor"],
    "scope": ["executor"],
    "combinators": ["executor", "sync", "scope"],
    "net": ["executor", "sync", "scope"],
    "bridges": ["executor"],
}
ROOMS = list(BELOW)

# The parts of executor's detail/ that are made for the rooms above. Nobody else includes a detail/ of others.
DETAIL_FOR_SCOPE = {
    "taskscope/detail/atomic.hpp",
    "taskscope/detail/await_trace.hpp",
    "taskscope/detail/barrier.hpp",
    "taskscope/detail/context.hpp",
    "taskscope/detail/contract.hpp",
    "taskscope/detail/current.hpp",
    "taskscope/detail/frame_memory.hpp",
    "taskscope/detail/frame_meter.hpp",
    "taskscope/detail/job.hpp",
    "taskscope/detail/locals.hpp",
    "taskscope/detail/promise.hpp",
    "taskscope/detail/suspension.hpp",
    "taskscope/detail/time.hpp",
    "taskscope/detail/tsan.hpp",
    "taskscope/detail/watcher.hpp",
}
DETAIL_FOR_SYNC = {  # what an awaiter is made of, and a coroutine, and a queue without a lock
    "taskscope/detail/atomic.hpp",
    "taskscope/detail/contract.hpp",
    "taskscope/detail/pause.hpp",
    "taskscope/detail/promise.hpp",
    "taskscope/detail/suspension.hpp",
}
DETAIL_FOR_NET = {  # what an awaiter is made of
    "taskscope/detail/atomic.hpp",
    "taskscope/detail/promise.hpp",
    "taskscope/detail/suspension.hpp",
}
DETAIL_FOR_BRIDGES = {  # what an awaiter is made of
    "taskscope/detail/promise.hpp",
    "taskscope/detail/suspension.hpp",
}
DETAIL_FOR_COMBINATORS = {  # nothing that runs tasks: these are written on what users see
    "taskscope/detail/atomic.hpp",
    "taskscope/detail/contract.hpp",
    "taskscope/detail/time.hpp",
}
DETAIL_FOR = {
    "sync": DETAIL_FOR_SYNC,
    "scope": DETAIL_FOR_SCOPE,
    "combinators": DETAIL_FOR_COMBINATORS,
    "net": DETAIL_FOR_NET,
    "bridges": DETAIL_FOR_BRIDGES,
}

# Libraries that a room must not know.
MAY_KNOW = {"net": "boost/", "bridges": "oneapi/"}
FOREIGN = {room: tuple({"boost/", "oneapi/"} - {MAY_KNOW.get(room)}) for room in ROOMS}

# What tests of every room may include: it is in the room that sees the others.
UMBRELLA = "taskscope/taskscope.hpp"

# Folders outside the rooms that see what users see.
PUBLIC_ONLY = ("examples", "benchmarks", "tests/package", "tests/compile_fail")

# Tests that look inside all rooms.
WHITEBOX = ("tests/model", "tests/noise", "tests/stress", "tests/support", "tests/contract", "tests/toolchain")

# Tests that are listed in a CMakeLists.txt of their own: all their files.
OWN_LISTS = ("tests/model", "tests/noise")

# Public headers without a test of their own, and why.
WITHOUT_TEST = {
    "taskscope/errors.hpp": "types only; the tests of those who throw them compare the texts",
    "taskscope/error_context.hpp": "a plain struct, filled and read in task_scope_test",
    UMBRELLA: "includes the others; tests/package compiles it",
    "taskscope/version.hpp": "three numbers; CMake reads them",
}

SKIPPED_FOLDERS = {".git", "build", "out", ".cache", "__pycache__", "node_modules"}
LONG_FILE = 500

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Checker:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.warnings = []
        self.owner = {}  # include path -> (room, file)
        files = [
            p
            for p in root.rglob("*")
            if p.is_file() and not SKIPPED_FOLDERS.intersection(p.relative_to(root).parts)
        ]
        self.files = sorted(p.relative_to(root).as_posix() for p in files)
        self.cpp = [f for f in self.files if f.endswith((".cpp", ".hpp"))]

    def report(self, file, line, message):
        self.problems.append((file, line, message))

    def lines(self, file):
        return (self.root / file).read_text(encoding="utf-8").split("\n")

    # names

    def find_owners(self):
        for file in self.cpp:
            m = re.match(rf"({'|'.join(ROOMS)})/include/(.+)", file)
            if not m:
                continue
            room, path = m.groups()
            if not path.startswith("taskscope/"):
                self.report(file, 1, "public headers live under include/taskscope/")
            if path in self.owner:
                self.report(file, 1, f"<{path}> exists in {self.owner[path][0]} too")
            else:
                self.owner[path] = (room, file)

    # includes

    def check_includes(self, file):
        room = file.split("/")[0]
        for number, line in enumerate(self.lines(file), 1):
            m = INCLUDE.match(line)
            if not m:
                continue
            bracket, path = m.groups()
            if ".." in path.split("/"):
                self.report(file, number, f"'..' in the include of {path}")
            elif bracket == '"':
                self.check_private_include(file, number, room, path)
            elif path.startswith("taskscope/"):
                self.check_public_include(file, number, room, path)
            elif path.startswith(FOREIGN.get(room, ())) and FOREIGN.get(room):
                self.report(file, number, f"{room} does not know <{path}>")

    def check_private_include(self, file, number, room, path):
        if path.startswith("taskscope/"):
            self.report(file, number, f'write <{path}>, not "{path}"')
        elif room in ROOMS:
            if not file.startswith(f"{room}/src/"):
                self.report(file, number, f'"{path}": quotes are for private headers, inside src/')
            elif f"{room}/src/{path}" not in self.files:
                self.report(file, number, f'"{path}" is not in {room}/src/')

    def check_public_include(self, file, number, room, path):
        if path not in self.owner:
            self.report(file, number, f"<{path}> is no header of any room")
            return
        owner = self.owner[path][0]
        detail = "/detail/" in path
        if room in ROOMS:
            if owner == room:
                return
            if owner not in BELOW[room]:
                self.report(file, number, f"{room} must not include <{path}>, which belongs to {owner}")
            elif detail and path not in DETAIL_FOR.get(room, ()):
                self.report(file, number, f"<{path}> is private to {owner}")
        elif file.startswith(PUBLIC_ONLY):
            if detail:
                self.report(file, number, f"<{path}>: only public headers here")
        elif file.startswith("tests/") and not file.startswith(WHITEBOX):
            tested = file.split("/")[1]
            if tested in BELOW and owner not in [tested, *BELOW[tested]] and path != UMBRELLA:
                self.report(file, number, f"tests of {tested} must not include <{path}> of {owner}")

    # opening

    def check_opening(self, file):
        lines = self.lines(file)
        m = re.match(rf"(?:{'|'.join(ROOMS)})/include/(.+)", file)
        name = f"<{m.group(1)}>" if m else file
        if not re.match(rf"// {re.escape(name)} - \S", lines[0]):
            self.report(file, 1, f"line 1 should be '// {name} - what it is'")
        if len(lines) < 2 or lines[1] != "// SPDX-License-Identifier: MIT":
            self.report(file, 2, "line 2 should be '// SPDX-License-Identifier: MIT'")
        if file.endswith(".hpp") and "#pragma once" not in lines:
            self.report(file, 1, "no #pragma once")
        if len(lines) > LONG_FILE + 1:
            self.warnings.append(f"{file}: {len(lines) - 1} lines; does it hold two ideas?")

    # lists

    def check_lists(self):
        for folder in [*ROOMS, "tests", *OWN_LISTS]:
            cmake = f"{folder}/CMakeLists.txt"
            if cmake not in self.files:
                continue
            text = "\n".join(line.split("#")[0] for line in self.lines(cmake))
            words = re.findall(r"(?<![<}\w./-])[\w./-]+\.[ch]pp\b", text)  # <...>: an include path; ${...}/: not of here
            listed = {f"{folder}/{word}" for word in words}
            for file in sorted(listed - set(self.files)):
                self.report(cmake, 1, f"{file} is listed and does not exist")
            if folder == "tests":
                present = {f for f in self.cpp if re.match(r"tests/\w+/\w+_test\.cpp$|tests/stress/\w+\.cpp$", f)}
                present = {f for f in present if not f.startswith(("tests/toolchain/", *OWN_LISTS))}
            elif folder in OWN_LISTS:
                present = {f for f in self.cpp if f.startswith(f"{folder}/") and f.endswith(".cpp")}
            else:
                present = {
                    f
                    for f in self.cpp
                    if f.startswith(f"{folder}/include/") or re.match(rf"{folder}/src/.+\.cpp$", f)
                }
            for file in sorted(present - listed):
                self.report(file, 1, f"not listed in {cmake}")

    # tests

    def check_tests(self):
        for path, (room, file) in sorted(self.owner.items()):
            if "/detail/" in path or path in WITHOUT_TEST:
                continue
            test = f"tests/{room}/{Path(path).stem}_test.cpp"
            if test not in self.files:
                self.report(file, 1, f"no {test}")
        for path in sorted(set(WITHOUT_TEST) - set(self.owner)):
            self.report("tools/check_layout.py", 1, f"WITHOUT_TEST names <{path}>, which does not exist")

    # documents

    def prose(self, file):
        """The numbered lines of a document without its fences, which may hold anything."""
        fenced = False
        for number, line in enumerate(self.lines(file), 1):
            if re.match(r"\s*(```|~~~)", line):
                fenced = not fenced
            elif not fenced:
                yield number, line

    def anchors(self, file):
        """The anchors that GitHub gives to the headings of a document."""
        found = {}
        for _, line in self.prose(file):
            if m := re.match(r"#+\s+(.*?)\s*#*$", line):
                words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", m.group(1)).lower()
                anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
                seen = found.get(anchor, 0)
                found[anchor] = seen + 1
                if seen:
                    found[f"{anchor}-{seen}"] = 1
        return found

    def check_document(self, file):
        base = (self.root / file).parent
        expected = {}  # indentation -> number of the list's next item
        for number, line in self.prose(file):
            for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "``", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                linked = (base / path).resolve() if path else self.root / file
                if not linked.exists():
                    self.report(file, number, f"link to {target}: no such file")
                elif anchor and linked.suffix == ".md" and anchor not in self.anchors(linked):
                    self.report(file, number, f"link to {target}: no such heading")

            if m := re.match(r"(\s*)(\d+)\.\s", line):
                indent, item = len(m.group(1)), int(m.group(2))
                if indent in expected and item not in (1, expected[indent]):
                    self.report(file, number, f"item {item} follows item {expected[indent] - 1}")
                expected = {i: n for i, n in expected.items() if i < indent} | {indent: item + 1}
            elif line and not line[0].isspace():
                if line.startswith("#"):
                    expected = {}
        self.check_snippets(file)

    def check_snippets(self, file):
        lines = self.lines(file)
        for index, line in enumerate(lines):
            m = re.match(r"<!-- from (\S+) \[(\w+)\] -->$", line)
            if not m:
                continue
            source, tag = m.groups()
            if source not in self.files:
                self.report(file, index + 1, f"no file {source}")
                continue
            code = self.lines(source)
            marks = [i for i, c in enumerate(code) if c.strip() in (f"// [{tag}]", f"// [/{tag}]")]
            if len(marks) != 2:
                self.report(file, index + 1, f"{source} has no pair // [{tag}], // [/{tag}]")
                continue
            wanted = dedent(code[marks[0] + 1 : marks[1]])
            fence = lines[index + 1 :]
            end = next((i for i, f in enumerate(fence) if i and f.startswith("```")), 0)
            if dedent(fence[1:end]) != wanted:
                self.report(file, index + 1, f"the snippet is not what {source} has at [{tag}]")

    def run(self):
        self.find_owners()
        for file in self.cpp:
            self.check_includes(file)
            self.check_opening(file)
        self.check_lists()
        self.check_tests()
        for file in self.files:
            if file.endswith(".md"):
                self.check_document(file)


def dedent(lines):
    lines = [line for line in lines if not re.match(r"\s*// \[/?\w+\]$", line)]  # marks of inner tags
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[depth:].rstrip() for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    checker = Checker(parser.parse_args().root.resolve())
    checker.run()

    for warning in checker.warnings:
        print(f"warning: {warning}")
    for file, line, message in sorted(checker.problems):
        print(f"{file}:{line}: {message}")
    if checker.problems:
        print(f"check_layout: {len(checker.problems)} problems", file=sys.stderr)
        return 1
    print(f"check_layout: {len(checker.files)} files in order")
    return 0


if __name__ == "__main__":
    sys.exit(main())
