#!/usr/bin/env python3
# tools/conformance.py - which test covers which row of the catalogue of behaviours, as docs/conformance.md.
# SPDX-License-Identifier: MIT
"""Writes docs/conformance.md; with --check reports what is wrong with it, and writes nothing.

A row of tests/cases/catalogue.txt is a line `<id> <behaviour>`, with notes behind `|`:

  | open: <what it waits for>            not covered, or not all of it; tests of the rest may name it
  | not applicable: <why>                no test may name it
  | ours: <what we do instead>           we differ on purpose: what the tests check is this
  | by: <id>, <id>                       covered by the tests of these rows, which must not be open

A test names the rows it checks in the comment directly above it, on a line of its own:

  // cases: T001, T040                   (`#` in Python; anywhere in a file of tests/compile_fail)
  // What else there is to say.
  TEST_F(suite, name) {

Reported are an id without a row, a row that has neither a test nor a note that says why, a test that names a row it
cannot cover, a `cases:` that belongs to no test, and a document that is not what this script would write.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

CATALOGUE = "tests/cases/catalogue.txt"
DOCUMENT = "docs/conformance.md"

GROUP = re.compile(r"^\[(\w)\] (\S.*)$")
ROW = re.compile(r"^([TSH]\d+) +(\S.*)$")
NOTES = ("open", "not applicable", "ours", "by")

CASES = re.compile(r"^(?://|#) cases: (\w+(?:, \w+)*)$")
LIKE_CASES = re.compile(r"^\s*(?://|#)\s*(?:cases:|[TSH]\d+\b)")
CPP_TEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
PYTHON_CLASS = re.compile(r"^class (\w+)")
PYTHON_TEST = re.compile(r"^    def (test_\w+)\(")


class Row:
    def __init__(self, number, name, behaviour, notes):
        self.number, self.name, self.behaviour, self.notes = number, name, behaviour, notes
        self.tests = []  # (name, file), in the order of the files


class Conformance:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.groups = []  # (letter, title, rows)
        self.rows = {}

    def report(self, file, line, message):
        self.problems.append(f"{file}:{line}: {message}")

    # The catalogue

    def read_catalogue(self):
        for number, line in enumerate((self.root / CATALOGUE).read_text(encoding="utf-8").split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            if m := GROUP.match(line):
                self.groups.append((m.group(1), m.group(2), []))
            elif (m := ROW.match(line)) and self.groups:
                self.add_row(number, m.group(1), m.group(2))
            else:
                self.report(CATALOGUE, number, "neither a group nor a row")

    def add_row(self, number, name, text):
        behaviour, *fields = [field.strip() for field in text.split(" | ")]
        notes = dict(field.split(": ", 1) if ": " in field else (field, "") for field in fields)
        for note, said in notes.items():
            if note not in NOTES or not said:
                self.report(CATALOGUE, number, f"{name}: no note '{note}: ...'; there are {', '.join(NOTES)}")
        if "open" in notes and "not applicable" in notes:
            self.report(CATALOGUE, number, f"{name} cannot be both open and not applicable")
        if name in self.rows:
            self.report(CATALOGUE, number, f"{name} has a row already")
            return
        self.rows[name] = Row(number, name, behaviour, notes)
        self.groups[-1][2].append(self.rows[name])

    # The tests

    def read_tests(self):
        for path in sorted((self.root / "tests").rglob("*")):
            file = path.relative_to(self.root).as_posix()
            if file.startswith(("tests/toolchain/", "tests/package/")):
                continue
            if path.suffix == ".cpp":
                lines = path.read_text(encoding="utf-8").split("\n")
                if file.startswith("tests/compile_fail/"):
                    self.read_refused(file, path.stem, lines)
                else:
                    self.read_cpp(file, lines)
            elif path.name.endswith("_test.py"):
                self.read_python(file, path.read_text(encoding="utf-8").split("\n"))

    def read_cpp(self, file, lines):
        for ids, number, below in self.cases_above(file, lines, "//"):
            m = CPP_TEST.match("\n".join(lines[below : below + 3]))
            if not m:
                self.report(file, number, "'cases:' is not in the comment directly above a test")
            elif m.group(2).startswith("DISABLED_"):
                self.report(file, number, "a test that is not run covers nothing")
            else:
                self.cover(ids, f"{m.group(1)}.{m.group(2)}", file, number)

    def read_python(self, file, lines):
        for ids, number, below in self.cases_above(file, lines, "#"):
            m = PYTHON_TEST.match(lines[below]) if below < len(lines) else None
            classes = [c for line in lines[:below] if (c := PYTHON_CLASS.match(line))]
            if not m or not classes:
                self.report(file, number, "'cases:' is not in the comment directly above a test")
            else:
                self.cover(ids, f"{classes[-1].group(1)}.{m.group(1)}", file, number)

    def read_refused(self, file, stem, lines):
        for number, line in enumerate(lines, 1):
            if m := CASES.match(line):
                self.cover(m.group(1).split(", "), f"compile_fail.{stem}", file, number)

    def cases_above(self, file, lines, mark):
        """What each `cases:` says, its line, and the index of the first line below its comment."""
        for index, line in enumerate(lines):
            if not (m := CASES.match(line.strip())):
                if LIKE_CASES.match(line):
                    self.report(file, index + 1, f"write '{mark} cases: T001, T002' and nothing else on the line")
                continue
            below = index
            while below < len(lines) and lines[below].strip().startswith(mark):
                below += 1
            yield m.group(1).split(", "), index + 1, below

    def cover(self, ids, test, file, number):
        for name in ids:
            row = self.rows.get(name)
            if row is None:
                self.report(file, number, f"there is no row {name} in {CATALOGUE}")
            elif "not applicable" in row.notes:
                self.report(file, number, f"{name} is said to be not applicable")
            elif (test, file) not in row.tests:
                row.tests.append((test, file))

    # What follows

    def state(self, row):
        for note in ("not applicable", "open"):
            if note in row.notes:
                return note
        return "covered"

    def check_rows(self):
        for row in self.rows.values():
            for name in re.split(r", ", row.notes.get("by", "")) if "by" in row.notes else []:
                other = self.rows.get(name)
                if other is None:
                    self.report(CATALOGUE, row.number, f"{row.name}: there is no row {name}")
                elif self.state(row) == "covered" and (self.state(other) != "covered" or not other.tests):
                    self.report(CATALOGUE, row.number, f"{row.name} is not covered by {name}, which is not covered")
            if self.state(row) == "covered" and not row.tests and "by" not in row.notes:
                self.report(CATALOGUE, row.number, f"{row.name} is covered by no test; say why, or 'open: ...'")

    def document(self):
        out = [
            "# Conformance",
            "",
            f"What `tools/conformance.py` makes of [`{CATALOGUE}`](../{CATALOGUE}), the behaviours that systems like this",
            "one are tested for, and of the tests that name its rows. Not to be edited: change the catalogue or the",
            "`cases:` line above a test, and run the script.",
            "",
            "| | group | rows | covered | not applicable | open |",
            "|---|---|---:|---:|---:|---:|",
        ]
        total = [0, 0, 0, 0]  # of the behaviours; the rest is covered by them
        for letter, title, rows in self.groups:
            states = [self.state(row) for row in rows]
            counts = [len(rows), *(states.count(s) for s in ("covered", "not applicable", "open"))]
            if rows and rows[0].name.startswith("T"):
                total = [a + b for a, b in zip(total, counts)]
            out.append(f"| {letter} | [{title}](#{anchor(letter, title)}) | {' | '.join(map(str, counts))} |")
        out.append(f"| | **behaviours in all** | {' | '.join(f'**{n}**' for n in total)} |")
        for letter, title, rows in self.groups:
            out += ["", f"## {letter}. {title}", "", "| row | behaviour | covered by |", "|---|---|---|"]
            out += [f"| {row.name} | {self.said(row)} | {self.covered_by(row)} |" for row in rows]
        return "\n".join(out) + "\n"

    def said(self, row):
        ours = row.notes.get("ours")
        return row.behaviour + (f"<br>*Ours:* {ours}" if ours else "")

    def covered_by(self, row):
        cells = [f"**{note}:** {row.notes[note]}" for note in ("not applicable", "open") if note in row.notes]
        if "by" in row.notes:
            cells.append(f"the tests of {row.notes['by']}")
        by_file = defaultdict(list)
        for test, file in row.tests:
            by_file[file].append(f"`{test}`")
        cells += [f"{', '.join(tests)} ({file.removeprefix('tests/')})" for file, tests in by_file.items()]
        return "<br>".join(cells)

    def check_document(self, text):
        path = self.root / DOCUMENT
        written = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        for number, (old, new) in enumerate(zip(written, text.split("\n")), 1):
            if old != new:
                self.report(DOCUMENT, number, "not what tools/conformance.py writes; run it")
                return
        if len(written) != len(text.split("\n")):
            self.report(DOCUMENT, len(written), "not what tools/conformance.py writes; run it")


def anchor(letter, title):
    return re.sub(r"[^\w\- ]", "", f"{letter} {title}").lower().replace(" ", "-")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    conformance = Conformance(arguments.root.resolve())
    conformance.read_catalogue()
    conformance.read_tests()
    conformance.check_rows()
    text = conformance.document()
    if arguments.check:
        conformance.check_document(text)
    else:
        (conformance.root / DOCUMENT).write_text(text, encoding="utf-8")

    for problem in conformance.problems:
        print(problem)
    if conformance.problems:
        print(f"conformance: {len(conformance.problems)} problems", file=sys.stderr)
        return 1
    states = [conformance.state(row) for row in conformance.rows.values() if row.name.startswith("T")]
    print(f"conformance: {len(states)} behaviours, {states.count('covered')} covered, {states.count('open')} open")
    return 0


if __name__ == "__main__":
    sys.exit(main())
