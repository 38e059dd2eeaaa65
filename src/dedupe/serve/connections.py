"""Closes connections that would be held for ever, and those for which there is no room.

Uvicorn lets a request take as long as it likes to begin, and an answer to be read. Each holds a
file of the process, of which there are a thousand as a rule; then nobody else is let in.
"""

import asyncio
from http import HTTPStatus
from math import inf
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from dedupe.serve.app import failure

__all__ = ["MOST", "Connection"]

MOST = 256
"""Connections at the same time: four for each request that may wait, and a quarter of the files
that a process may open."""

LEAVING = 5.0
"""Seconds for the rest of a request to come, and for an answer to be read, once the server is to
stop: it waits for whoever does neither, and its successor waits for it."""


class Connection(H11Protocol):
    """A connection that is closed if it is not made use of.

    Parameters
    ----------
    within : float
        Seconds for all headers of a request to come, and for an answer to be read once it is
        sent.
    """

    def __init__(self, *arguments: Any, within: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._within = within
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request; of too many who do not send one, the first has to go."""
        super().connection_made(transport)
        self._wait(self._late)
        if len(self.connections) > MOST:
            ours = [one for one in self.connections if isinstance(one, Connection)]
            first = min((one for one in ours if one._is_asking()), key=Connection._due)
            first._refuse(503, f"at most {MOST} connections are held: ask again")

    def shutdown(self) -> None:
        """Answer what was asked, unless the rest of it is not sent, or the answer not read."""
        super().shutdown()
        self._within = min(self._within, LEAVING)
        if not self._is_answering():
            self._wait(self.transport.abort)
        else:
            # Whatever else comes, this is not put off.
            self.loop.call_later(self._within, self._leave)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come; whoever begins another request has as long as for the first."""
        if self._deadline is None and not self._is_answering():
            self._wait(self._late)
        super().data_received(data)
        if self._is_answering():
            self._wait(None)

    def on_response_complete(self) -> None:
        """Let go of an answer that nobody reads, once the connection is to be closed."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait(self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close what is not made use of any more, and do so with its answer, too."""
        super().timeout_keep_alive_handler()
        self._wait(self.transport.abort)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_asking(self) -> bool:
        """Return whether it waits for a request, and is not about to be closed."""
        return self._deadline is not None and not (
            self._is_answering() or self.transport.is_closing()
        )

    def _due(self) -> float:
        """Return when it is to be closed."""
        return inf if self._deadline is None else self._deadline.when()

    def _wait(self, then: Any) -> None:
        """Do something when the time is over, in place of what was to be done before."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if then is None else self.loop.call_later(self._within, then)

    def _leave(self) -> None:
        if self._is_answering() and self.cycle.more_body and not self.transport.is_closing():
            self._refuse(503, "the server stops: ask again when it has started")

    def _late(self) -> None:
        begun, _ = self.conn.trailing_data
        if begun:
            self._refuse(408, f"a request must begin within {self._within:g} seconds")
        else:
            self.transport.close()

    def _refuse(self, code: int, message: str) -> None:
        """Say why, and close."""
        body = failure(code, message)
        head = (
            f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        self._wait(self.transport.abort)
