#!/usr/bin/env python3
# tools/demo.py - puts the example server under load, shows its scopes, ends it under load, and counts the losses.
# SPDX-License-Identifier: MIT
"""Called by ./dev demo, which builds the server first.

Two kinds of clients: wrk measures requests per second and latencies; some verifying clients (see
verifying_client.py) account for every single request, also for those in flight when SIGTERM comes, which wrk
cannot tell from errors of other kinds.
"""

import argparse
import asyncio
import json
import re
import shutil
import signal
import sys
import tempfile
import time
import urllib.request

import verifying_client

CONNECTIONS = 64  # of wrk
VERIFIERS = 16
DRAIN, STOP = 5, 2  # seconds, as the server gets them
# Most clients ask for little; some have long requests in flight at any moment.
PATHS = [["/myapp-a/hello", "/myapp-b/fan-out", "/myapp-a/cached"], ["/myapp-b/slow?ms=400"]]

WRK_REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'REPORT {"requests": %d, "seconds": %f, "connect": %d, "read": %d, "write": %d, "status": %d, ' ..
    '"timeout": %d, "p50": %f, "p99": %f}\\n',
    summary.requests, summary.duration / 1e6, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class Failed(Exception):
    """What went wrong, for people."""


def say(text):
    print(f"\n==> {text}", flush=True)


def indent(text):
    return "\n".join("    " + line for line in text.rstrip().split("\n"))


