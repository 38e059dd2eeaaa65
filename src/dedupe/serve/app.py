"""Speaks HTTP: an ASGI application that lets through what is allowed, and answers with JSON.

The index is used in one thread of its own, since its callers take turns anyway, so that those who
wait are served in the order in which they came, and can still be told that it takes too long.
What reads the whole index has another thread, which the end of the server does not wait for.
"""

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from dedupe import __version__, errors
from dedupe.index.index import Index
from dedupe.serve.openapi import describe
from dedupe.serve.operations import OPERATIONS, InvalidRequest, Operation, checked

__all__ = ["App", "Limits", "failure"]

LOG = logging.getLogger("dedupe")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.UnknownDocument, 404),
    (errors.DuplicateId, 409),
    (errors.CannotStore, 507),
    (errors.InvalidSetting, 400),
    (errors.InvalidInput, 400),
    (errors.NothingToRead, 400),
    (InvalidRequest, 400),
    (errors.DedupeError, 500),
)
"""The code of HTTP for what the library raises on purpose; the first that fits."""

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of the machine itself."""


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, and all of them together, may take.

    Attributes
    ----------
    max_bytes : int
        Of a request.
    timeout : float
        Seconds for it to arrive, and as many to be answered.
    max_waiting : int
        Requests that arrive, wait or are answered at the same time.
    """

    max_bytes: int = 16 << 20
    timeout: float = 30.0
    max_waiting: int = 64


class Route(NamedTuple):
    """An operation, and how it is asked for."""

    method: str
    operation: Operation


