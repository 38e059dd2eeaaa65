"""Our signatures in datasketch's index with Redis for its storage, on a real Redis.

Where there is none the test is skipped; with ``DEDUPE_REDIS=required``, which ``.ci/run`` sets, it
fails instead.
"""

import gc
import importlib.util
import os

import pytest
from datasketch import MinHashLSH

import redis_server
from dedupe.minhash import sketch, to_datasketch
from dedupe.settings import Settings
from strategies import article, edited

IS_THERE = bool(redis_server.COMMAND and importlib.util.find_spec("redis"))

pytestmark = pytest.mark.skipif(
    not IS_THERE and os.environ.get("DEDUPE_REDIS") != "required",
    reason="redis-server, or the client redis for Python, is not installed",
)

STORIES = {f"s{i}": article(f"story {i}", 150) for i in range(20)}


def signed(texts):
    found = sketch([text.encode() for text in texts], Settings()).signatures
    return list(map(to_datasketch, found))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_index_in_redis_has_the_candidates_of_one_in_memory():
    assert IS_THERE, "DEDUPE_REDIS=required, and redis-server or the client redis is missing"
    asked = signed(edited(text, 0.02, 1) for text in STORIES.values())
    with redis_server.running() as port:
        storage = {
            "type": "redis",
            "basename": b"news",
            "redis": {"host": "127.0.0.1", "port": port},
        }
        writer = MinHashLSH(0.5, num_perm=128, storage_config=storage)
        memory = MinHashLSH(0.5, num_perm=128)
        for id_, signature in zip(STORIES, signed(STORIES.values()), strict=True):
            writer.insert(id_, signature)
            memory.insert(id_, signature)
        # Another machine of the fleet opens it by its name.
        reader = MinHashLSH(0.5, num_perm=128, storage_config=storage)
        found = [sorted(reader.query(signature)) for signature in asked]
        assert found == [sorted(memory.query(signature)) for signature in asked]
        assert found == [[id_] for id_ in STORIES]
        writer.remove("s3")
        assert reader.query(asked[3]) == []
        # datasketch closes no connection; they go here, where nobody is warned of it.
        del writer, reader
        gc.collect()