class Server:
    """The server as a child process, in a session of its own: Ctrl-C is ours to pass on."""

    @classmethod
    async def start(cls, running, binary, *options):
        self = cls()
        try:
            self.process = await asyncio.create_subprocess_exec(
                binary, *options, stdout=asyncio.subprocess.PIPE, start_new_session=True
            )
        except OSError as e:
            raise Failed(f"cannot run the server: {e}") from None
        running.append(self.process)
        try:
            line = (await asyncio.wait_for(self.process.stdout.readline(), 10)).decode()
        except asyncio.TimeoutError:
            line = ""
        match = re.match(r"listening on http://127\.0\.0\.1:(\d+)", line)
        if not match:
            raise Failed(f"the server does not start: {line.strip() or 'it says nothing'}")
        self.port = int(match.group(1))
        print(indent(line), flush=True)
        return self

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    async def get(self, path):
        def read():
            with urllib.request.urlopen(self.url(path), timeout=10) as response:
                return response.read().decode()

        return await asyncio.to_thread(read)

    async def end(self, limit):
        """Sends SIGTERM. Returns (status, what it printed, seconds)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            output, _ = await asyncio.wait_for(self.process.communicate(), limit)
        except asyncio.TimeoutError:
            raise Failed(f"the server is still there {limit} s after SIGTERM") from None
        return self.process.returncode, output.decode(), time.monotonic() - began


class Wrk:
    @classmethod
    async def start(cls, running, url, seconds):
        self = cls()
        self.script = tempfile.NamedTemporaryFile("w", suffix=".lua")
        self.script.write(WRK_REPORT)
        self.script.flush()
        self.process = await asyncio.create_subprocess_exec(
            *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", self.script.name, url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        running.append(self.process)
        return self

    async def report(self):
        output = (await self.process.communicate())[0].decode()
        match = re.search(r"^REPORT (.*)$", output, re.MULTILINE)
        if not match:
            raise Failed(f"wrk has failed:\n{output}")
        return json.loads(match.group(1))


def shortened(tree):
    """The tree, with one of several scopes or children of a kind standing for all."""

    def depth(line):
        return len(line) - len(line.lstrip())

    def kind(line):
        return re.sub(r"\d+", "#", line.split("  ")[0] if not line.startswith("- ") else line)

    def shorten(lines):
        blocks = []  # siblings: a line and those below it
        for line in lines:
            if blocks and depth(line) > depth(blocks[-1][0]):
                blocks[-1].append(line)
            else:
                blocks.append([line])
        result, seen = [], {}
        for first, *below in blocks:
            of_this_kind = kind(first.lstrip())
            if of_this_kind in seen:
                seen[of_this_kind][1] += 1
            else:
                seen[of_this_kind] = [len(result), 0]
                result.append([first, *shorten(below)])
        for place, more in seen.values():
            if more:
                result[place].append(" " * depth(result[place][0]) + f"  ... and {more} more like this")
        return [line for block in result for line in block]

    return "\n".join(shorten(tree.rstrip().split("\n")))


async def load_and_drain(server, seconds, running):
    say(f"load: wrk with {CONNECTIONS} connections for {seconds} s, and {VERIFIERS} verifying clients")
    tally = verifying_client.Tally()
    clients = [
        asyncio.create_task(
            verifying_client.client(
                server.port,
                PATHS[i % 4 == 0],
                tally,
                limit=DRAIN + STOP + 1,
                keep_alive=i % 4 != 1,
            )
        )
        for i in range(VERIFIERS)
    ]
    wrk = await Wrk.start(running, server.url("/myapp-a/hello"), seconds)
    await asyncio.sleep(seconds / 2)
    tree = await server.get("/tree")
    say("the scopes while it runs (GET /tree)")
    print(indent(shortened(tree)), flush=True)
    measured = await wrk.report()

    say("SIGTERM under load")
    wrk = await Wrk.start(running, server.url("/myapp-a/hello"), 60)
    await asyncio.sleep(1)
    tally.draining = True
    in_flight = tally.in_flight
    status, output, took = await server.end(DRAIN + STOP + 1)
    await asyncio.wait(clients, timeout=DRAIN + STOP + 1)
    wrk.process.send_signal(signal.SIGINT)
    last = await wrk.report()
    print(indent(output), flush=True)

    errors = sum(measured[kind] for kind in ("connect", "read", "write", "status", "timeout"))
    say("result")
    print(f"    requests        {measured['requests'] + tally.requests}"
          f" (wrk {measured['requests'] / measured['seconds']:.0f} per second)")
    print(f"    errors          {errors + tally.not_2xx}")
    print(f"    latency         p50 {measured['p50']:.2f} ms, p99 {measured['p99']:.2f} ms")
    print(f"    lost requests   {tally.lost}")
    print(f"    exit            status {status}, {took:.2f} s after SIGTERM")
    print(f"\n    verified: {tally}")
    print(f"    {in_flight} verified requests were in flight at SIGTERM; of wrk's connections"
          f" {last['read']} were closed without a response")
    return errors == 0 and tally.not_2xx == 0 and tally.lost == 0 and status == 0


async def serve(server):
    say("the server is up; Ctrl-C ends it")
    for path in ("/myapp-a/hello", "/myapp-b/fan-out", "/myapp-a/slow?ms=2000", "/tree"):
        print(f"    curl {server.url(path)}", flush=True)
    ended = asyncio.create_task(server.process.wait())
    try:
        await asyncio.shield(ended)
        raise Failed(f"the server has ended with status {server.process.returncode}")
    except asyncio.CancelledError:
        pass
    status, output, _ = await server.end(DRAIN + STOP + 1)
    print("\n" + indent(output), flush=True)
    return status == 0


async def run(arguments):
    # asyncio.run() cancels us on SIGINT; the same for SIGTERM.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    running = []  # whatever happens, no process of ours stays
    try:
        say("start the server")
        options = ("--port=0", f"--drain={DRAIN}s", f"--stop={STOP}s")
        server = await Server.start(running, arguments.server, *options)
        if arguments.serve:
            return await serve(server)
        return await load_and_drain(server, arguments.seconds, running)
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
                await process.wait()


def main():
    parser = argparse.ArgumentParser(description="Puts the example server under load and ends it.")
    parser.add_argument("server", help="the server's binary")
    parser.add_argument("--serve", action="store_true", help="no load: keep it up until Ctrl-C")
    parser.add_argument("--seconds", type=int, default=5, help="how long wrk measures (5)")
    arguments = parser.parse_args()
    if not arguments.serve and shutil.which("wrk") is None:
        print("demo: there is no wrk; apt-get install wrk", file=sys.stderr)
        return 2
    if arguments.seconds < 1:
        parser.error("--seconds must be at least 1")
    try:
        good = asyncio.run(run(arguments))
    except Failed as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    print("\ndemo: passed" if good else "\ndemo: FAILED", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
