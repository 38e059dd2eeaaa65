"""``dedupe spark find``: a search on a cluster, or on all processors of a machine through Spark."""

# ruff: noqa: PLC0415

from typing import Any

import click

from dedupe.cli import options

__all__ = ["spark"]


@click.group()
def spark() -> None:
    """Search on Spark, for what is too much for one machine.

    Needs `pip install 'dedupe-articles[spark]'` and Java.
    """


@spark.command()
@options.paths
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FOLDER",
    help="Where documents, pairs and skipped are written as folders of Parquet. There must be "
    "none of these.",
)
@options.threshold
@options.ngram
@options.id_field
@options.text_field
@click.option(
    "--keep",
    default="typical",
    type=click.Choice(["typical", "longest", "shortest"]),
    help="Which document represents a cluster.  [default: typical]",
)
@click.option("--prefer", multiple=True, metavar="PLACE", help="As for dedupe find.")
@click.option(
    "--partitions",
    type=int,
    metavar="N",
    help="Parts that the work is cut into.  [default: one for each processor]",
)
@click.option(
    "--checkpoint",
    metavar="FOLDER",
    help="Keep finished stages here, and go on behind them when started again. It is not removed.",
)
def find(
    paths: tuple[str, ...], output: str, id_field: str, text_field: str, **settings: Any
) -> None:
    """Find duplicates among the records of Parquet or JSON Lines.

    Paths may be whatever the cluster reads: files, folders, patterns, s3a://...
    """
    from dedupe.spark import find_duplicates
    from dedupe.spark.session import located, read_frame, start

    session = start()
    session.sparkContext.setLogLevel("ERROR")
    if settings["checkpoint"] is not None:
        settings["checkpoint"] = located(settings["checkpoint"])
    frame = read_frame(session, paths)
    answer = find_duplicates(frame, id=id_field, text=text_field, **settings)
    for name in ("documents", "pairs", "skipped"):
        getattr(answer, name).write.parquet(f"{located(output).rstrip('/')}/{name}")
    n_duplicates = answer.documents.where("duplicate_of is not null").count()
    click.echo(
        f"{output}: {answer.documents.count():,} documents, {n_duplicates:,} duplicates, "
        f"{answer.skipped.count():,} skipped",
        err=True,
    )
