"""A search on Spark says what one machine says, byte for byte, however the work is cut.

Without Java or PySpark these tests are skipped; with ``DEDUPE_SPARK=required``, which
``.ci/run`` sets, that is a failure.
"""

import json
import os
import random
import shutil
import sys
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dedupe import find_duplicate_texts
from dedupe.cli import cli
from dedupe.clustering import components as components_of
from dedupe.errors import (
    DuplicateId,
    InvalidCheckpoint,
    InvalidInput,
    InvalidSetting,
    MissingJava,
    NothingToRead,
)
from dedupe.lsh import emit
from dedupe.results.records import Pair
from dedupe.results.tables import said_of
from test_crowds import copies
from test_forms import notices

try:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from dedupe.spark import find_duplicates
    from dedupe.spark.candidates import buckets
    from dedupe.spark.columns import in_groups
    from dedupe.spark.components import components
    from dedupe.spark.job import Job
    from dedupe.spark.session import start
except ImportError:
    SparkSession = None

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
IS_REQUIRED = os.environ.get("DEDUPE_SPARK") == "required"

pytestmark = pytest.mark.skipif(
    SparkSession is None and not IS_REQUIRED, reason="needs PySpark, which the extra spark installs"
)

NEWS = Path(__file__).parent.parent / "docs" / "news.jsonl"
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from crawl import Crawl  # noqa: E402
from material import invented_material  # noqa: E402
from traps import make_traps  # noqa: E402

STORY = "the council voted on monday to close the old bridge until next spring " * 3


@pytest.fixture(scope="module")
def spark():
    """Start Spark on two processors, which compiles no plans: that takes longer than they run."""
    if not HAS_JAVA and not IS_REQUIRED:
        pytest.skip("needs Java")
    assert SparkSession is not None, "DEDUPE_SPARK=required, and PySpark is missing"
    assert HAS_JAVA, "DEDUPE_SPARK=required, and Java is missing"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def on_one_machine(texts, **settings):
    """Return what one machine says of texts, in the order of ids, as rows."""
    result = find_duplicate_texts(texts, **settings)
    kept = {member: cluster.representative for cluster in result.clusters for member in cluster}
    left_out = {one.id: one.reason for one in result.skipped}
    documents = [
        (
            id_,
            one.cluster,
            kept.get(id_, id_),
            one.duplicate_of,
            one.score,
            one.relation,
            one.reason,
        )
        for id_, one in said_of(result).items()
        if id_ not in left_out
    ]
    pairs = [tuple(getattr(pair, column.name) for column in fields(Pair)) for pair in result.scored]
    return sorted(documents), sorted(pairs), sorted(left_out.items())


def on_spark(session, texts, n_parts, **settings):
    """Return what Spark says of the same, whose rows come in no order."""
    rows = list(texts.items())
    random.Random(n_parts).shuffle(rows)
    kind = "long" if isinstance(rows[0][0], int) else "string"
    frame = session.createDataFrame(rows, f"id {kind}, text string").repartition(n_parts)
    answer = find_duplicates(frame, partitions=n_parts, **settings)
    frames = (answer.documents, answer.pairs, answer.skipped)
    documents, pairs, skipped = ([tuple(row) for row in one.collect()] for one in frames)
    return sorted(documents, key=lambda row: row[0]), sorted(pairs), sorted(skipped)


def check(session, texts, n_parts, **settings):
    assert on_spark(session, texts, n_parts, **settings) == on_one_machine(texts)


def news():
    """Return the news of the documentation, of which one record is empty."""
    records = map(json.loads, NEWS.read_text(encoding="utf-8").splitlines())
    return {record["id"]: record["text"] for record in records}


def everything():
    """Return a collection with all that a search has a stage for."""
    material = invented_material()
    found = {
        f"crowd/{n}": " ".join(f"w{word}" for word in one) for n, one in enumerate(copies(120))
    }
    found |= notices(20) | {f"{name} copy": f"Home\n\n{text}" for name, text in notices(20).items()}
    for trap in ("template", "own-boxes", "two-on-a-page", "chain", "forms"):
        collection = next(make_traps(material, only=[trap]))
        found |= {f"{trap}/{name}": text for name, text in [*collection.texts.items()][:40]}
    found |= {item.id: item.text for item in Crawl(material, 200)}
    return found | {"copy": found["crowd/7"], "…": "…", "blank": "  "}


