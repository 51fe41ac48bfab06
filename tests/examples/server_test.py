#!/usr/bin/env python3
# tests/examples/server_test.py - the example server from outside: what it answers, survives, and how it ends.
# SPDX-License-Identifier: MIT
"""usage: server_test.py <server binary> [unittest arguments, such as Http or Shutdown.test_...]

TASKSCOPE_DRAINS=n: how many times Stress.test_... ends a server under load (20).
TASKSCOPE_SANITIZERS: what the server was built with, such as address,undefined.
"""

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import verifying_client  # noqa: E402

SERVER = None
SANITIZERS = os.environ.get("TASKSCOPE_SANITIZERS", "")
GRACE = 3.0 if SANITIZERS else 1.0  # seconds that an end may take beyond drain and stop


class Server:
    """A server on a free port."""

    def __init__(self, *options, files=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        self.process = subprocess.Popen(
            [SERVER, "--port=0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )
        line = self.process.stdout.readline()
        match = re.match(r"listening on http://127\.0\.0\.1:(\d+) with \d+ workers$", line)
        if not match:
            self.process.kill()
            raise AssertionError(f"does not start: {line}{self.process.communicate()[1]}")
        self.port = int(match.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, *signals):
        """Sends signals, 100 ms apart. Returns (status, stdout, stderr, seconds)."""
        began = time.monotonic()
        for i, number in enumerate(signals or [signal.SIGTERM]):
            time.sleep(0.1 if i else 0)
            self.process.send_signal(number)
        return self.ended(began)

    def ended(self, began):
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err, time.monotonic() - began

    def connect(self):
        return Connection(self.port)

    def get(self, path):
        """One request on a connection of its own. Returns (status, body)."""
        with self.connect() as c:
            status, _, body = c.get(path)
            return status, body.decode()

    def scopes(self):
        """/tree.json, by path."""
        return {s["path"]: s for s in json.loads(self.get("/tree.json")[1])["scopes"]}

    def connections(self):
        """How many there are besides the one that asks."""
        return sum(path.startswith("/connections/") for path in self.scopes()) - 1

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def request(self, path, method="GET", body=b"", version="1.1", headers=""):
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.send(f"{method} {path} HTTP/{version}\r\nHost: test\r\n{headers}{length}\r\n".encode() + body)

    def read_more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.received += data

    def response(self, has_body=True):
        """Returns (status, fields, body)."""
        while b"\r\n\r\n" not in self.received:
            self.read_more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        length = int(fields["content-length"]) if has_body else 0
        while len(self.received) < length:
            self.read_more()
        body, self.received = self.received[:length], self.received[length:]
        return int(first.split(" ")[1]), fields, body

    def get(self, path):
        self.request(path)
        return self.response()

    def is_closed(self, within=5.0):
        """Whether the server closes the connection, and says nothing more before."""
        self.socket.settimeout(within)
        try:
            return not self.received and self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def until(condition, seconds=10.0):
    """Whether it comes true within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class CommandLine(unittest.TestCase):
    """What cannot work is refused in one line, and nothing is started."""

    def refused(self, *arguments):
        run = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=10, check=False)
        self.assertEqual((run.returncode, run.stdout), (2, ""), run.stderr)
        self.assertRegex(run.stderr, r"\Aserver: [^\n]+\n\Z")
        return run.stderr

    def test_unknown_options(self):
        self.assertIn('there is no option "--prot"', self.refused("--prot", "80"))
        self.assertIn('there is no option "80"', self.refused("80"))
        self.assertIn('there is no option "--portal=1"', self.refused("--portal=1"))

    def test_missing_value(self):
        self.assertIn("--port needs a value", self.refused("--port"))

    def test_ports(self):
        for port in "65536", "-1", "http", "", "80x", "99999999999999999999":
            self.assertIn("a port is a number from 0 to 65535", self.refused("--port", port))

    def test_workers(self):
        for workers in "0", "-1", "many", "1025":
            self.assertIn("there can be 1 to 1024 workers", self.refused("--workers", workers))

    def test_negative_times(self):
        for option in "--drain", "--stop", "--patience":
            self.assertIn("a time cannot be negative", self.refused(option, "-1s"))

    def test_other_times(self):
        for time_ in "5", "s", "", "5h", "1.5s", "5 s":
            self.assertIn("a time is a number with a unit", self.refused("--drain", time_))
        for time_ in "25000m", "86401s", "99999999999999999999ms":
            self.assertIn("24 hours at most", self.refused("--drain", time_))
        self.assertIn("nobody is that fast", self.refused("--patience", "0s"))

    # cases: T350
    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            said = self.refused("--port", str(taken.getsockname()[1]))
        self.assertRegex(said, r"cannot listen on 127\.0\.0\.1:\d+: Address already in use")

    def test_help(self):
        run = subprocess.run([SERVER, "--help"], capture_output=True, text=True, timeout=10, check=True)
        for option in "--port", "--workers", "--drain", "--stop":
            self.assertIn(option, run.stdout)


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--workers=2")

    @classmethod
    def tearDownClass(cls):
        status, _, cls.errors, _ = cls.server.end()
        assert status == 0, cls.errors
        assert "/myapp-b/fail in /app-b/handlers: this route always fails" in cls.errors, cls.errors

    def test_routes(self):
        self.assertEqual(self.server.get("/myapp-a/hello"), (200, "hello from app-a\n"))
        self.assertEqual(self.server.get("/myapp-b/hello"), (200, "hello from app-b\n"))
        self.assertEqual(self.server.get("/myapp-a/fan-out"), (200, "1 + 4 + 9 + 16 = 30\n"))
        self.assertEqual(self.server.get("/myapp-a/slow?ms=5"), (200, "slept 5 ms\n"))
        self.assertEqual(self.server.get("/myapp-a/blocking?x=1&ms=5"), (200, "blocked 5 ms\n"))

    def test_the_cache_is_refreshed(self):
        before = self.server.get("/myapp-a/cached")
        self.assertTrue(until(lambda: self.server.get("/myapp-a/cached") != before))

    def test_not_found(self):
        for path in "/", "/hello", "/myapp-a", "/myapp-a/", "/myapp-a/nothing", "/myapp-c/hello", "/treee":
            self.assertEqual(self.server.get(path)[0], 404, path)

    def test_wrong_method(self):
        with self.server.connect() as c:
            c.request("/myapp-a/hello", "POST", b"x")
            self.assertEqual(c.response()[0], 405)
            c.request("/myapp-a/work")
            self.assertEqual(c.response()[0], 405)
            c.request("/myapp-a/work", "DELETE")
            self.assertEqual(c.response()[0], 405)

    def test_an_error_is_answered_and_noted(self):
        self.assertEqual(self.server.get("/myapp-b/fail")[0], 500)
        handlers = self.server.scopes()["/app-b/handlers"]
        self.assertTrue(handlers["has_errors"])
        self.assertEqual(self.server.scopes()["/app-a/handlers"]["failed"], 0)
        self.assertEqual(self.server.get("/myapp-b/hello")[0], 200)

    def test_bad_http_is_answered_and_closed(self):
        for bad in (
            "HELLO\r\n\r\n",
            "GET\r\n\r\n",
            "GET / HTTP/3.7\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST /myapp-a/work HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            "POST /myapp-a/work HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),  # TLS
        ):
            with self.server.connect() as c:
                c.send(bad)
                status, fields, _ = c.response()
                self.assertEqual((status, fields["connection"]), (400, "close"), bad)
                self.assertTrue(c.is_closed(), bad)
        self.assertEqual(self.server.get("/myapp-a/hello")[0], 200)

    def test_too_large_a_header(self):
        for field in "x" * 9000, "x\r\n" + "a: b\r\n" * 3000:
            with self.server.connect() as c:
                c.send(f"GET /myapp-a/hello HTTP/1.1\r\nlong: {field}\r\n\r\n")
                self.assertEqual(c.response()[0], 431)
                self.assertTrue(c.is_closed())

    def test_a_header_without_end(self):
        with self.server.connect() as c:
            c.send("GET /myapp-a/hello HTTP/1.1\r\n")
            for _ in range(10):
                c.send("a: b\r\n" * 200)  # each packet ends where a field ends
                time.sleep(0.01)
            self.assertEqual(c.response()[0], 431)
            self.assertTrue(c.is_closed())

    def test_too_large_a_body(self):
        with self.server.connect() as c:
            c.request("/myapp-a/work", "POST", b"x" * 70_000)
            self.assertEqual(c.response()[0], 413)
            self.assertTrue(c.is_closed())
        with self.server.connect() as c:
            c.send("POST /myapp-a/work HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            c.send(b"11170\r\n" + b"x" * 70_000)
            self.assertEqual(c.response()[0], 413)
            self.assertTrue(c.is_closed())
        with self.server.connect() as c:
            c.request("/myapp-a/work", "POST", b"x" * 60_000)
            self.assertEqual(c.response()[0], 202)

    def test_a_request_in_pieces(self):
        with self.server.connect() as c:
            for byte in b"POST /myapp-a/work HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc":
                c.send(bytes([byte]))
            self.assertEqual(c.response()[0], 202)

    def test_several_requests_at_once(self):
        with self.server.connect() as c:
            c.send("".join(f"GET /myapp-a/slow?ms={ms} HTTP/1.1\r\n\r\n" for ms in (3, 2, 1, 0)))
            bodies = [c.response()[2] for _ in range(4)]
        self.assertEqual(bodies, [f"slept {ms} ms\n".encode() for ms in (3, 2, 1, 0)])

    def test_keep_alive(self):
        with self.server.connect() as c:
            for path in "/myapp-a/hello", "/nothing", "/myapp-b/fail", "/tree", "/myapp-b/hello":
                status, fields, _ = c.get(path)
                self.assertNotIn("connection", fields)
            c.request("/myapp-a/hello", headers="Connection: close\r\n")
            self.assertEqual(c.response()[1]["connection"], "close")
            self.assertTrue(c.is_closed())
        with self.server.connect() as c:
            c.request("/myapp-a/hello", version="1.0")
            self.assertEqual(c.response()[0], 200)
            self.assertTrue(c.is_closed())

    def test_head(self):
        with self.server.connect() as c:
            c.request("/myapp-a/hello", "HEAD")
            self.assertEqual(c.response(has_body=False)[1]["content-length"], "17")
            self.assertEqual(c.get("/myapp-b/hello")[2], b"hello from app-b\n")

    def test_a_client_that_says_all_and_closes_its_side(self):
        with self.server.connect() as c:
            c.request("/myapp-a/hello")
            c.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(c.response()[0], 200)
            self.assertTrue(c.is_closed())

    def test_the_queue_is_bounded(self):
        with self.server.connect() as c:
            answers = []
            for _ in range(200):
                c.request("/myapp-b/work", "POST", b"job")
                answers.append(c.response()[0])
        self.assertEqual(set(answers), {202, 503})
        self.assertGreaterEqual(answers.count(202), 64)

    def test_the_tree(self):
        scopes = self.server.scopes()
        for app in "/app-a", "/app-b":
            for path in app, app + "/handlers", app + "/timers", app + "/background":
                self.assertIn(path, scopes)
        self.assertEqual([c["name"] for c in scopes["/app-a/background"]["children"]], ["worker"])
        with self.server.connect() as c:
            c.request("/myapp-a/slow?ms=60000")
            self.assertTrue(until(lambda: "GET /myapp-a/slow" in self.server.get("/tree")[1]))


class Faults(unittest.TestCase):
    def quiet(self, server, descriptors):
        """All clients have gone: so have their scopes and sockets."""
        self.assertTrue(until(lambda: server.connections() == 0), server.get("/tree")[1])
        self.assertTrue(until(lambda: server.descriptors() <= descriptors))

    def ends_well(self, server):
        status, out, err, _ = server.end()
        self.assertEqual(status, 0, out + err)

    def test_clients_that_vanish(self):
        with Server("--workers=2") as server:
            server.get("/myapp-a/hello")
            descriptors = server.descriptors()
            for say in (
                "",
                "GET /myapp",
                "GET /myapp-a/hello HTTP/1.1\r\n",
                "POST /myapp-a/work HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc",
                "GET /myapp-a/hello HTTP/1.1\r\n\r\n",
                "GET /myapp-a/fan-out HTTP/1.1\r\n\r\n" * 10,
            ):
                for reset in False, True:
                    for _ in range(10):
                        c = server.connect()
                        c.send(say)
                        if reset:
                            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        c.close()
            self.quiet(server, descriptors)
            self.ends_well(server)

    def test_the_handler_of_a_client_that_vanishes_is_stopped(self):
        with Server("--workers=2") as server:
            server.get("/myapp-a/hello")
            descriptors = server.descriptors()
            clients = [server.connect() for _ in range(5)]
            for c in clients:
                c.request("/myapp-a/slow?ms=60000")
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 5))
            for c in clients:
                c.close()
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 0))
            self.assertEqual(server.scopes()["/app-a/handlers"]["stopped"], 5)
            self.quiet(server, descriptors)
            self.ends_well(server)

    def test_a_client_that_sends_too_slowly(self):
        with Server("--workers=2", "--patience=300ms") as server:
            with server.connect() as c, server.connect() as idle:
                c.send("GET /myapp-a/he")
                began = time.monotonic()
                self.assertTrue(c.is_closed())
                self.assertGreater(time.monotonic() - began, 0.25)
                self.assertEqual(idle.get("/myapp-a/hello")[0], 200)  # who is silent may be for longer
            self.quiet(server, server.descriptors())
            self.ends_well(server)

    def test_a_client_that_does_not_read(self):
        with Server("--workers=2", "--patience=300ms") as server:
            with server.connect() as c:
                c.socket.settimeout(1)
                request = b"GET /tree HTTP/1.1\r\n\r\n" * 1000
                with self.assertRaises(OSError):  # the server does not read either, and then closes
                    while True:
                        c.send(request)
                self.assertTrue(until(lambda: server.connections() == 0))
            self.ends_well(server)

    @unittest.skipIf("undefined" in SANITIZERS, "the sanitizer itself opens files, and takes a failure for a bad pointer")
    def test_out_of_file_descriptors(self):
        with Server("--workers=2", files=32) as server:
            clients = [server.connect() for _ in range(60)]
            self.assertTrue(until(lambda: server.descriptors() == 32))
            for c in clients[:5]:
                self.assertEqual(c.get("/myapp-a/hello")[0], 200)
            used = server.cpu_seconds()
            time.sleep(1)
            self.assertLess(server.cpu_seconds() - used, 0.2, "it spins")
            clients[-1].request("/myapp-a/hello")  # waits in the kernel's queue
            for c in clients[:50]:
                c.close()
            self.assertEqual(clients[-1].response()[0], 200)
            for c in clients[50:]:
                c.close()
            self.assertEqual(server.get("/myapp-a/hello")[0], 200)
            self.quiet(server, 31)
            self.ends_well(server)


class Shutdown(unittest.TestCase):
    # cases: T350, T354
    def test_a_slow_request_is_finished(self):
        with Server("--workers=2", "--drain=5s") as server, server.connect() as c, server.connect() as idle:
            self.assertEqual(idle.get("/myapp-a/hello")[0], 200)
            c.request("/myapp-a/slow?ms=700")
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 1))
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(idle.is_closed())
            with self.assertRaises(ConnectionRefusedError):
                server.connect()
            status, fields, body = c.response()
            self.assertEqual((status, fields["connection"], body), (200, "close", b"slept 700 ms\n"))
            self.assertTrue(c.is_closed())
            c.close()
            out, err = server.process.communicate(timeout=2)
            self.assertEqual(server.process.returncode, 0, out + err)
            self.assertIn(" 0 stopped, 0 abandoned", out)
            self.assertLess(out.index("app-a: pool released"), out.index("shutdown: "))

    def test_a_request_that_has_begun_to_arrive_is_answered(self):
        with Server("--workers=2") as server, server.connect() as c:
            c.send("GET /myapp-a/fan-")
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            c.send("out HTTP/1.1\r\n\r\n")
            self.assertEqual(c.response()[2], b"1 + 4 + 9 + 16 = 30\n")
            c.close()
            server.process.communicate(timeout=2)
            self.assertEqual(server.process.returncode, 0)

    def test_a_request_that_takes_too_long_is_stopped_and_reported(self):
        with Server("--workers=2", "--drain=300ms", "--stop=2s") as server, server.connect() as c:
            c.request("/myapp-a/slow?ms=60000")
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 1))
            status, out, err, seconds = server.end()
            self.assertEqual(status, 0, out + err)
            self.assertRegex(out, r"/connections: \d drained, [1-3] stopped, 0 abandoned")
            self.assertRegex(out, r"/app-a/timers: 1 drained, 0 stopped, 0 abandoned")
            self.assertGreater(seconds, 0.25)
            self.assertLess(seconds, 0.3 + GRACE)
            self.assertTrue(c.is_closed())

    def test_a_request_that_cannot_be_stopped_is_abandoned_and_reported(self):
        with Server("--workers=2", "--drain=200ms", "--stop=200ms") as server, server.connect() as c:
            c.request("/myapp-b/blocking?ms=10000")
            self.assertTrue(until(lambda: server.scopes()["/app-b/handlers"]["live"] == 1))
            status, out, err, seconds = server.end()
            self.assertEqual(status, 1, out + err)
            self.assertIn("still running: GET /myapp-b/blocking in /app-b/handlers", out)
            self.assertLess(seconds, 0.4 + GRACE)

    # cases: T354
    def test_no_drain(self):
        with Server("--workers=2", "--drain=0s") as server, server.connect() as c:
            c.request("/myapp-a/slow?ms=60000")
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 1))
            status, out, err, seconds = server.end()
            self.assertEqual(status, 0, out + err)
            self.assertLess(seconds, GRACE)

    # cases: T345, T350
    def test_a_second_signal_stops_at_once(self):
        for second in signal.SIGTERM, signal.SIGINT:
            with Server("--workers=2", "--drain=60s") as server, server.connect() as c:
                c.request("/myapp-a/slow?ms=60000")
                self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 1))
                status, out, err, seconds = server.end(signal.SIGINT, second)
                self.assertEqual(status, 0, out + err)
                self.assertIn("a second signal: stopping at once", out)
                self.assertLess(seconds, 0.2 + GRACE)

    def test_accepted_jobs_are_done(self):
        # Also when a slow request needs the whole drain, and more.
        with Server("--workers=2", "--drain=50ms", "--stop=5s") as server, server.connect() as c:
            slow = server.connect()
            slow.request("/myapp-a/slow?ms=60000")
            self.assertTrue(until(lambda: server.scopes()["/app-a/handlers"]["live"] == 1))
            for _ in range(60):
                c.request("/myapp-a/work", "POST", b"job")
                self.assertEqual(c.response()[0], 202)
            c.close()
            status, out, err, _ = server.end()
            slow.close()
            self.assertEqual(status, 0, out + err)
            self.assertIn("app-a: 60 jobs done", out)

    # cases: T348
    def test_at_once_after_the_start(self):
        for _ in range(10):
            with Server("--workers=2") as server:
                status, out, err, seconds = server.end()
                self.assertEqual(status, 0, out + err)
                self.assertLess(seconds, GRACE)

    def test_nothing_is_lost(self):
        drain_under_load(self)


class Stress(unittest.TestCase):
    def test_nothing_is_lost_many_times(self):
        runs = int(os.environ.get("TASKSCOPE_DRAINS", "20"))
        raced = sum(drain_under_load(self, wrk=shutil.which("wrk") is not None) for _ in range(runs))
        self.assertLessEqual(raced, runs, "the server should wait a moment for requests on their way")


def drain_under_load(test, wrk=False, drain=5, stop=2):
    """SIGTERM while clients are at it: no request is lost, and the server ends in time and well.

    Returns how many requests were sent too late."""
    paths = [["/myapp-a/hello", "/myapp-b/fan-out", "/tree"], ["/myapp-b/slow?ms=100", "/myapp-a/slow?ms=3"]]
    tally = verifying_client.Tally()

    async def load(server):
        clients = [
            asyncio.create_task(
                verifying_client.client(server.port, paths[i % 3 == 0], tally, keep_alive=i % 4 != 1)
            )
            for i in range(24)
        ]
        await asyncio.sleep(0.5)
        # On this thread: no request is sent between the two.
        tally.draining = True
        server.process.send_signal(signal.SIGTERM)
        ended = asyncio.create_task(asyncio.to_thread(server.ended, time.monotonic()))
        _, late = await asyncio.wait(clients, timeout=drain + stop + GRACE)
        test.assertFalse(late, tally)
        return await ended

    with Server("--workers=2", f"--drain={drain}s", f"--stop={stop}s") as server:
        command = ["wrk", "-t1", "-c64", "-d60s", f"http://127.0.0.1:{server.port}/myapp-a/hello"]
        noise = subprocess.Popen(command, stdout=subprocess.DEVNULL) if wrk else None
        try:
            status, out, err, seconds = asyncio.run(load(server))
        finally:
            if noise:
                noise.kill()
                noise.wait()
    print(f"{tally}; status {status} after {seconds:.2f} s", flush=True)
    test.assertEqual((tally.lost, tally.not_2xx), (0, 0), tally)
    test.assertEqual(status, 0, out + err)
    test.assertRegex(out, r"shutdown: \d+ drained, 0 stopped, 0 abandoned")
    test.assertLess(seconds, drain + stop + GRACE)
    return tally.raced


if __name__ == "__main__":
    SERVER = sys.argv[1]
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
