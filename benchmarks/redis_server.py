"""A Redis of one's own: it listens on a free port, stores nothing, and ends with its user."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

COMMAND = shutil.which("redis-server")

PATIENCE = 20.0
"""Seconds until it must answer."""


@contextmanager
def running() -> Iterator[int]:
    """Run a Redis, and yield its port."""
    if COMMAND is None:
        raise SystemExit("there must be a redis-server: apt-get install redis-server")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [COMMAND, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--save", "", "--appendonly", "no"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for(port)
                yield port
            finally:
                process.terminate()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
