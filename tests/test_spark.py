"""A search on Spark says what one machine says, byte for byte, however the work is cut.

Without Java or PySpark these tests are skipped; with ``DEDUPE_SPARK=required``, which
``.ci/run`` sets, that is a failure.
"""

import gc
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crawl import Crawl
from dedupe import find_duplicate_texts, shortlist
from dedupe.cli import cli
from dedupe.clustering import components as components_of
from dedupe.documents.values import as_time
from dedupe.errors import (
    DuplicateId,
    InvalidCheckpoint,
    InvalidInput,
    InvalidSetting,
    MissingExtra,
    MissingJava,
    NothingToRead,
    UnknownDocument,
)
from dedupe.ids import Old, plain_id
from dedupe.kernels.boilerplate import MAX_COUNT, OF_FORM
from dedupe.lsh import COMMON, candidate_pairs, emit
from dedupe.results.records import Pair
from dedupe.results.tables import said_of
from dedupe.settings import Settings
from material import invented_material
from test_crowds import copies
from test_forms import notices
from traps import make_traps

try:
    import pyarrow as pa
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as spark_functions

    from dedupe.spark import blocks, chunks, find_duplicates, ranks, workers
    from dedupe.spark import shingles as shingling
    from dedupe.spark.candidates import buckets, mixed_buckets
    from dedupe.spark.columns import in_groups
    from dedupe.spark.components import components
    from dedupe.spark.job import PART_BYTES, Job
    from dedupe.spark.linkage import PAIRS, linked
    from dedupe.spark.places import part_of
    from dedupe.spark.postings import met
    from dedupe.spark.session import start
    from dedupe.spark.shingles import KNOWN, stories_counted
    from dedupe.spark.source import Columns, source_of
except ImportError:
    SparkSession = None

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
IS_REQUIRED = os.environ.get("DEDUPE_SPARK") == "required"

pytestmark = pytest.mark.skipif(
    SparkSession is None and not IS_REQUIRED, reason="needs PySpark, which the extra spark installs"
)

NEWS = Path(__file__).parent.parent / "docs" / "news.jsonl"


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
            plain_id(kept.get(id_, id_)),
            one.duplicate_of,
            one.score,
            one.relation,
            one.reason,
            isinstance(kept.get(id_), Old),
        )
        for id_, one in said_of(result).items()
        if id_ not in left_out and not isinstance(id_, Old)
    ]
    pairs = [
        (*(plain_id(getattr(pair, one.name)) for one in fields(Pair)), *are_old(*sides(pair)))
        for pair in result.scored
    ]
    skipped = [(plain_id(id_), reason, *are_old(id_)) for id_, reason in left_out.items()]
    return sorted(documents), sorted(pairs), sorted(skipped)


def sides(pair):
    return pair.left, pair.right


def are_old(*ids):
    return [isinstance(id_, Old) for id_ in ids]


def framed(session, texts, n_parts):
    """Return texts as a frame whose rows come in no order."""
    rows = list(texts.items())
    random.Random(n_parts).shuffle(rows)
    kind = "long" if rows and isinstance(rows[0][0], int) else "string"
    return session.createDataFrame(rows, f"id {kind}, text string").repartition(n_parts)


def on_spark(session, texts, n_parts, against=None, **settings):
    """Return what Spark says of the same."""
    old = None if against is None else framed(session, against, n_parts)
    answer = find_duplicates(
        framed(session, texts, n_parts), against=old, partitions=n_parts, **settings
    )
    documents, pairs, skipped = ([*map(tuple, one.collect())] for one in answer_of(answer))
    return sorted(documents, key=lambda row: row[0]), sorted(pairs), sorted(skipped)


def answer_of(answer):
    return answer.documents, answer.pairs, answer.skipped


def check(session, texts, n_parts, against=None, **settings):
    expected = on_one_machine(texts, against=against)
    assert on_spark(session, texts, n_parts, against, **settings) == expected
    return expected


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
    # What holds a copy, whichever, is held against the one that the others follow.
    own = {n: " ".join(f"p{n}w{word}" for word in range(300)) for n in range(6)}
    found |= {f"page/{n}": f"{text}\n\n{found[f'crowd/{n}']}" for n, text in own.items()}
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


def test_spark_says_the_same_of_what_does_not_fit_in_memory_nor_in_one_part(spark, monkeypatch):
    monkeypatch.setattr(Job, "has_room", lambda *_: False)
    monkeypatch.setattr("dedupe.spark.job.PART_BYTES", 2000)
    answer = find_duplicates(framed(spark, news(), 2))
    assert answer.documents.rdd.getNumPartitions() > 2
    documents, pairs, skipped = ([*map(tuple, one.collect())] for one in answer_of(answer))
    assert (sorted(documents), sorted(pairs), sorted(skipped)) == on_one_machine(news())