# --- one law over both engines ---


@pytest.mark.parametrize("n_parts", [1, 3, 8])
def test_spark_says_of_everything_what_one_machine_says(spark, n_parts):
    check(spark, everything(), n_parts)


def test_spark_says_the_same_where_nothing_is_small(spark):
    """Components are found by stars, and what is known of shingles is joined."""
    forms = {f"form/{name}": text for name, text in notices(12).items()}
    check(spark, news() | forms, 3, small=0)


def test_spark_says_the_same_by_other_settings_and_of_numbered_rows(spark):
    texts = dict(enumerate(news().values()))
    settings = {"threshold": 0.7, "ngram": 3, "keep": "shortest", "prefer": ("3", "8")}
    assert on_spark(spark, texts, 2, **settings) == on_one_machine(texts, **settings)


# --- what is wrong with a frame ---


def test_rows_without_a_text_are_skipped_and_the_session_is_left_as_it_was(spark):
    frame = spark.createDataFrame(
        [("a", STORY), ("b", None), ("c", " "), ("d", "…")], "id string, text string"
    )
    before = dict(row for row in spark.sql("SET").collect())
    answer = find_duplicates(frame)
    assert dict(row for row in spark.sql("SET").collect()) == before
    reasons = {row.id: row.reason for row in answer.skipped.collect()}
    assert reasons == {"b": "no text", "c": "empty", "d": "no word in it"}
    assert [row.id for row in answer.documents.collect()] == ["a"]


@pytest.mark.parametrize(
    ("rows", "schema", "error", "message"),
    [
        ([("a", "x"), ("a", "y")], "id string, text string", DuplicateId, "'a' for 2 rows"),
        ([(None, "x")], "id string, text string", InvalidInput, "1 rows without"),
        ([("\t", "x")], "id string, text string", InvalidInput, "1 rows without"),
        ([(0.5, "x")], "id double, text string", InvalidInput, "got double in 'id'"),
        ([("a", "x")], "key string, text string", InvalidSetting, "got 'id', and they are key"),
        ([("a", "x")], "id string, body string", InvalidSetting, "got 'text'"),
        ([("a", "…")], "id string, text string", NothingToRead, "got 1 without"),
        ([("a", 7)], "id string, text int", InvalidInput, "got int in 'text'"),
    ],
)
def test_a_frame_that_cannot_be_searched_is_refused(spark, rows, schema, error, message):
    with pytest.raises(error, match=message):
        find_duplicates(spark.createDataFrame(rows, schema))


@pytest.mark.parametrize(
    "settings", [{"keep": "newest"}, {"partitions": 0}, {"small": -1}, {"threshold": 2}]
)
def test_a_setting_out_of_range_is_refused(spark, settings):
    with pytest.raises(InvalidSetting):
        find_duplicates(spark.createDataFrame([("a", "x")], "id string, text string"), **settings)


def test_an_empty_frame_has_an_empty_answer(spark):
    answer = find_duplicates(spark.createDataFrame([], "id string, text string"))
    assert [one.count() for one in (answer.documents, answer.pairs, answer.skipped)] == [0, 0, 0]


# --- checkpoints ---


def test_a_search_goes_on_behind_the_stages_that_are_there(spark, tmp_path):
    expected = on_spark(spark, news(), 2, checkpoint=str(tmp_path))
    stages = {path.name for path in tmp_path.iterdir()}
    assert stages == {"identity", "sketches", "candidates", "scored"}
    shutil.rmtree(tmp_path / "scored")
    # What was not finished is begun anew.
    (tmp_path / "candidates" / "_SUCCESS").unlink()
    assert (
        on_spark(spark, news(), 3, checkpoint=str(tmp_path)) == expected == on_one_machine(news())
    )