class App:
    """The application.

    Parameters
    ----------
    index : Index
        Open; it is used by this application alone.
    token : str, optional
        What must be sent with each request. Without one, only programs of this machine are
        answered, and no page that a browser has from elsewhere.
    limits : Limits
    """

    def __init__(self, index: Index, *, token: str | None = None, limits: Limits) -> None:
        self._index = index
        self._token = None if token is None else f"Bearer {token}".encode()
        self._limits = limits
        self._routes = {
            f"/{one.name}": Route("GET" if one.reads else "POST", one) for one in OPERATIONS
        }
        self._description = _encoded(describe(__version__))
        self._worker = ThreadPoolExecutor(1, "dedupe-serve")
        self._n_arriving = 0
        self._n_waiting = 0
        self._is_long = False

    def close(self) -> None:
        """Finish what is being done, but for what is long, which may end anywhere."""
        self._worker.shutdown(cancel_futures=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: list[tuple[bytes, bytes]] = []
        try:
            code, body = 200, await self._answer(scope, receive)
        except Refused as refused:
            code, body = refused.code, failure(refused.code, str(refused), refused.kind)
            if code == 401:
                headers = [(b"www-authenticate", b"Bearer")]
            if code == 503:
                headers = [(b"retry-after", b"1")]
            if code in (408, 413):
                # What is left of the request is not read.
                headers = [(b"connection", b"close")]
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Message, receive: Receive) -> bytes:
        path = scope["path"]
        headers = dict(scope["headers"])
        if path != "/health":
            self._check_sender(headers)
        if path == "/openapi.json":
            _check_method(scope["method"], "GET")
            return self._description
        route = self._routes.get(path)
        if route is None:
            raise Refused(404, f"there is no {path}: see /openapi.json", "UnknownPath")
        _check_method(scope["method"], route.method)
        operation = route.operation
        if operation.reads:
            return await self._do(operation, _parameters(scope["query_string"]))
        self._check_body(headers)
        self._check_room()
        self._n_arriving += 1
        try:
            body = await self._body(receive)
        finally:
            self._n_arriving -= 1
        return await self._do(operation, body)

    def _check_sender(self, headers: dict[bytes, bytes]) -> None:
        """Refuse who does not know the token or, without one, may be a page of another site."""
        if self._token is not None:
            if not hmac.compare_digest(headers.get(b"authorization", b""), self._token):
                raise Refused(401, "a request must bring the token: Authorization: Bearer TOKEN")
            return
        host = headers.get(b"host", b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() not in LOCAL:
            raise Refused(403, f"a request must be for this machine itself, got Host: {host!r:.80}")

    def _check_body(self, headers: dict[bytes, bytes]) -> None:
        """Refuse what is too large before it is read, and what a form of another site can send."""
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            raise Refused(
                415, f"a request must be application/json, got {kind.decode('latin-1')!r}"
            )
        said = headers.get(b"content-length", b"0")
        if int(said) > self._limits.max_bytes:
            raise self._too_large()

    def _too_large(self) -> Refused:
        return Refused(
            413,
            f"a request must have at most {self._limits.max_bytes:,} bytes: send fewer documents "
            "at once, or start the server with a greater --max-bytes",
        )

    async def _body(self, receive: Receive) -> bytes:
        """Return what is sent, as long as it is small enough and comes in time."""
        parts, n_bytes = [], 0
        try:
            async with asyncio.timeout(self._limits.timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(408, "a request must be sent as a whole")
                    parts.append(message.get("body", b""))
                    n_bytes += len(parts[-1])
                    if n_bytes > self._limits.max_bytes:
                        raise self._too_large()
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise Refused(
                408, f"a request must arrive within {self._limits.timeout:g} seconds"
            ) from None

    async def _do(self, operation: Operation, body: bytes | dict[str, Any]) -> bytes:
        """Have an operation done in its turn, and wait for it as long as is allowed."""
        self._check_room()
        if operation.is_long and self._is_long:
            raise Refused(503, f"one {operation.name} at a time is done: ask again")
        loop = asyncio.get_running_loop()
        submit = _in_thread if operation.is_long else self._worker.submit
        work = submit(_done, self._index, operation, body)
        self._begin(operation)

        def finish(_: object) -> None:
            # The loop may have ended before what is long.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._finish, operation)

        work.add_done_callback(finish)
        try:
            async with asyncio.timeout(None if operation.is_long else self._limits.timeout):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            # Cancelling has stopped it, unless it had begun.
            told = "it was not begun" if work.cancelled() else "it may still be done"
            raise Refused(
                504, f"no answer within {self._limits.timeout:g} seconds; {told}: ask again"
            ) from None
        except asyncio.CancelledError:
            raise Refused(503, "the server stops: ask again when it has started") from None
        except errors.DedupeError as error:
            code = next(code for kind, code in CODES if isinstance(error, kind))
            raise Refused(code, str(error), type(error).__name__) from error
        except Exception as error:
            LOG.exception("/%s", operation.name)
            raise Refused(
                500, "something went wrong, of which the log of the server has more"
            ) from error

    def _check_room(self) -> None:
        """Refuse what comes beside many others, of which each may hold as much memory."""
        if self._n_arriving + self._n_waiting >= self._limits.max_waiting:
            most = self._limits.max_waiting
            raise Refused(503, f"at most {most:,} requests may wait: ask again")

    def _begin(self, operation: Operation) -> None:
        self._n_waiting += 1
        self._is_long = self._is_long or operation.is_long

    def _finish(self, operation: Operation) -> None:
        self._n_waiting -= 1
        self._is_long = self._is_long and not operation.is_long


def _in_thread(call: Callable[..., bytes], *arguments: Any) -> Future[bytes]:
    """Call a function in a thread that ends with the process, at the latest."""
    work: Future[bytes] = Future()

    def run() -> None:
        if work.set_running_or_notify_cancel():
            try:
                work.set_result(call(*arguments))
            except Exception as error:
                work.set_exception(error)

    threading.Thread(target=run, name="dedupe-serve-long", daemon=True).start()
    return work


def _check_method(method: str, wanted: str) -> None:
    if method != wanted:
        raise Refused(405, f"it must be asked with {wanted}, got {method}")


def _done(index: Index, operation: Operation, body: bytes | dict[str, Any]) -> bytes:
    """Read a request, do it, and write its answer; all of this off the loop of events."""
    said = body if isinstance(body, dict) else _decoded(body)
    return _encoded(operation.call(index, **checked(operation.fields, said)))


def _decoded(body: bytes) -> Any:
    """Return what JSON says; nothing at all is an object without members."""
    try:
        return json.loads(body or b"{}", parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"a request must be JSON in UTF-8: {error}") from error


def _no_number(said: str) -> None:
    raise ValueError(f"{said} is no number")


def _parameters(query: bytes) -> dict[str, str]:
    """Return what stands behind the question mark of an address."""
    try:
        # What is no ASCII there should have been written in percent.
        return _once_each(parse_qsl(query.decode("ascii"), errors="strict"))
    except ValueError as error:
        told = f"parameters must be UTF-8, written in percent: {error}"
        raise Refused(400, told, InvalidRequest.__name__) from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return names with their values; of one that is there twice, either could be meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _encoded(facts: Any) -> bytes:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def failure(code: int, message: str, kind: str = "") -> bytes:
    """Return what is said of an error."""
    kind = kind or HTTPStatus(code).phrase.replace(" ", "")
    return _encoded({"error": {"kind": kind, "message": message}})