def test_spark_says_the_same_by_other_settings_and_of_numbered_rows(spark):
    texts = dict(enumerate(news().values()))
    settings = {"threshold": 0.7, "ngram": 3, "keep": "shortest", "prefer": ("3", "8")}
    assert on_spark(spark, texts, 2, **settings) == on_one_machine(texts, **settings)


def test_what_a_python_has_imported_is_never_looked_through_again(monkeypatch):
    monkeypatch.setattr(workers, "SEEN", set())
    try:
        assert [*workers.run(iter, iter([1, 2]))] == [1, 2]
        n_apart = gc.get_freeze_count()
        assert n_apart > 1000
        kept = [[] for _ in range(1000)]
        assert [*workers.run(iter, iter(kept))] == kept
        assert gc.get_freeze_count() <= n_apart
    finally:
        gc.unfreeze()


# --- an old collection ---


def halves(texts, draw):
    """Return texts as new and old ones, some of them as both."""
    new = {id_: text for id_, text in texts.items() if draw.random() < 0.6}
    old = {id_: text for id_, text in texts.items() if id_ not in new or draw.random() < 0.1}
    return new, old


def test_new_documents_go_for_old_ones_as_on_one_machine(spark):
    new, old = halves(everything(), random.Random(3))
    documents, pairs, _ = check(spark, new, 3, old)
    assert {row[-1] for row in documents} == {False, True}
    assert {row[-2:] for row in pairs} == {(False, False), (False, True), (True, False)}


def test_they_do_where_nothing_is_small(spark):
    forms = {f"form/{name}": text for name, text in notices(12).items()}
    new, old = halves(news() | forms, random.Random(2))
    check(spark, new, 2, old, small=0)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"a": STORY}, {"a": STORY, "b": "menu " + STORY, "c": ""}),  # No two new ones are a pair.
        ({"a": STORY, "b": STORY + "x"}, {}),
        ({"a": STORY, "b": "…"}, {"a": "another text of few words", "…": "…"}),
        ({}, {"a": STORY, "b": STORY}),
        ({"a": STORY, "b": STORY + "x"}, {"a": "…"}),
    ],
)
def test_small_collections_are_held_against_each_other_as_on_one_machine(spark, new, old):
    check(spark, new, 2, old)


def test_an_old_collection_that_cannot_be_read_is_refused(spark):
    new, old = (spark.createDataFrame([("a", text)], "id string, text string") for text in "x ")
    with pytest.raises(NothingToRead, match="got 1 skipped"):
        find_duplicates(new, against=old)
    numbered = spark.createDataFrame([(1, "x")], "id long, text string")
    with pytest.raises(InvalidInput, match="got string and bigint in 'id'"):
        find_duplicates(new, against=numbered)
    with pytest.raises(
        InvalidInput, match=r"against must be a DataFrame .* got builtins.list: make"
    ):
        find_duplicates(new, against=["x"])


# --- times ---


def dated(texts, draw):
    """Return texts with days, some of which are missing, as records and as a frame."""
    days = {id_: draw.choice([None, *range(0, 60, 3)]) for id_ in texts}
    return [
        (id_, text, None if days[id_] is None else 86400.0 * days[id_])
        for id_, text in texts.items()
    ]


def check_dated(session, new, old, **settings):
    """Hold Spark to one machine where there are times."""
    schema = "id string, text string, day double"
    frames = [one and session.createDataFrame(one, schema).repartition(2) for one in (new, old)]
    answer = find_duplicates(frames[0], against=frames[1], time="day", partitions=2, **settings)
    found = [sorted(map(tuple, one.collect())) for one in answer_of(answer)]
    records = [
        one and [dict(zip(("id", "text", "day"), row, strict=True)) for row in one]
        for one in (new, old)
    ]
    settings.pop("small", None)
    expected = on_one_machine(records[0], against=records[1], time_field="day", **settings)
    assert found == [*expected]


def crowded():
    """Return copies of a few stories, each in a crowd of its own."""
    texts = {f"crowd/{n}": " ".join(f"w{word}" for word in one) for n, one in enumerate(copies(50))}
    return texts | {f"copy/{n}": texts[f"crowd/{n % 3}"] for n in range(9)}


def test_a_window_is_that_of_one_machine(spark):
    draw = random.Random(1)
    check_dated(spark, dated(crowded() | news(), draw), None, window="4d", keep="newest")


def test_a_window_over_an_old_collection_is_that_of_one_machine(spark):
    draw = random.Random(2)
    new, old = halves(crowded() | news(), draw)
    check_dated(spark, dated(new, draw), dated(old, draw), window="4d", keep="oldest", small=0)


