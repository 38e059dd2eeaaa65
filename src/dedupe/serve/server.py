"""Runs a server: opens the index, listens, and stops in order when it is told to."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, cast

from dedupe.errors import InvalidSetting, MissingExtra
from dedupe.index.folder import is_index
from dedupe.index.index import Index
from dedupe.serve.app import App, Limits
from dedupe.warming import warm_up_once

__all__ = ["HOST", "PORT", "run", "token_from"]

HOST, PORT = "127.0.0.1", 8417

SHORTEST_TOKEN = 16
"""Characters: what is shorter can be guessed."""

GRACE = 30
"""Seconds for what is being answered when the server is told to stop."""

TOKEN = "DEDUPE_TOKEN"
"""The variable of the environment that may hold the token."""


def run(
    path: str | os.PathLike[str],
    *,
    host: str = HOST,
    port: int = PORT,
    token: str | None = None,
    limits: Limits | None = None,
    mode: Literal["a", "r"] = "a",
    timeout: float = 10.0,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer requests about an index until SIGTERM or SIGINT comes.

    Parameters
    ----------
    path : path
        The index, made if need be where it is not only read.
    host, port
        Where to listen; port 0 takes any that is free.
    token : str, optional
        Without it, `host` must be of this machine.
    limits : Limits, optional
    mode, timeout
        As in `dedupe.Index`.
    tell : callable
        Is given what there is to say: where it listens, and that it has stopped.

    Raises
    ------
    InvalidSetting
        When others could reach it without a token, the token is too short, or nothing can listen
        there.
    MissingExtra
    """
    try:
        import uvicorn  # noqa: PLC0415

        from dedupe.serve.connections import Connection  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("a server", "serve") from error
    _check_token(host, token)
    # Whoever asks first would wait for it, longer than most clients do.
    warm_up_once(lambda step: tell(step.note) if step.note else None)
    new = "" if is_index(path) else "new index, "
    with _listening(host, port) as listener, Index(path, mode=mode, timeout=timeout) as index:
        limits = limits or Limits()
        app = App(index, token=token, limits=limits)
        config = uvicorn.Config(
            app,
            http=cast("type[asyncio.Protocol]", partial(Connection, within=limits.timeout)),
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=1 << 16,
        )
        server = uvicorn.Server(config)
        bound = listener.getsockname()
        name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        # Who is told may ask at once, though the loop has not begun.
        listener.listen(config.backlog)
        tell(f"{path}: {new}{len(index):,} documents, http://{name}:{bound[1]}")
        try:
            # It sets handlers for signals meanwhile, and sends them again when it has stopped.
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass
        finally:
            app.close()
    tell(f"{path}: stopped")


def token_from(file: Path | None) -> str | None:
    """Return the token from a file, else from the environment, if it is there."""
    if file is None:
        return os.environ.get(TOKEN) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"a token must be in a file that can be read: {error}") from error


def _check_token(host: str, token: str | None) -> None:
    if token is None and not _is_local(host):
        raise InvalidSetting(
            f"a server that others can reach must have a token, got host {host!r} without one: "
            f"name a file that holds it with --token-file, set {TOKEN}, or listen on {HOST}"
        )
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii()):
        raise InvalidSetting(
            f"a token must have at least {SHORTEST_TOKEN} characters, all of ASCII, got "
            f"{len(token)}: openssl rand -hex 32 makes one"
        )


def _is_local(host: str) -> bool:
    """Return whether a host is the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, so that a port which is taken is said before all else."""
    # The system would take what is left of the number in 16 bits.
    if not 0 <= port < 1 << 16:
        raise InvalidSetting(f"port must be in [0, 65535], got {port}: leave it out for {PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise InvalidSetting(
            f"host and port must be free to listen on, got {host}:{port}: {error}"
        ) from error
    return listener
