"""The server: what it answers, by its own description; what it refuses; and real sockets.

All but the sockets needs nothing besides the library: the application is asked as a server
would. Where uvicorn is missing, those are skipped; with ``DEDUPE_SERVE=required``, which
``.ci/run`` sets, they fail instead.
"""

import asyncio
import http.client
import importlib.util
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import jsonschema
import pytest

from dedupe import Index
from dedupe.cli.index.serve import serve
from dedupe.errors import InvalidSetting, MissingExtra
from dedupe.serve import app as apps
from dedupe.serve.app import App, Limits
from dedupe.serve.openapi import describe
from dedupe.serve.operations import OPERATIONS
from dedupe.serve.server import run, token_from
from strategies import article

STORY = article("story", 120)
JSON = {"content-type": "application/json"}
DESCRIPTION = describe("0")
TOKEN = "correct-horse-battery-staple"


def fits(facts, schema):
    """Hold what was answered against the description."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DESCRIPTION["components"]}
    jsonschema.validate(facts, whole, jsonschema.Draft202012Validator)


class Client:
    """Asks an application as a server would, and checks each answer against the description."""

    def __init__(self, index, *, token=None, **limits):
        self.app = App(index, token=token, limits=Limits(**limits))

    def ask(self, method, path, body=b"", *, parts=None, **headers):
        """Return code and answer."""
        return asyncio.run(self.asked(method, path, body, parts=parts, **headers))

    async def asked(self, method, path, body=b"", *, parts=None, **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        waiting = [*(parts or [body])]
        path, _, query = path.partition("?")
        said = {"host": "localhost:8417", **(JSON if method == "POST" else {}), **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in said.items()
            ],
        }
        sent = []

        async def receive():
            if waiting[0] is None:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        start, end = sent
        assert dict(start["headers"])[b"content-length"] == str(len(end["body"])).encode()
        code, facts = start["status"], json.loads(end["body"])
        operation = DESCRIPTION["paths"].get(path, {}).get("post" if method == "POST" else "get")
        if code != 200:
            fits(facts, "Error")
            assert operation is None or str(code) in operation["responses"]
        elif operation is not None:
            content = operation["responses"]["200"]["content"]["application/json"]
            fits(facts, content["schema"]["$ref"].rpartition("/")[2])
        return code, facts

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)


@pytest.fixture
def index():
    with Index() as index:
        index.add("agency", STORY, time=86400)
        yield index


@pytest.fixture
def client(index):
    client = Client(index)
    yield client
    client.app.close()


def error(answer):
    return answer[0], answer[1]["error"]["kind"]


# --- what it answers ---


def test_a_query_answers_as_the_library_does(client, index):
    text = "home news\n" + STORY
    code, facts = client.post("/query", {"text": text})
    assert code == 200
    assert facts == index.query(text).as_json()
    assert facts["matches"][0]["id"] == "agency"
    assert "evidence" not in facts["matches"][0]
    _, facts = client.post("/query", {"text": text, "evidence": True, "limit": 1})
    (passage,) = facts["matches"][0]["evidence"]["passages"]
    assert STORY[slice(*passage["right"])] == text[slice(*passage["left"])]


def test_adding_says_what_was_there_before(client, index):
    body = {"id": "page", "text": STORY, "time": "2024-06-11"}
    code, facts = client.post("/add", body)
    assert (code, [one["id"] for one in facts["matches"]]) == (200, ["agency"])
    assert facts["outcome"] == "added"
    assert client.ask("GET", "/document?id=page") == (
        200,
        {"id": "page", "text": STORY, "time": 1718064000.0},
    )
    # The same again changes nothing; another text must be meant.
    assert client.post("/add", body)[1]["outcome"] == "unchanged"
    other = {"id": "page", "text": "something else"}
    assert error(client.post("/add", other)) == (409, "DuplicateId")
    assert client.post("/add", {**other, "on_conflict": "update"})[1]["outcome"] == "updated"
    assert client.post("/update", {"id": "page", "text": "once more"})[1]["outcome"] == "updated"
    assert index["page"] == "once more"


def test_many_are_added_at_once(client, index):
    documents = [{"id": 7, "text": "one two"}, {"id": "b", "text": "three", "time": -5e7}]
    documents.append({"id": "empty", "text": ""})
    code, facts = client.post("/add_texts", {"documents": documents})
    assert code == 200
    assert (facts["n_added"], [one["id"] for one in facts["skipped"]]) == (2, ["empty"])
    assert facts["n_undated"] == 1
    assert index.document(7).time is None
    assert client.ask("GET", "/document?id=7")[1]["id"] == 7
    assert client.post("/expire", {"before": -4e7}) == (200, {"n_removed": 1})
    assert client.post("/expire", {"before": "90d"}) == (200, {"n_removed": 1})
    again = client.post("/add_texts", {"documents": documents[:1]})
    assert again[1]["n_unchanged"] == 1


def test_documents_are_removed_all_or_none(client, index):
    assert error(client.post("/remove", {"ids": ["agency", "nope"]})) == (404, "UnknownDocument")
    assert "agency" in index
    body = {"ids": ["agency", "nope"], "ignore_missing": True}
    assert client.post("/remove", body) == (200, {"n_removed": 1})
    assert error(client.ask("GET", "/document?id=agency")) == (404, "UnknownDocument")


def test_it_learns_and_says_what_it_holds(client):
    assert client.post("/learn", {"if_grown": 1}) == (200, {"epoch": 1, "learned": True})
    assert client.post("/learn", b"") == (200, {"epoch": 2, "learned": True})
    assert client.post("/learn", {"if_grown": 0}) == (200, {"epoch": 2, "learned": False})
    assert error(client.post("/learn", {"if_grown": -1})) == (400, "InvalidSetting")
    assert client.ask("GET", "/stats")[1]["epoch"] == 2
    assert client.ask("GET", "/health") == (200, {"status": "ok", "n_documents": 1})


def test_it_describes_itself(client):
    code, facts = client.ask("GET", "/openapi.json")
    assert (code, {**facts, "info": 0}) == (200, {**DESCRIPTION, "info": 0})
    for schema in facts["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert set(facts["paths"]) == {f"/{one.name}" for one in OPERATIONS}


# --- what it refuses ---


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "must be JSON"),
        (b"\xff", "must be JSON"),
        (b"[" * 100_000, "must be JSON"),
        (b'{"text": NaN}', "NaN is no number"),
        (b"1" * 5000, "must be JSON"),
        ([], "must be an object of JSON, got list"),
        ({}, "text must be there, got nothing"),
        ({"text": 5}, "text must be string, got 5"),
        ({"text": "a", "treshold": 1}, "got 'treshold'"),
        ({"text": "a", "limit": True}, "limit must be integer or null, got True"),
        ({"text": "a", "limit": 0}, "limit must be a whole number of at least 1"),
        ({"text": "a", "threshold": 2}, "threshold must be"),
        ({"text": "."}, "must hold a word"),
        ({"text": "a", "evidence": None}, "evidence must be boolean, got None"),
    ],
)
def test_a_query_that_is_none_is_refused(client, body, told):
    code, facts = client.post("/query", body)
    assert code == 400
    assert told in facts["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/add", {"id": [1], "text": "a"}, "id must be string or integer or number"),
        ("/add", {"id": "", "text": "a"}, "an id must name a document"),
        ("/add", {"id": "b", "text": "a", "time": "soon"}, "time must be seconds since 1970"),
        ("/add", {"id": "b", "text": "a", "on_conflict": "drop"}, "must be error or update"),
        ("/add_texts", {"documents": ["a"]}, "must hold objects alone, got 'a'"),
        ("/add_texts", {"documents": [{"id": "b"}]}, "documents[0]: text must be there"),
        ("/expire", {"before": "soon"}, "before must be"),
        ("/expire", {"before": "90"}, "write 90d"),
        ("/expire", {"before": 90}, "write 90d"),
        ("/expire", {"before": -90.5}, "write 90d"),
        ("/remove", {"ids": [None]}, "id"),
    ],
)
def test_a_change_that_is_none_is_refused(client, index, path, body, told):
    code, facts = client.post(path, body)
    assert code == 400
    assert told in facts["error"]["message"]
    assert [*index] == ["agency"]


def test_an_id_that_no_encoding_can_hold_is_refused(client):
    assert error(client.post("/add", {"id": "a\ud800", "text": "a"})) == (400, "InvalidInput")
    (skipped,) = client.post("/add_texts", {"documents": [{"id": "a\ud800", "text": "a"}]})[1][
        "skipped"
    ]
    assert "lone surrogate" in skipped["reason"]
    assert error(client.ask("GET", "/document?id=a%FF")) == (400, "InvalidRequest")


def test_what_is_asked_twice_at_once_is_refused(client, index):
    assert error(client.ask("GET", "/document?id=agency&id=b")) == (400, "InvalidRequest")
    code, facts = client.post("/add", b'{"id": "b", "id": "c", "text": "a b c"}')
    assert (code, [*index]) == (400, ["agency"])
    assert "a name is there twice" in facts["error"]["message"]


def test_paths_and_methods_are_those_of_the_description(client):
    assert error(client.ask("GET", "/nope")) == (404, "UnknownPath")
    assert error(client.ask("GET", "/query")) == (405, "MethodNotAllowed")
    assert error(client.post("/stats", {})) == (405, "MethodNotAllowed")


def test_pages_of_other_sites_are_refused(client):
    body = {"text": STORY}
    assert error(client.post("/query", body, host="evil.example")) == (403, "Forbidden")
    assert error(client.post("/query", body, host="localhost.evil.example:80"))[0] == 403
    assert error(client.post("/query", body, content_type="text/plain"))[0] == 415
    for host in ("127.0.0.1", "[::1]:8417", "LOCALHOST:1"):
        assert client.post("/query", body, host=host)[0] == 200


def test_a_token_must_be_brought(index):
    client = Client(index, token=TOKEN)
    assert error(client.ask("GET", "/stats"))[0] == 401
    assert error(client.ask("GET", "/stats", authorization="Bearer nope"))[0] == 401
    assert error(client.ask("GET", "/openapi.json"))[0] == 401
    said = {"authorization": f"Bearer {TOKEN}", "host": "index.example"}
    assert client.ask("GET", "/stats", **said)[0] == 200
    assert client.ask("GET", "/health", host="10.0.0.7")[0] == 200
    client.app.close()


def test_what_is_too_large_is_refused(index):
    client = Client(index, max_bytes=100)
    assert error(client.post("/query", b"", content_length="101"))[0] == 413
    assert error(client.ask("POST", "/query", parts=[b"x" * 60, b"x" * 60]))[0] == 413
    assert client.post("/query", {"text": "x" * 80})[0] == 200
    client.app.close()


def test_what_comes_too_slowly_is_refused(index):
    client = Client(index, timeout=0.05)
    assert error(client.ask("POST", "/query", parts=[b"{", None]))[0] == 408
    client.app.close()


def test_who_waits_too_long_is_told_whether_it_was_begun(index, monkeypatch):
    client = Client(index, timeout=0.2, max_waiting=2)
    held = threading.Event()
    done = apps._done
    monkeypatch.setattr(apps, "_done", lambda *of: held.wait(10) and done(*of))

    async def three():
        body = {"text": STORY}
        return await asyncio.gather(*(client.asked("POST", "/query", body) for _ in range(3)))

    first, second, third = asyncio.run(three())
    assert first[0] == second[0] == 504
    assert "it may still be done" in first[1]["error"]["message"]
    assert "it was not begun" in second[1]["error"]["message"]
    assert error(third)[0] == 503
    held.set()
    client.app.close()


def test_it_learns_once_at_a_time_while_others_are_answered(client, monkeypatch):
    held = threading.Event()
    learn = client.app._index.learn
    monkeypatch.setattr(client.app._index, "learn", lambda **how: held.wait(10) and learn(**how))

    async def together():
        learning = asyncio.create_task(client.asked("POST", "/learn", {}))
        await asyncio.sleep(0)
        answers = [await client.asked("POST", "/query", {"text": STORY})]
        answers.append(await client.asked("POST", "/learn", {}))
        held.set()
        return [*answers, await learning]

    answered, refused, learned = asyncio.run(together())
    assert (answered[0], error(refused)[0], learned) == (
        200,
        503,
        (200, {"epoch": 1, "learned": True}),
    )


def test_who_waits_for_what_is_long_is_told_that_the_server_stops(client, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr(client.app._index, "learn", lambda **_: held.wait(10))

    async def stopped():
        learning = asyncio.create_task(client.asked("POST", "/learn", {}))
        await asyncio.sleep(0.05)
        learning.cancel()
        return await learning

    assert error(asyncio.run(stopped()))[0] == 503
    held.set()


def test_a_bug_is_told_in_the_log_alone(client, monkeypatch, caplog):
    def broken(*_, **__):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(client.app._index, "query", broken)
    code, facts = client.post("/query", {"text": STORY})
    assert code == 500
    assert "secret" not in json.dumps(facts)
    assert "secret" in caplog.text


def test_a_server_that_others_reach_needs_a_token(tmp_path):
    if not importlib.util.find_spec("uvicorn"):
        pytest.skip("uvicorn is not installed")
    for host in ("0.0.0.0", "::", "example.org"):
        with pytest.raises(InvalidSetting, match="must have a token"):
            run(tmp_path / "news", host=host)
    with pytest.raises(InvalidSetting, match="at least 16 characters, all of ASCII, got 15"):
        run(tmp_path / "news", token="x" * 15)
    # One of 16 is let through, up to what is wrong next.
    with pytest.raises(InvalidSetting, match=r"port must be in \[0, 65535\], got 65536"):
        run(tmp_path / "news", token="x" * 16, port=65536)
    assert not (tmp_path / "news").exists()


def test_a_token_is_read_from_a_file_or_the_environment(tmp_path, monkeypatch):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("DEDUPE_TOKEN", "of the environment")
    assert token_from(tmp_path / "token") == TOKEN
    assert token_from(None) == "of the environment"
    with pytest.raises(InvalidSetting, match="a file that can be read"):
        token_from(tmp_path / "nope")


def test_without_its_extra_the_server_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"dedupe-articles\[serve\]"):
        run(tmp_path / "news")


# --- real sockets ---

IS_THERE = importlib.util.find_spec("uvicorn") is not None
sockets = pytest.mark.skipif(
    not IS_THERE and os.environ.get("DEDUPE_SERVE") != "required",
    reason="uvicorn is not installed",
)


@pytest.fixture
def server(tmp_path, request):
    """Start a server of its own process; yield it and a function that asks it."""
    assert IS_THERE, "DEDUPE_SERVE=required, and uvicorn is missing"
    Path(tmp_path, "token").write_text(TOKEN)
    command = [sys.executable, "-m", "dedupe", "index", "serve", str(tmp_path / "news.dedupe")]
    command += ["--port", "0", "--token-file", str(tmp_path / "token")]
    command += getattr(request, "param", ("--time-limit", "20"))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    assert "http://127.0.0.1:" in line, line
    assert ("new index, " in line) == (" 0 documents, " in line)
    port = int(line.rpartition(":")[2])

    def ask(method, path, body=None, token=TOKEN):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {**JSON, "authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    yield process, port, ask
    process.kill()
    process.wait()
    process.stderr.close()


@sockets
def test_a_server_answers_many_and_stops_in_order(server, tmp_path):
    process, port, ask = server
    assert ask("GET", "/health", token="none")[0] == 200
    assert ask("GET", "/stats", token="none")[0] == 401
    assert ask("POST", "/add", {"id": "agency", "text": STORY})[1]["matches"] == []
    found = []

    def client(number):
        for turn in range(5):
            page = f"page {number} {turn}\n{STORY}"
            code, facts = ask("POST", "/add", {"id": f"{number}/{turn}", "text": page})
            found.append((code, "agency" in {one["id"] for one in facts["matches"]}))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(200, True)] * 20
    # A second writer is told who holds it.
    command = [sys.executable, "-m", "dedupe", "index", "compact", str(tmp_path / "news.dedupe")]
    other = subprocess.run(
        [*command, "--timeout", "0"], check=False, capture_output=True, text=True
    )
    assert other.returncode == 1
    assert f"held by process {process.pid}" in other.stderr
    # A request that was begun is answered; then it ends, and says so.
    with socket.create_connection(("127.0.0.1", port)) as slow:
        head = "POST /query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        body = json.dumps({"text": STORY}).encode()
        head += f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:10])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        slow.sendall(body[10:])
        assert slow.recv(1 << 16).startswith(b"HTTP/1.1 200")
    assert process.wait(timeout=30) == 0
    assert process.stderr.read().endswith("news.dedupe: stopped\n")
    with Index(tmp_path / "news.dedupe") as index:
        assert len(index) == 21


def opened(port, sent=b"", timeout=20):
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    connection.sendall(sent)
    return connection


def answer_of(connection):
    """Return all that is answered until the connection is closed."""
    parts = []
    with connection, suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


@sockets
@pytest.mark.parametrize("server", [("--time-limit", "1")], indirect=True)
def test_headers_that_come_byte_by_byte_hold_no_connection(server):
    _, port, ask = server
    head = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 400
    slow, idle = opened(port), opened(port)
    for place in range(len(head)):
        slow.sendall(head[place : place + 1])
        if select.select([slow], [], [], 0.05)[0]:
            break
    assert place < len(head) - 1, "it is answered while it still sends"
    assert answer_of(slow).startswith(b"HTTP/1.1 408 Request Timeout")
    assert answer_of(idle) == b"", "nothing is said to who asked nothing"
    # A second request has as long as the first, and one that is answered is cut off by nothing.
    twice = opened(port, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    first = b""
    while not first.endswith(b"}"):
        part = twice.recv(1 << 16)
        assert part, "it is not hung up on"
        first += part
    assert first.startswith(b"HTTP/1.1 200")
    twice.sendall(b"GET /hea")
    assert answer_of(twice).startswith(b"HTTP/1.1 408")
    assert ask("GET", "/health")[0] == 200


@sockets
@pytest.mark.parametrize("server", [("--max-bytes", "1000000")], indirect=True)
def test_who_sends_too_much_is_told_and_others_are_answered(server):
    _, port, ask = server
    head = f"POST /query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\n"
    for more in ("Content-Length: 9000000", "Transfer-Encoding: chunked"):
        large = opened(port, f"{head}{more}\r\n\r\n".encode())
        with suppress(ConnectionError):
            for _ in range(90):
                chunk = b"a" * 100_000
                large.sendall(b"186a0\r\n" + chunk + b"\r\n" if "chunked" in more else chunk)
        assert answer_of(large).startswith(b"HTTP/1.1 413")
    assert ask("GET", "/health")[0] == 200


@pytest.fixture
def large(tmp_path):
    """Store a text that no buffers of a socket hold."""
    text = article("large", 20_000) * 50
    with Index(tmp_path / "news.dedupe") as index:
        index.add_texts({"large": text})
    return text


@sockets
@pytest.mark.parametrize("server", [("--time-limit", "2")], indirect=True)
@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
def test_an_answer_that_nobody_reads_is_let_go(large, server, more):
    _, port, ask = server
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
    deaf.connect(("127.0.0.1", port))
    head = f"GET /document?id=large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    deaf.sendall(f"{head}{more}\r\n".encode())
    # Five seconds until Uvicorn gives up a connection that asks no more, and two for the answer.
    time.sleep(3 if more else 8)
    assert len(answer_of(deaf)) < len(large)
    assert ask("GET", "/health")[0] == 200


@sockets
@pytest.mark.parametrize("server", [("--time-limit", "2")], indirect=True)
def test_of_too_many_connections_those_go_that_ask_nothing(server):
    from dedupe.serve.connections import MOST  # noqa: PLC0415  It needs Uvicorn.

    _, port, ask = server
    first, *others = [opened(port, b"GET /health HTTP/1.1\r\n") for _ in range(MOST)]
    # Nobody is locked out by them.
    assert ask("GET", "/health")[0] == 200
    said = answer_of(first)
    assert said.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["kind"] == "ServiceUnavailable"
    for one in others:
        assert answer_of(one).startswith(b"HTTP/1.1 408")


@sockets
@pytest.mark.parametrize("sends", [False, True])
def test_who_does_not_send_the_rest_of_a_request_keeps_no_server_from_stopping(server, sends):
    from dedupe.serve.connections import LEAVING  # noqa: PLC0415  It needs Uvicorn.

    process, port, ask = server
    assert ask("GET", "/health")[0] == 200
    head = f"POST /query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    slow = opened(port, head.encode())
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    for _ in range(round(LEAVING) if sends else 0):
        time.sleep(0.8)
        slow.sendall(b" ")
    assert answer_of(slow).startswith(b"HTTP/1.1 503")
    assert process.wait(timeout=LEAVING + 5) == 0


@sockets
def test_a_server_that_is_killed_has_lost_nothing(server, tmp_path):
    process, _, ask = server
    for number in range(3):
        assert ask("POST", "/add", {"id": number, "text": f"{number} {STORY}"})[0] == 200
    process.kill()
    process.wait()
    with Index(tmp_path / "news.dedupe", mode="r") as index:
        assert [*index] == [0, 1, 2]


@sockets
def test_a_port_that_is_taken_is_told(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(InvalidSetting, match="must be free to listen on"),
    ):
        run(tmp_path / "news", port=taken.getsockname()[1])


@sockets
def test_what_is_compiled_first_is_told_before_it_listens(tmp_path, monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda **_: False)
    told = []
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(InvalidSetting, match="must be free to listen on"),
    ):
        run(tmp_path / "news", port=taken.getsockname()[1], tell=told.append)
    assert told == ["compiling the kernels, once; the next start is fast"]


# --- what the page about it shows ---

PAGE = (Path(__file__).parents[1] / "docs/serving.md").read_text(encoding="utf-8")


def shown(heading=""):
    """Return what is indented on the page, or in one of its sections."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0] if heading else PAGE
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