@pytest.mark.parametrize(
    ("value", "kind", "seconds"),
    [
        ("2022-06-16T10:00:00Z", "string", 1655373600.0),
        ("2022-06-16T12:00:00.5+02:00", "string", 1655373600.5),
        ("June", "string", None),
        (60, "long", 60.0),
        (1655373600000, "long", None),
        (float("nan"), "double", None),
        (datetime(2022, 6, 16, 10, 0, 0, 250000, tzinfo=UTC), "timestamp", 1655373600.25),
        (datetime(2022, 6, 16, 10), "timestamp_ntz", 1655373600.0),
        (date(2022, 6, 16), "date", 1655337600.0),
    ],
)
def test_a_time_is_what_one_machine_takes_for_one(spark, value, kind, seconds):
    frame = spark.createDataFrame([("a", "x", value)], f"id string, text string, `a.day` {kind}")
    (row,) = source_of(frame, None, Columns("id", "text", "a.day")).collect()
    assert row.time == seconds == as_time(value)


def test_the_newest_is_kept_by_the_times_of_new_documents(spark):
    blank, text, dated = ("a", " ", None), ("a", STORY, None), ("b", STORY, 60.0)
    check_dated(spark, [blank], [dated], keep="newest")
    schema = "id string, text string, day double"
    new, old = (spark.createDataFrame([one], schema) for one in (text, dated))
    with pytest.raises(InvalidSetting, match="got 'day', which holds none of a new document"):
        find_duplicates(new, against=old, time="day", keep="newest")


def test_a_column_without_a_time_is_refused(spark):
    frame = spark.createDataFrame(
        [("a", "x", "June", [1])], "id string, text string, day string, days array<int>"
    )
    with pytest.raises(InvalidSetting, match="got 'day', which holds none"):
        find_duplicates(frame, time="day")
    with pytest.raises(InvalidInput, match="got array<int> in 'days'"):
        find_duplicates(frame, time="days")
    with pytest.raises(InvalidSetting, match="time must name a column, got 'hour'"):
        find_duplicates(frame, time="hour")


# --- known boilerplate ---


def boxed():
    """Return stories around which stands the same box, and that box."""
    box = "\n".join(f"Subscribe now for offer {n} of our daily letter to readers" for n in range(9))
    return {id_: f"{box}\n\n{text}" for id_, text in news().items()}, box


@pytest.mark.parametrize(("small", "has_old"), [(1 << 16, False), (0, True)])
def test_known_boilerplate_counts_as_on_one_machine(spark, small, has_old):
    texts, box = boxed()
    new, old = halves(texts, random.Random(5)) if has_old else (texts, None)
    expected = on_one_machine(new, against=old, boilerplate=[box])
    assert on_spark(spark, new, 2, old, boilerplate=box, small=small) == expected
    assert expected != on_one_machine(new, against=old)


# --- evidence ---


@pytest.mark.parametrize("small", [0, 1 << 16])
def test_evidence_is_that_of_one_machine(spark, small):
    new = news() | {f"form/{name}": f"Home News\n\n{text}" for name, text in notices(8).items()}
    old = {id_: f"Menu Sport Weather\n\n{text}" for id_, text in list(news().items())[:4]}
    told = {
        (*map(plain_id, sides(pair)), *are_old(*sides(pair))): pair.evidence
        for pair in find_duplicate_texts(new, against=old).scored
        if pair.evidence is not None
    }
    answer = find_duplicates(framed(spark, new, 2), against=framed(spark, old, 2), small=small)
    chosen = spark.createDataFrame([*told], answer.pairs.select(*SIDES).schema)
    found = {tuple(row[:4]): row[4:] for row in answer.evidence(chosen).collect()}
    assert found.keys() == told.keys()
    assert any(True in pair[2:] for pair in told)
    for pair, evidence in told.items():
        assert plain(found[pair]) == plain(
            [getattr(evidence, one.name) for one in fields(evidence)]
        )


SIDES = ("left", "right", "left_is_old", "right_is_old")


def plain(value):
    """Return rows, tuples and records as lists."""
    if is_dataclass(value):
        value = [getattr(value, one.name) for one in fields(value)]
    return [*map(plain, value)] if isinstance(value, list | tuple) else value


def test_evidence_is_only_there_for_what_was_searched(spark):
    answer = find_duplicates(framed(spark, {"a": STORY, "b": STORY + "x", "c": " "}, 1))
    for right in ("c", "d"):
        with pytest.raises(UnknownDocument, match=f"no document '{right}'"):
            answer.evidence(spark.createDataFrame([("a", right)], "left string, right string"))
    with pytest.raises(InvalidInput, match="left and right, got id, reason, is_old"):
        answer.evidence(answer.skipped)
    (row,) = answer.evidence(answer.pairs).collect()
    assert [passage.n_words for passage in row.passages] == [len(STORY.split())]


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
        ([("\u00a0\x1f", "x")], "id string, text string", InvalidInput, "1 rows without"),
        ([("\t", "x")], "id string, text string", InvalidInput, "1 rows without"),
        ([(0.5, "x")], "id double, text string", InvalidInput, "got double in 'id'"),
        ([("a", "x")], "key string, text string", InvalidSetting, "got 'id', and they are key"),
        ([("a", "x")], "id string, body string", InvalidSetting, "got 'text'"),
        ([("a", "…")], "id string, text string", NothingToRead, "got 1 without"),
        ([("a", 7)], "id string, text int", InvalidInput, "got int in 'text'"),
        ([("a", {})], "id string, text map<string, int>", InvalidInput, "got map<string,int>"),
    ],
)
def test_a_frame_that_cannot_be_searched_is_refused(spark, rows, schema, error, message):
    with pytest.raises(error, match=message):
        find_duplicates(spark.createDataFrame(rows, schema))