def test_a_checkpoint_of_something_else_is_refused(spark, tmp_path):
    on_spark(spark, {"a": STORY}, 1, checkpoint=str(tmp_path))
    for texts, settings in (({"a": STORY + "!"}, {}), ({"a": STORY}, {"ngram": 3})):
        with pytest.raises(InvalidCheckpoint, match="same input and settings"):
            on_spark(spark, texts, 1, checkpoint=str(tmp_path), **settings)


# --- the command ---


def test_the_command_writes_what_is_found(spark, tmp_path):
    folder = tmp_path / "found"
    ran = CliRunner().invoke(cli, ["spark", "find", str(NEWS), "-o", str(folder)])
    assert ran.exit_code == 0, ran.output
    assert "10 documents, 4 duplicates, 1 skipped" in ran.output
    rows = spark.read.parquet(str(folder / "documents")).collect()
    assert sorted(map(tuple, rows)) == on_one_machine(news())[0]


@pytest.mark.parametrize("paths", [["a.txt"], ["a.parquet", "b.jsonl"], ["nothing-here.parquet"]])
def test_the_command_refuses_paths_that_it_cannot_read(spark, tmp_path, paths):
    folder = str(tmp_path / "found")
    ran = CliRunner().invoke(cli, ["spark", "find", *paths, "-o", folder])
    assert ran.exit_code == 2
    assert ran.output.startswith("dedupe: error: ")


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
def test_without_java_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingJava, match="install it"):
        start()


# --- stages, with slow twins ---


postings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60, unique=True)


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(postings, st.integers(2, 5), st.lists(st.integers(0, 60), max_size=6))
def test_buckets_that_stream_by_are_those_of_one_machine(postings, cap, cuts):
    """Each document has at most one value in a band, so a band here is a key at most."""
    in_order = sorted(postings, key=lambda one: (one[0], -one[1]))
    keys, ranks = np.array(in_order, np.int64).reshape(-1, 2).T
    bounds = [0, *sorted(min(cut, len(in_order)) for cut in cuts), len(in_order)]
    batches = [
        pa.record_batch({"key": keys[start:end], "rank": ranks[start:end]})
        for start, end in pairwise(bounds)
    ]
    found = set()
    for some in buckets(cap, batches):
        found |= set(zip(some.column(0).to_pylist(), some.column(1).to_pylist(), strict=True))
    expected = set()
    for key in set(keys.tolist()):
        values = np.arange(100, 141, dtype=np.uint32)
        values[ranks[keys == key]] = key
        expected |= {divmod(pair, 1 << 32) for pair in emit(values, cap).tolist()}
    assert found == expected


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(st.lists(st.integers(0, 4), max_size=30).map(sorted), st.integers(1, 7), st.integers(1, 99))
def test_groups_stay_whole_in_whatever_batches_they_come(keys, n_rows, n_bytes):
    table = pa.record_batch({"key": pa.array(keys, pa.int64()), "row": pa.array(range(len(keys)))})
    batches = [table.slice(start, n_rows) for start in range(0, len(keys), n_rows)]
    found = [some.to_pydict() for some in in_groups(batches, "key", n_bytes)]
    assert [row for some in found for row in some["row"]] == [*range(len(keys))]
    for one, other in pairwise(found):
        assert one["key"][-1] != other["key"][0]


@pytest.mark.parametrize("small", [0, 1 << 16])
def test_components_are_those_of_one_machine(spark, small):
    draw = random.Random(2)
    chain = [(n, n + 1) for n in range(40)]
    edges = chain + [(draw.randrange(50, 120), draw.randrange(50, 120)) for _ in range(45)]
    draw.shuffle(edges)
    frame = spark.createDataFrame(edges, "a long, b long").repartition(3)
    job = Job(spark, None, 3, small=small)
    with job.running():
        found = {row.doc: row.least for row in components(job, frame).collect()}
    expected = components_of(120, np.array(edges))
    joined = {document for edge in edges for document in edge}
    assert found == {document: expected[document] for document in joined}