@sockets
def test_the_client_of_the_page_works(server, capsys):
    _, port, _ = server
    code = shown("A client").partition("curl")[0]
    code = code.replace("8417", str(port))
    # The server of this test has a token.
    code = code.replace('{"Content-Type"', f'{{"Authorization": "Bearer {TOKEN}", "Content-Type"')
    assert TOKEN in code
    names = {"text": STORY}
    exec(code, names)
    assert names["seen"]["matches"] == []
    exec(code.replace("agency/bridge", "page"), names)
    assert [one["id"] for one in names["seen"]["matches"]] == ["agency/bridge"]
    assert capsys.readouterr().out.split()[-1] == "2"
    with pytest.raises(RuntimeError, match="with another text than before"):
        names["ask"]("add", {"id": "page", "text": "Something else."})


@sockets
def test_the_client_of_the_page_waits_for_a_server_that_starts_anew():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = shown("A client").partition("seen = ")[0]
    names = {}
    exec(code.replace("8417", str(port)), names)
    waited = []
    names["time"] = SimpleNamespace(sleep=waited.append)
    with pytest.raises(URLError):
        names["ask"]("stats")
    assert sum(waited) > 20


def test_commands_of_the_page_are_those_there_are():
    """Those of the unit of systemd and of the container, too, as far as the flags go."""
    found = re.findall(r"dedupe index serve (.*)$", shown(), re.MULTILINE)
    found += [" ".join(json.loads(line)[3:]) for line in re.findall(r"^CMD (.*)$", shown(), re.M)]
    assert len(found) == 4
    for arguments in found:
        context = serve.make_context("serve", shlex.split(arguments))
        assert context.params["name"].name == "news.dedupe"
