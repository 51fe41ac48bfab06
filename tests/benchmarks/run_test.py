#!/usr/bin/env python3
# tests/benchmarks/run_test.py - what benchmarks/run.py makes of programs whose results are known.
# SPDX-License-Identifier: MIT
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"
FIELDS = ["workload", "contender", "threads", "median_s", "min_s", "max_s", "ns_per_op", "cpu_s", "peak_rss_kib", "ok"]


def line(seconds, ok=True, **more):
    sample = {"seconds": seconds, "cpu_s": 2 * seconds, "peak_rss_kib": 1024, "ns_per_op": 10 * seconds, "notes": {}}
    return json.dumps({**sample, "ok": ok, **more})


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, name, *lines, variants="", status=0):
        """A contender that prints `lines`."""
        text = "\n".join(lines)
        path = self.folder / f"bench_{name}"
        path.write_text(
            f"#!{sys.executable}\nimport sys\n"
            f"if '--variants' in sys.argv: sys.stdout.write({variants!r}); sys.exit()\n"
            f"print({text!r})\nsys.exit({status})\n")
        path.chmod(0o755)

    def run_py(self, *arguments):
        return subprocess.run(
            [sys.executable, RUN, "--preset", "none", "--with", self.folder, "--rounds", "2", *arguments],
            capture_output=True, text=True, check=False)

    def results(self, *arguments):
        file = self.folder / "results.json"
        done = self.run_py("--json", file, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(file.read_text())

    def test_a_result_has_the_promised_fields_and_no_others(self):
        self.program("fib_alpha", line(0.5))
        report = self.results("--threads", "1")
        self.assertEqual([list(r) for r in report["results"]], [FIELDS])
        result = report["results"][0]
        self.assertEqual((result["workload"], result["contender"], result["threads"]), ("fib", "alpha", 1))
        self.assertEqual((result["median_s"], result["ns_per_op"], result["cpu_s"]), (0.5, 5.0, 1.0))
        for key in ("commit", "compiler", "flags", "cpu", "cores"):
            self.assertIn(key, report["context"])

    def test_a_wrong_answer_fails_the_run(self):
        self.program("fib_alpha", line(0.5))
        self.program("fib_beta", line(0.1, ok=False), status=1)
        done = self.run_py("--threads", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("bench_fib_beta", done.stderr)

    def test_an_answer_that_calls_itself_wrong_fails_the_run_whatever_the_status(self):
        self.program("fib_alpha", line(0.5, ok=False))
        self.assertEqual(self.run_py("--threads", "1").returncode, 1)

    def test_each_variant_is_a_workload_and_may_fix_its_threads(self):
        self.program("spawn_alpha", line(0.5), variants="inside 0\nwide 8")
        rows = self.results("--threads", "1,2")["results"]
        self.assertEqual([(r["workload"], r["threads"]) for r in rows],
                         [("spawn/inside", 1), ("spawn/inside", 2), ("spawn/wide", 8)])

    def test_a_part_of_a_name_chooses_all_below_it(self):
        self.program("growth_alpha", line(0.5), variants="fork/10 0\nfork/100 0\nforks/10 0")
        rows = self.results("--threads", "1", "--only", "growth/fork")["results"]
        self.assertEqual([r["workload"] for r in rows], ["growth/fork/10", "growth/fork/100"])

    def test_a_first_look_is_asked_for_before_the_variants(self):
        path = self.folder / "bench_growth_alpha"
        path.write_text(
            f"#!{sys.executable}\nimport sys\n"
            "if '--variants' in sys.argv: print('10 0' if sys.argv[1] == '--quick' else '10 0\\n100 0'); sys.exit()\n"
            f"print({line(0.5)!r})\n")
        path.chmod(0o755)
        self.assertEqual(len(self.results("--threads", "1")["results"]), 2)
        self.assertEqual(len(self.results("--threads", "1", "--quick")["results"]), 1)

    def test_a_run_may_have_parts_and_name_another_contender(self):
        self.program("wake_alpha", line(0.5, part="p50"), line(0.1, part="p50", contender="futex"))
        rows = self.results("--threads", "1")["results"]
        self.assertEqual([(r["workload"], r["contender"]) for r in rows],
                         [("wake/p50", "alpha"), ("wake/p50", "futex")])

    def test_the_table_has_the_fastest_first_and_the_ratio_to_it(self):
        self.program("fib_slow", line(0.5))
        self.program("fib_quick", line(0.25, notes={"line_ns": 50}))
        rows = self.run_py("--threads", "1").stdout.strip().splitlines()[2:]
        self.assertEqual([r.split()[0] for r in rows], ["quick", "slow"])
        self.assertIn("1.00   cache line 50 ns, near", rows[0])
        self.assertTrue(rows[1].endswith("2.00"))

    def test_what_runs_on_one_thread_is_not_asked_for_two(self):
        self.program("fib_serial", line(0.5))
        self.program("fib_alpha", line(0.5))
        rows = self.results("--threads", "2")["results"]
        self.assertEqual([r["contender"] for r in rows], ["alpha"])

    def test_an_unknown_workload_is_refused_with_those_there_are(self):
        self.program("fib_alpha", line(0.5))
        done = self.run_py("--only", "fob")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no workload 'fob'; there are: fib", done.stderr)


if __name__ == "__main__":
    unittest.main()