@pytest.mark.parametrize(
    "settings",
    [
        {"keep": "first"},
        {"keep": "newest"},
        {"window": "3d"},
        {"window": "soon", "time": "text"},
        {"partitions": 0},
        {"small": -1},
        {"threshold": 2},
    ],
)
def test_a_setting_out_of_range_is_refused(spark, settings):
    with pytest.raises(InvalidSetting):
        find_duplicates(spark.createDataFrame([("a", "x")], "id string, text string"), **settings)


def test_a_column_is_found_whatever_it_is_called(spark):
    names = ["i`d", "te.xt", "id", "ID", "text"]
    frame = spark.createDataFrame([("a", "x", 1, 2, 3)], "a string, b string, c int, d int, e int")
    found = source_of(frame.toDF(*names), None, Columns("i`d", "te.xt", None))
    assert [tuple(row) for row in found.collect()] == [("a", "x", None, False)]
    (row,) = source_of(frame.toDF("id", "ID", *"cde"), None, Columns("id", "ID", None)).collect()
    assert row[:2] == ("a", "x")
    with pytest.raises(InvalidSetting, match="got 'id', of which there are 2"):
        find_duplicates(frame.toDF("id", "text", "id", "c", "d"))


def test_ids_sort_by_their_bytes_and_texts_are_utf_8(spark):
    data = b"\xff\xe2\x82 \xed\xa0\x80 x"
    frame = spark.createDataFrame([("b", data), ("A", data), ("a", data)], "id string, raw binary")
    told = frame.selectExpr("collate(id, 'UTF8_LCASE') as id", "cast(raw as string) as text")
    rows = source_of(told, None, Columns("id", "text", None)).sort("id").collect()
    assert [row.id for row in rows] == ["A", "a", "b"]
    assert {row.text for row in rows} == {data.decode("utf-8", "replace")}


def test_an_id_that_is_no_text_is_refused(spark):
    frame = spark.createDataFrame([(b"\xff", STORY)], "id binary, text string")
    with pytest.raises(InvalidInput, match="ids must be UTF-8, got 1 rows"):
        find_duplicates(frame.withColumn("id", frame["id"].cast("string")))


def test_a_stream_is_refused(spark):
    with pytest.raises(InvalidInput, match="frame must be a DataFrame with an end"):
        find_duplicates(spark.readStream.format("rate").load())


def test_a_search_that_fails_keeps_nothing(spark):
    kept = spark.sparkContext._jsc.getPersistentRDDs
    before = set(kept())
    spark.sparkContext.setJobDescription("mine")
    with pytest.raises(DuplicateId):
        find_duplicates(spark.createDataFrame([("a", "x"), ("a", "y")], "id string, text string"))
    assert set(kept()) <= before
    assert spark.sparkContext.getLocalProperty("spark.job.description") == "mine"
    spark.sparkContext.setJobDescription(None)


def test_progress_names_the_stages_that_jobs_bear(spark, capsys):
    steps = []
    frame = spark.createDataFrame([("a", STORY), ("b", STORY + "b")], "id string, text string")
    find_duplicates(frame, progress=steps.append).release()
    stages = [step.stage for step in steps]
    assert stages[0] == "numbering"
    assert stages[-2:] == ["scored", "clustering"]
    find_duplicates(frame, progress=True).release()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"dedupe: {stage}" for stage, _ in groupby(stages)]
    with pytest.raises(InvalidSetting, match="progress must be a function"):
        find_duplicates(frame, progress="bar")


def test_an_answer_that_is_released_is_kept_by_nobody(spark):
    kept = spark.sparkContext._jsc.getPersistentRDDs
    before = set(kept())
    rows = spark.createDataFrame([*news().items()], "id string, text string")
    with find_duplicates(rows, partitions=2) as answer:
        assert answer.documents.count() == len(news()) - 1
        assert len(set(kept()) - before) == 4
    assert set(kept()) <= before
    answer.release()


def test_what_python_leaves_in_place_is_not_moved(spark):
    job = Job(spark, Settings(), 3)
    with job.running():
        rows = spark.range(60).withColumn("key", spark_functions.col("id") % 7)
        cut = rows.repartition(3, "key").mapInArrow(lambda some: some, "id long, key long")
        kept = job.keep_cut(cut, "key")
        told = (
            spark.range(7)
            .withColumnRenamed("id", "key")
            .withColumn("n", spark_functions.expr("key * 2"))
        )
        both = kept.join(told, "key")
        plan = both._jdf.queryExecution().executedPlan().toString()
        assert plan.count("Exchange") == 1
        assert sorted((row.id, row.n) for row in both.collect()) == [
            (number, number % 7 * 2) for number in range(60)
        ]


