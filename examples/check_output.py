#!/usr/bin/env python3
# examples/check_output.py - runs an example and compares what it prints with what it should.
# SPDX-License-Identifier: MIT
"""usage: check_output.py <expected.txt> <program> [arguments]"""

import difflib
import subprocess
import sys
from pathlib import Path


def main():
    expected = Path(sys.argv[1]).read_text(encoding="utf-8")
    run = subprocess.run(sys.argv[2:], capture_output=True, text=True, timeout=50, check=False)
    sys.stderr.write(run.stderr)
    if run.returncode != 0:
        print(f"{sys.argv[2]} exits with {run.returncode}")
    differences = difflib.unified_diff(
        expected.splitlines(), run.stdout.splitlines(), "expected", "printed", lineterm=""
    )
    print("\n".join(differences))
    return int(run.returncode != 0 or run.stdout != expected)


if __name__ == "__main__":
    sys.exit(main())
