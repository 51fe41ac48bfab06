#!/usr/bin/env python3
# tools/check_edges.py - every atomic operation stronger than relaxed names its happens-before edge.
# SPDX-License-Identifier: MIT
"""Checks the memory orders of the rooms against the tables of edges in their READMEs.

An edge is one happens-before arrow with a name, say `deque.publish`. Reported are

  - an operation with acquire, release, acq_rel, seq_cst or consume whose comment, on its own lines or
    at most REACH lines above, does not say `edge <name>`;
  - an operation of an atomic that does not spell its order, which makes it seq_cst by silence;
  - an edge that comments name fewer than twice (a comment that says "both halves" counts as two: one
    read-modify-write may be both ends), or that has no row in a README;
  - a row of a README that no comment names, or that does not name a model in tests/model that holds the
    edge: `<suite>.<test>`, or why there is none, in the column headed `model`.

A row is a line of a Markdown table whose first column is headed `edge`: | `deque.publish` | ... |
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOMS = ("executor", "sync", "scope", "combinators", "net")
REACH = 8

STRONG = r"acquire|release|acq_rel|seq_cst|consume"
SPELLED = re.compile(rf"\bmemory_order(?:_|::)(?:{STRONG})\b")
BARE = re.compile(rf"(?<![\w.>:])(?:{STRONG})\b(?!\s*\()")  # `using enum std::memory_order`
ANY_ORDER = re.compile(rf"\b(?:memory_order\w*|relaxed|{STRONG}|\w*order|success|failure)\b")

# Names that only atomics have as members; the others are common words.
ATOMIC_CALL = re.compile(
    r"(?:\.|->)\s*(fetch_(?:add|sub|and|or|xor)|compare_exchange_(?:weak|strong)|test_and_set)\s*\("
    r"|(?:\.|->)\s*(load|store|exchange)\s*\("
    r"|\b(atomic_(?:thread|signal)_fence)\s*\("
)
ATOMIC_NAME = re.compile(r"\batomic(?:_ref)?\s*<[^;=(]*>\s*&?\s*(\w+_)\s*[;{=]")

EDGE_LIST = re.compile(r"\bedges?\s+(`?[a-z]\w*\.\w+`?(?:(?:\s*,\s*|\s+and\s+)`?[a-z]\w*\.\w+`?)*)")
EDGE_NAME = re.compile(r"[a-z]\w*\.\w+")
TABLE_ROW = re.compile(r"^\|\s*`([a-z]\w*\.\w+)`\s*\|")
TABLE_HEAD = re.compile(r"^\|\s*edge\s*\|.*\|\s*model\s*\|$", re.IGNORECASE)
MODEL = re.compile(r"`(\w+Model)\.(\w+)`")
MODEL_TEST = re.compile(r"^TEST\((\w+Model), (\w+)\)", re.MULTILINE)


def split_comments(text):
    """The code and the comments of a file, each as lines of the same number and width.

    String and character literals are blanked in the code: what they say is not an operation.
    """
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])*\'',
        re.DOTALL,
    )

    def blank(s):
        return re.sub(r"[^\n]", " ", s)

    code, comments, end = [], [], 0
    for m in token.finditer(text):
        code.append(text[end : m.start()])
        comments.append(blank(text[end : m.start()]))
        is_comment = m.group().startswith(("//", "/*"))
        code.append(blank(m.group()))
        comments.append(m.group() if is_comment else blank(m.group()))
        end = m.end()
    code.append(text[end:])
    comments.append(blank(text[end:]))
    return "".join(code), "".join(comments)


def closing_parenthesis(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return len(code)


def prose(comment_lines):
    """Comment lines as one text, so that `edge` and its name may stand on two lines."""
    return " ".join(re.sub(r"^\s*(?:/{2,}|/\*+|\*)?[!<]?|\*/", "", line).strip() for line in comment_lines)


def edges_in(text):
    return [name for m in EDGE_LIST.finditer(text) for name in EDGE_NAME.findall(m.group(1))]


class Checker:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.named = defaultdict(list)  # edge -> where comments name it

    def report(self, path, line, message):
        self.problems.append((str(path.relative_to(self.root)), line, message))

    def check_file(self, path):
        code, comments = split_comments(path.read_text(encoding="utf-8"))
        comment_lines = comments.split("\n")

        # Blocks of comment lines, so that a name is counted once and at its own line.
        block, block_start = [], 1
        for number, line in enumerate(comment_lines + [""], 1):
            if line.strip():
                if not block:
                    block_start = number
                block.append(line)
            elif block:
                text = prose(block)
                ends = 2 if "both halves" in text else 1  # one read-modify-write may be both ends
                for name in edges_in(text):
                    self.named[name].extend([(path, block_start)] * ends)
                block = []

        covered = []  # spans of the calls: an order inside one belongs to the call
        for m in ATOMIC_CALL.finditer(code):
            end = closing_parenthesis(code, m.end() - 1)
            arguments = code[m.end() : end]
            covered.append((m.start(), end))
            first = code.count("\n", 0, m.start()) + 1
            last = code.count("\n", 0, end) + 1
            if SPELLED.search(arguments) or BARE.search(arguments):
                self.require_edge(path, first, last, comment_lines)
            elif not ANY_ORDER.search(arguments):
                self.report(path, first, f"{m.group(1) or m.group(2) or m.group(3)}() does not spell its order")

        for m in SPELLED.finditer(code):
            if not any(start <= m.start() < end for start, end in covered):
                line = code.count("\n", 0, m.start()) + 1
                self.require_edge(path, line, line, comment_lines)

        names = "|".join(sorted(set(ATOMIC_NAME.findall(code))))
        if names:
            operators = re.compile(
                rf"(?:\+\+|--)\s*(?:{names})\b|\b(?:{names})\s*(?:\+\+|--|[-+&|^]=|=(?!=))"
            )
            for m in operators.finditer(code):
                line_start = code.rfind("\n", 0, m.start()) + 1
                if "atomic" not in code[line_start : m.start()]:  # not the declaration
                    line = code.count("\n", 0, m.start()) + 1
                    self.report(path, line, "operator on an atomic hides a seq_cst operation; spell it")

    def require_edge(self, path, first, last, comment_lines):
        near = comment_lines[max(0, first - 1 - REACH) : last]
        if not edges_in(prose(near)):
            self.report(path, first, "order stronger than relaxed without a comment `edge <name>`")

    def models(self):
        found = set()
        for path in (self.root / "tests" / "model").glob("*_model.cpp"):
            found.update(MODEL_TEST.findall(path.read_text(encoding="utf-8")))
        return found

    def check_model(self, readme, number, name, line, models):
        cell = line.rstrip("|").split("|")[-1].strip()
        for suite, test in MODEL.findall(cell):
            if (suite, test) not in models:
                self.report(readme, number, f"edge {name}: there is no model {suite}.{test}")
        if not MODEL.search(cell) and not cell.startswith("none:"):
            self.report(readme, number, f"edge {name} names no model, nor says `none: <why>`")

    def check_tables(self):
        rows = {}
        models = self.models()
        for room in ROOMS:
            readme = self.root / room / "README.md"
            if not readme.exists():
                continue
            in_table = False
            for number, line in enumerate(readme.read_text(encoding="utf-8").split("\n"), 1):
                if TABLE_HEAD.match(line):
                    in_table = True
                elif not line.startswith("|"):
                    in_table = False
                elif in_table and (m := TABLE_ROW.match(line)):
                    if m.group(1) in rows:
                        self.report(readme, number, f"edge {m.group(1)} has a row already")
                    rows[m.group(1)] = (readme, number)
                    self.check_model(readme, number, m.group(1), line, models)

        for name, places in sorted(self.named.items()):
            path, line = places[0]
            if len(places) < 2:
                self.report(path, line, f"edge {name} is named only here; name it at its other end too")
            if name not in rows:
                self.report(path, line, f"edge {name} has no row in the README of a room")
        for name, (path, line) in rows.items():
            if name not in self.named:
                self.report(path, line, f"no comment names edge {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root.resolve()

    checker = Checker(root)
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.[ch]pp")):
            checker.check_file(path)
    checker.check_tables()

    for path, line, message in sorted(checker.problems):
        print(f"{path}:{line}: {message}")
    if checker.problems:
        print(f"check_edges: {len(checker.problems)} problems", file=sys.stderr)
        return 1
    print(f"check_edges: {len(checker.named)} edges, each with both ends and a row")
    return 0


if __name__ == "__main__":
    sys.exit(main())