@pytest.mark.parametrize("n_parts", [1, 4, 7])
def test_a_number_goes_where_spark_sends_it(spark, n_parts):
    draw = random.Random(n_parts)
    numbers = [*range(40), *(draw.randrange(-(1 << 63), 1 << 63) for _ in range(40))]
    rows = spark.createDataFrame([(number,) for number in numbers], "number long")
    parts = rows.repartition(n_parts, "number").select(
        "number", spark_functions.spark_partition_id().alias("part")
    )
    for row in parts.collect():
        assert part_of(row.number, n_parts) == row.part


def test_stories_are_the_same_however_many_pairs_are_few(spark):
    draw = random.Random(3)
    pairs = {(draw.randrange(30), draw.randrange(30, 60)): draw.random() for _ in range(90)}
    rows = [(a, b, score, score >= 0.5) for (a, b), score in pairs.items()]
    frame = spark.createDataFrame(rows, PAIRS).repartition(3)
    found = []
    for small in (0, len(rows)):
        job = Job(spark, Settings(), 3, small=small)
        with job.running():
            found.append(sorted(map(tuple, linked(job, frame, 0.5, len(rows)).collect())))
    assert found[0] == found[1]
    assert len({story for _, story in found[0]}) > 1


def test_documents_with_the_same_candidates_are_in_one_block(spark):
    groups = [(range(n, n + 10), range(n + 10, n + 20)) for n in range(0, 600, 20)]
    pairs = [(a, b) for larger, smaller in groups for a in larger for b in smaller]
    frame = spark.createDataFrame(pairs, "a long, b long")
    job = Job(spark, Settings(), 3)
    with job.running():
        rows = blocks.in_neighbourhoods(job, frame, len(pairs)).collect()
    assert sorted((row.a, row.b) for row in rows) == sorted(pairs)
    of_documents = {(side, row[side], row.block) for row in rows for side in "ab"}
    assert len(of_documents) == 600
    assert len({row.block for row in rows}) == 3


@given(st.sets(st.integers(0, 30)), st.dictionaries(st.integers(0, 30), st.integers(0, 30)))
def test_stories_are_the_same_as_arrays_and_as_rows(numbers, stories):
    held = np.array(sorted(numbers), np.int64)
    rows = [
        {"doc": doc, "story": story, "in_form": story % 2 > 0} for doc, story in stories.items()
    ]
    rows.sort(key=lambda row: row["doc"])
    kinds = {"doc": np.int64, "story": np.int64, "in_form": np.bool_}
    arrays = [np.array([row[name] for row in rows], kind) for name, kind in kinds.items()]
    expected = [(stories.get(doc, doc), stories.get(doc, 0) % 2 > 0) for doc in held.tolist()]
    for told in (arrays, rows, rows or None):
        found = blocks.stories_told(held, told)
        assert [*zip(*(column.tolist() for column in found), strict=True)] == expected


