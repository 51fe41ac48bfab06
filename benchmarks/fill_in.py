#!/usr/bin/env python3
# benchmarks/fill_in.py - puts fresh tables into docs/performance.md.
# SPDX-License-Identifier: MIT
"""Runs the scripts that docs/performance.md names in lines such as `<!-- benchmarks/x/table.py -->`, and replaces
what stands between such a line and `<!-- end -->` by what they print. Some minutes.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
SECTION = re.compile(r"<!-- (benchmarks/\S+\.py)((?: \S+)*) -->\n.*?<!-- end -->", re.DOTALL)


def fill(match):
    script, arguments = match[1], match[2].split()
    print(f"{script} {' '.join(arguments)}", file=sys.stderr)
    printed = subprocess.run([sys.executable, ROOT / script, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return f"<!-- {' '.join([script, *arguments])} -->\n{printed.stdout.strip()}\n<!-- end -->"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="only scripts whose path contains it")
    only = parser.parse_args().only
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(SECTION.sub(lambda m: fill(m) if only in m[1] else m[0], text))


if __name__ == "__main__":
    main()
