#!/usr/bin/env python3
# tools/check_guide.py - every C++ snippet of docs/guide.md stands in examples/guide.cpp, which is compiled and run.
# SPDX-License-Identifier: MIT
"""usage: tools/check_guide.py

Snippets that show another library say so with "for comparison" and are left out. Indentation does not matter.
"""
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent


def flat(text):
    return " ".join(text.split())


def main():
    program = flat((root / "examples/guide.cpp").read_text())
    guide = (root / "docs/guide.md").read_text()
    snippets = [textwrap.dedent(s) for s in re.findall(r"```cpp\n(.*?)```", guide, re.S)]
    checked = [s for s in snippets if "for comparison" not in s]
    strangers = [
        part
        for s in checked
        for part in re.split(r"\n\n(?=\S)", s)
        if flat(part) not in program
    ]
    for s in strangers:
        print(f"docs/guide.md: not in examples/guide.cpp:\n{s}", file=sys.stderr)
    if not checked:
        print("docs/guide.md: no snippet was found", file=sys.stderr)
    return 1 if strangers or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