@given(st.lists(st.binary(max_size=40), min_size=11, max_size=11), st.integers(1, 100))
def test_a_block_in_several_rows_is_the_block(arrays, row_bytes):
    stored = dict(zip(blocks.STORED, arrays, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROW_BYTES", row_bytes)
        rows = blocks._in_parts(7, stored, {"state_told": b"told"})
    n_bytes = sum(len(stored[name]) for name in blocks.ARRAYS)
    assert rows.num_rows == max(1, -(-n_bytes // row_bytes))
    assert rows.column("part").to_pylist() == [*range(rows.num_rows)]
    assert blocks._whole(7, rows) == {"block": 7, **stored, "state_told": b"told"}
    # What frames have that say something of blocks is whole in the first row.
    first = rows.slice(0, 1).to_pylist()[0]
    assert {name: first[name] for name in blocks.THIN} == {
        name: stored[name] for name in blocks.THIN
    }


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(0, 2**64 - 1))
def test_what_is_in_a_sieve_goes_through_it(shingles, other):
    held = np.array(shingles, np.uint64)
    rows = pa.RecordBatch.from_pylist([{"bucket": 3, "shingles": held.tobytes()}])
    (row,) = [row for some in shingling._sieved(iter([rows])) for row in some.to_pylist()]
    sieve = np.frombuffer(row["sieve"], np.uint8)
    assert (row["bucket"], sieve.size) == (3, max(1, len(shingles)))
    assert shingling._may_be_in(sieve, held).all()
    assert not shingling._may_be_in(None, np.array([other], np.uint64)).any()
    if not shingles:
        assert not shingling._may_be_in(sieve, np.array([other], np.uint64)).any()


@pytest.mark.parametrize(("is_cut", "n_parts"), [(False, 6), (True, 2)])
def test_parts_suit_the_texts_unless_the_caller_has_chosen(spark, is_cut, n_parts):
    before = spark.conf.get("spark.sql.shuffle.partitions")
    job = Job(spark, Settings(), 2, is_cut)
    with job.running():
        job.cut_for(1)
        assert job.partitions == 2, "no fewer than tasks run at a time"
        job.cut_for(5 * PART_BYTES + 1)
        assert spark.conf.get("spark.sql.shuffle.partitions") == str(job.partitions) == str(n_parts)
    assert spark.conf.get("spark.sql.shuffle.partitions") == before


def test_half_of_the_memory_for_frames_is_room(spark):
    job = Job(spark, Settings(), 2)
    assert job.has_room(1 << 20)
    assert not job.has_room(1 << 30), "of 1 GB Spark has 400 MB for frames"


def test_searches_of_one_session_take_turns(spark):
    """Each would otherwise restore the settings of the other."""
    jobs = [Job(spark, Settings(), n_parts) for n_parts in (5, 7)]
    found = []

    def plan(job):
        with job.running():
            found.append(spark.conf.get("spark.sql.shuffle.partitions"))

    before = dict(row for row in spark.sql("SET").collect())
    with jobs[0].running():
        other = threading.Thread(target=plan, args=jobs[1:])
        other.start()
        other.join(0.2)
        assert spark.conf.get("spark.sql.shuffle.partitions") == "5"
        assert not found
    other.join()
    assert found == ["7"]
    assert dict(row for row in spark.sql("SET").collect()) == before


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


def test_a_stage_without_a_mark_is_made_anew_and_one_is_told(spark, tmp_path, caplog):
    on_spark(spark, {"a": STORY}, 1, checkpoint=str(tmp_path))
    (tmp_path / "scored" / "_SUCCESS").unlink()
    on_spark(spark, {"a": STORY}, 1, checkpoint=str(tmp_path))
    (message,) = caplog.messages
    assert message.endswith("scored: no _SUCCESS, so it may be cut short, and is made anew")
    assert (tmp_path / "scored" / "_SUCCESS").exists()


def test_a_checkpoint_where_nothing_would_be_marked_is_refused(spark, tmp_path):
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    conf.setBoolean("mapreduce.fileoutputcommitter.marksuccessfuljobs", False)
    try:
        with pytest.raises(InvalidCheckpoint, match="with _SUCCESS, which was not written in"):
            on_spark(spark, {"a": STORY}, 1, checkpoint=str(tmp_path))
    finally:
        conf.unset("mapreduce.fileoutputcommitter.marksuccessfuljobs")


def test_a_checkpoint_of_something_else_is_refused(spark, tmp_path):
    on_spark(spark, {"a": STORY}, 1, checkpoint=str(tmp_path))
    other = {"a": STORY + "!"}
    for texts, settings, message in (
        (other, {}, "with digest '.*', not '[^ ]*': name another folder"),
        ({"a": STORY}, {"ngram": 3}, "with ngram 5, not 3: "),
        ({"a": STORY}, {"threshold": 0.3}, "with threshold 0.45, not 0.3: "),
    ):
        with pytest.raises(InvalidCheckpoint, match=message):
            on_spark(spark, texts, 1, checkpoint=str(tmp_path), **settings)


# --- the command ---


def test_the_command_writes_what_is_found(spark, tmp_path):
    folder = tmp_path / "found"
    ran = CliRunner().invoke(cli, ["spark", "find", str(NEWS), "-o", str(folder)])
    assert ran.exit_code == 0, ran.output
    assert "10 documents, 4 duplicates, 1 skipped" in ran.output
    rows = spark.read.parquet(str(folder / "documents")).collect()
    assert sorted(map(tuple, rows)) == on_one_machine(news())[0]


def test_the_command_says_what_was_found_and_not_how_spark_starts(spark, tmp_path):
    command = [sys.executable, "-m", "dedupe", "spark", "find", str(NEWS), "-o", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    # Java itself warns of what Spark 4 asks of it.
    lines = [line for line in ran.stderr.splitlines() if not line.startswith("WARNING: ")]
    assert lines == [f"{tmp_path}: 10 documents, 4 duplicates, 1 skipped"]


def test_the_command_can_be_quiet(spark, tmp_path):
    folder = tmp_path / "found"
    ran = CliRunner().invoke(cli, ["spark", "find", str(NEWS), "-o", str(folder), "-q"])
    assert (ran.exit_code, ran.output) == (0, "")
    assert (folder / "documents").is_dir()


def test_the_command_holds_new_records_against_old_ones(spark, tmp_path):
    new, old, box = tmp_path / "new.jsonl", tmp_path / "old.jsonl", tmp_path / "box.txt"
    box.write_text("All rights reserved by the publisher of this page", encoding="utf-8")
    lines = [
        json.dumps({"key": name, "body": STORY + name, "day": f"2024-05-0{n}"})
        for n, name in enumerate("abc", start=1)
    ]
    new.write_text(lines[0], encoding="utf-8")
    old.write_text("\n".join(lines[1:]), encoding="utf-8")
    fields = ["--id-field", "key", "--text-field", "body", "--time-field", "day", "--window", "1d"]
    more = ["--against", str(old), "--boilerplate", str(box), "-o", str(tmp_path / "found")]
    ran = CliRunner().invoke(cli, ["spark", "find", str(new), *fields, *more])
    assert ran.exit_code == 0, ran.output
    (row,) = spark.read.parquet(str(tmp_path / "found" / "documents")).collect()
    assert (row.id, row.duplicate_of, row.of_old) == ("a", "b", True)


@pytest.mark.parametrize("paths", [["a.txt"], ["a.parquet", "b.jsonl"], ["nothing-here.parquet"]])
def test_the_command_refuses_paths_that_it_cannot_read(spark, tmp_path, paths):
    folder = str(tmp_path / "found")
    ran = CliRunner().invoke(cli, ["spark", "find", *paths, "-o", folder])
    assert ran.exit_code == 2
    assert ran.output.startswith("dedupe: error: ")


def test_the_command_refuses_a_folder_that_has_an_answer_before_it_searches(spark, tmp_path):
    (tmp_path / "pairs").mkdir()
    ran = CliRunner().invoke(cli, ["spark", "find", "nothing-here.jsonl", "-o", str(tmp_path)])
    assert ran.exit_code == 2
    assert "with pairs: name another one" in ran.output


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
def test_with_a_java_that_does_not_start_spark_one_is_told_which(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    java.chmod(0o755)
    command = [sys.executable, "-m", "dedupe", "spark", "find", str(NEWS), "-o", str(tmp_path)]
    env = os.environ | {"JAVA_HOME": str(tmp_path)}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert (
        f"dedupe: error: Spark needs Java 17 or later, and did not start with {java}" in ran.stderr
    )


def test_without_pyspark_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "dedupe.spark", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'dedupe-articles\[spark\]'"):
        importlib.import_module("dedupe.spark")


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
def test_without_java_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingJava, match="install it"):
        start()


# --- stages, with slow twins ---


def in_batches(postings, cuts):
    """Return postings as they stream by, cut anywhere."""
    in_order = sorted(postings, key=lambda one: (one[0], -one[1]))
    keys, ranks = np.array(in_order, np.int64).reshape(-1, 2).T
    bounds = [0, *sorted(min(cut, len(in_order)) for cut in cuts), len(in_order)]
    return [
        pa.record_batch({"key": keys[start:end], "rank": ranks[start:end]})
        for start, end in pairwise(bounds)
    ]


postings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60, unique=True)


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(postings, st.integers(2, 5), st.lists(st.integers(0, 60), max_size=6))
def test_buckets_that_stream_by_are_those_of_one_machine(postings, cap, cuts):
    """Each document has at most one value in a band, so a band here is a key at most."""
    keys, ranks = np.array(postings, np.int64).reshape(-1, 2).T
    found = set()
    for some in buckets(cap, in_batches(postings, cuts)):
        found |= set(zip(some.column(0).to_pylist(), some.column(1).to_pylist(), strict=True))
    expected = set()
    for key in set(keys.tolist()):
        values = np.arange(100, 141, dtype=np.uint32)
        values[ranks[keys == key]] = key
        expected |= {divmod(pair, 1 << 32) for pair in emit(values, cap).tolist()}
    assert found == expected


bands = st.lists(st.integers(0, 3), max_size=60)


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(bands, st.integers(2, 5), st.lists(st.integers(0, 60), max_size=6), st.integers(0, 30))
def test_units_that_stream_by_are_bands_of_one_machine(band, cap, cuts, at_once):
    values, ranks = np.array(band, np.uint32), np.arange(7, 7 + len(band))
    bounds = [0, *sorted(min(cut, len(band)) for cut in cuts), len(band)]
    parts = [slice(start, end) for start, end in pairwise(bounds)]
    found = [*met(cap, ((values[part], ranks[part]) for part in reversed(parts)), at_once)]
    counted, linked, crowded, common = (
        np.concatenate(column).tolist() for column in zip(*found, strict=True)
    )
    shift = (7 << 32) + 7
    assert sorted(counted + linked) == sorted(pair + shift for pair in emit(values, cap).tolist())
    n_alike = np.bincount(values, minlength=4)[values]
    is_crowded = n_alike > cap
    assert sorted(crowded) == ranks[is_crowded].tolist()
    assert sorted(common) == ranks[n_alike > COMMON * cap].tolist()
    assert all(is_crowded[(pair >> 32) - 7] for pair in linked)
    assert not any(is_crowded[(pair >> 32) - 7] for pair in counted)


def some_signatures(n_docs, n_values, n_phrases):
    """Return signatures of few values a band, of which some documents have the same ones."""
    draw = np.random.default_rng(n_docs)
    found = draw.integers(0, n_values, (n_docs, 32), dtype=np.uint32)
    found[:, :n_phrases] = draw.integers(0, 2, (n_docs, n_phrases), dtype=np.uint32)
    found[1::3] = np.where(draw.random((n_docs, 32)) < 0.1, found, np.roll(found, 1, 0))[1::3]
    return found


@pytest.mark.parametrize("n_parts", [1, 3, 8])
@pytest.mark.parametrize(
    ("values", "many"),
    [((1 << 30, 0), 100), ((1 << 30, 8), 100), ((40, 8), 100), ((1 << 30, 8), 4), ((40, 8), 4)],
)
def test_candidates_are_those_of_one_machine(spark, monkeypatch, n_parts, values, many):
    """Among strangers, documents with phrases in common, and those of which all meet by chance.

    Where documents with more than a few candidates count as having very many, few of them stay.
    """
    monkeypatch.setattr(shortlist, "MANY", many)
    monkeypatch.setattr(shortlist, "BEST", 3)
    for module in (chunks, ranks):
        monkeypatch.setattr(module, "CHUNK", 32)
    signatures = some_signatures(150, *values)
    n_docs, num_perm = signatures.shape
    sizes = np.random.default_rng(1).integers(1, 900, n_docs)
    contents = np.random.default_rng(2).integers(0, 9, n_docs)
    rows = [
        (doc, size, content, row.tobytes())
        for doc, (size, content, row) in enumerate(
            zip(sizes.tolist(), contents.tolist(), signatures, strict=True)
        )
    ]
    schema = "doc long, n_shingles int, digest long, signature binary"
    frame = spark.createDataFrame(rows, schema).repartition(n_parts)
    job = Job(spark, Settings(num_perm=num_perm), n_parts)
    with job.running():
        found = [tuple(row) for row in chunks.met_in_chunks(job, frame).collect()]
    contents = contents.astype(np.uint64)
    everything = candidate_pairs(signatures, sizes, contents=contents)
    expected = shortlist.shortlisted(
        everything, signatures, np.arange(n_docs), sizes.astype(np.int64), contents
    )
    assert (len(expected) < len(everything)) == (many < 100)
    assert sorted(found) == sorted(map(tuple, expected.tolist()))


shingles_of_stories = st.lists(
    st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(-1, 4)), max_size=9), max_size=9
)


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(shingles_of_stories, st.sampled_from([0, 4, 1 << 20]))
def test_stories_are_counted_in_whatever_rows_they_come(rows, at_once):
    """Without a story, a shingle is one of a form; with -1, it is known to be boilerplate."""
    held = {(shingle, story) for row in rows for shingle, story in row}
    counts = Counter(shingle for shingle, story in held if story is not None)
    expected = {
        shingle: n + OF_FORM * ((shingle, None) in held) for shingle, n in counts.items() if n > 1
    } | {shingle: MAX_COUNT | OF_FORM for shingle, story in held if story == KNOWN}
    told = []
    for row in rows:
        for is_told in (True, False):
            some = [one for one in row if (one[1] is not None) == is_told]
            shingles, stories = zip(*some, strict=True) if some else ((), ())
            data = np.array(stories, np.int64).tobytes() if is_told else None
            told.append({"shingles": np.array(shingles, np.uint64).tobytes(), "told": data})
    found, numbers = stories_counted(iter(told), at_once)
    assert dict(zip(found.tolist(), numbers.tolist(), strict=True)) == expected


@pytest.mark.skipif(SparkSession is None, reason="needs PySpark")
@given(postings, st.integers(2, 5), st.integers(0, 41), st.lists(st.integers(0, 60), max_size=6))
def test_mixed_buckets_that_stream_by_are_those_of_one_machine(postings, cap, n_new, cuts):
    found = set()
    for some in mixed_buckets(cap, n_new, in_batches(postings, cuts)):
        found |= set(zip(some.column(0).to_pylist(), some.column(1).to_pylist(), strict=True))
    expected = set()
    for key, rank in postings:
        old = sorted((other for one, other in postings if one == key and other >= n_new))
        if rank < n_new:
            expected |= {(rank, other) for other in (old if len(old) <= cap else old[-2:])}
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


@pytest.mark.parametrize("script", ["lost_executor", "spark_full"])
def test_a_script_finds_what_it_imports_when_it_is_run_as_contributing_says(script):
    root = NEWS.parent.parent
    command = f"PYTHONPATH=benchmarks python tests/{script}.py"
    assert command in " ".join((root / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    paths = os.pathsep.join([str(root / "benchmarks"), os.environ.get("PYTHONPATH", "")])
    loading = f"import sys; sys.path.insert(0, 'tests'); import {script}"
    subprocess.run(
        [sys.executable, "-c", loading],
        cwd=root,
        env=os.environ | {"PYTHONPATH": paths},
        check=True,
    )


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
