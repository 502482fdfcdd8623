"""What the judges' functions and extensions share: Lambda's APIs over plain HTTP, and notes on disk.

Only Python's standard library, so that a case runs wherever Python does and nothing between it and the API hides a mistake.
"""

import http.client
import json
import mmap
import os
import signal
import socket
import struct
import threading
import time


def address():
    """The host and the port of the sandbox's API."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    return host, int(port)


class Answer:
    """One answer of the API: `status`, `headers` with lower-case names, `body` as bytes."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def told(self):
        """The answer as JSON can carry it."""
        return {"status": self.status, "headers": self.headers, "body": self.body.decode("utf-8", "replace")}


class Api:
    """A kept connection, opened again when it is gone."""

    def __init__(self):
        self.connection = None

    def call(self, method, path, body=b"", headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*address())
        try:
            self.connection.request(method, path, body, headers or {})
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise

    def calls(self, calls, request_id=""):
        """Makes each of `calls`, a list of [method, path, headers, body]; returns the answers as JSON can carry them."""
        told = []
        for method, path, headers, body in calls:
            body = body if isinstance(body, str) else json.dumps(body)
            path = path.replace("$ID", request_id)
            told.append(self.call(method, path, body.encode(), headers).told())
        return told


def raw(head, pieces, read=True):
    """Sends `head` and each of `pieces` as they are on a connection of its own; returns what came back, or closes at once."""
    with socket.create_connection(address()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while read:
            chunk = connection.recv(65536)
            received += chunk
            # Every answer here is short and sent in one piece, with its length known.
            if not chunk or b"\r\n\r\n" in received:
                break
    return received.decode("utf-8", "replace")


def start(work, *arguments):
    """Runs `work` in a thread of its own that takes no SIGTERM: Python acts on signals in its first thread alone, which another
    thread's signal does not wake."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=work, args=arguments, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def note(path, value):
    """Appends `value` to the file as a JSON line, in one write, so that writers do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(file, json.dumps(value).encode() + b"\n")
    os.close(file)


def count_in(path, pause_s):
    """Counts in the first 8 bytes of the file for ever, with a rest between."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    os.ftruncate(file, 8)
    counter = mmap.mmap(file, 8)
    count = 0
    while True:
        count += 1
        counter[:8] = struct.pack("<Q", count)
        time.sleep(pause_s)


def wait_for_count(path):
    """Returns when the counter in the file has begun: a sandbox is frozen as soon as it has nothing left to do."""
    while not os.path.exists(path) or open(path, "rb").read() in (b"", bytes(8)):
        time.sleep(0.001)
