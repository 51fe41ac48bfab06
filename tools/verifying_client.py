# tools/verifying_client.py - HTTP clients that account for every request they send; for demo.py and the tests.
# SPDX-License-Identifier: MIT
"""What can become of a request that was sent completely:

  complete     the response has arrived, all of it
  truncated    the response had begun, and the connection ended before it was complete
  unanswered   the connection ended before the first byte of a response
  overdue      nothing came for longer than the limit
  raced        like unanswered, but the request was sent after the server had been told to end

All but `complete` and `raced` are losses. HTTP/1.1 lets a server close an idle connection at any time, so a
request can be on its way while the server closes; the server has not seen it, and a client may send it again
(RFC 9112, 9.3.1). A request that was sent before SIGTERM has no such excuse: on the loopback it is in the
server's hands, and must be answered.
"""

import asyncio
import collections
import itertools


class Tally:
    def __init__(self):
        self.complete = collections.Counter()  # status -> responses
        self.truncated = 0
        self.unanswered = 0
        self.overdue = 0
        self.raced = 0
        self.refused = 0  # connections, while the server should have accepted them
        self.in_flight = 0
        self.draining = False  # set this before the server is told to end

    @property
    def lost(self):
        return self.truncated + self.unanswered + self.overdue + self.refused

    @property
    def not_2xx(self):
        return sum(n for status, n in self.complete.items() if not 200 <= status < 300)

    @property
    def requests(self):
        return sum(self.complete.values()) + self.lost + self.raced

    def __str__(self):
        return (
            f"{sum(self.complete.values())} responses complete, {self.not_2xx} of them not 2xx, "
            f"{self.truncated} truncated, {self.unanswered} unanswered, {self.overdue} overdue, "
            f"{self.refused} connections refused, {self.raced} raced with the close of an idle connection"
        )


class Truncated(Exception):
    pass


async def read_response(reader):
    """Returns (status, whether the connection stays, body), or None if the connection ends before the first byte."""
    try:
        first = await reader.read(1)
    except ConnectionError:
        return None
    if not first:
        return None
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
    except (ConnectionError, asyncio.IncompleteReadError) as e:
        raise Truncated from e
    return status, fields.get("connection") != "close", body


async def client(port, paths, tally, limit=30.0, keep_alive=True):
    """Sends one request after the other, until the server closes the connection, or is told to end.

    Without keep_alive each request has a connection of its own."""
    paths = itertools.cycle(paths)
    while not tally.draining:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if not tally.draining:
                tally.refused += 1
            return
        try:
            while await exchange(reader, writer, next(paths), tally, limit, keep_alive):
                pass
        finally:
            writer.transport.abort()


async def exchange(reader, writer, path, tally, limit, keep_alive):
    """One request and what becomes of it. Returns whether the connection can be used again."""
    close = "" if keep_alive else "Connection: close\r\n"
    excused = tally.draining
    writer.write(f"GET {path} HTTP/1.1\r\nHost: demo\r\n{close}\r\n".encode())
    tally.in_flight += 1
    try:
        response = await asyncio.wait_for(read_response(reader), limit)
    except Truncated:
        tally.truncated += 1
        return False
    except asyncio.TimeoutError:
        tally.overdue += 1
        return False
    finally:
        tally.in_flight -= 1
    if response is None:
        if excused:
            tally.raced += 1
        else:
            tally.unanswered += 1
        return False
    status, stays, _ = response
    tally.complete[status] += 1
    return stays
