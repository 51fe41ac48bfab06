# benchmarks/tables.py - results as text.
# SPDX-License-Identifier: MIT
import sys

NEAR_NS = 100  # one way of a cache line; a shared cache takes about half, a trip between caches twice or more


def threads(count):
    return f"{count} thread{'s' if count > 1 else ''}"


class Progress:
    """A line that is written over again and again; where nobody is looking, nothing."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.seen = sys.stderr.isatty()

    def __enter__(self):
        return self.say

    def say(self, text):
        if self.seen:
            print(f"\r{self.prefix}{text}\033[K", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_):
        if self.seen:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def duration(seconds):
    """Four characters that tell something, and a unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            break
    return f"{seconds / size:.4g} {unit}"


def remark(key, value):
    if key == "line_ns":
        return f"cache line {value:.0f} ns, {'near' if value < NEAR_NS else 'far'}"
    return f"{key.replace('_', ' ')} {value:.4g}"


def show(report, workload, thread_count):
    """One workload with so many threads, the fastest first. The last column has what is particular to it."""

    def mine(rows):
        return [r for r in rows if (r["workload"], r["threads"]) == (workload, thread_count)]

    rows = sorted(mine(report["results"]), key=lambda r: r["median_s"])
    remarks = {r["contender"]: r for r in mine(report["context"]["notes"])}
    best = rows[0]["median_s"]
    print(f"\n{workload}, {threads(thread_count)}")
    print(f"  {'contender':14} {'median':>9} {'fastest':>9} {'slowest':>9} {'ns/op':>9} {'CPU':>9} {'MiB':>7} {'x best':>7}")
    for r in rows:
        more = {k: v for k, v in remarks.get(r["contender"], {}).items() if k not in r}
        print(
            f"  {r['contender']:14} {duration(r['median_s']):>9} {duration(r['min_s']):>9} {duration(r['max_s']):>9} "
            f"{r['ns_per_op']:9.2f} {duration(r['cpu_s']):>9} {r['peak_rss_kib'] / 1024:7.1f} {r['median_s'] / best:7.2f}"
            f"   {'; '.join(remark(k, v) for k, v in more.items())}".rstrip(),
            flush=True,
        )
