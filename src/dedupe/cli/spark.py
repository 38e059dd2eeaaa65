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
@click.option(
    "--against",
    multiple=True,
    metavar="OLD",
    help="Also find copies of what is in OLD, which has the same fields. May be given several "
    "times.",
)
@options.boilerplate
@options.threshold
@options.ngram
@options.id_field
@options.text_field
@click.option(
    "--keep",
    default="typical",
    type=click.Choice(["typical", "longest", "shortest", "newest", "oldest"]),
    help="The copy to keep of a cluster.",
)
@options.prefer
@click.option("--time-field", help="Field or column that holds its time.")
@click.option(
    "--window",
    metavar="TIME",
    help="Documents further apart in time are never the same story: 90m, 12h, 3d, 2w. Goes by "
    "--time-field.",
)
@click.option(
    "--partitions",
    type=int,
    metavar="N",
    help="Parts that the work is cut into.  [default: one for each 32 MB of texts, and at least "
    "one for each processor]",
)
@click.option(
    "--checkpoint",
    metavar="FOLDER",
    help="Keep finished stages here, and go on behind them when started again. It is not removed.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no summary.")
def find(
    paths: tuple[str, ...],
    output: str,
    against: tuple[str, ...],
    boilerplate: list[str] | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Find duplicates among the records of Parquet or JSON Lines.

    Paths may be whatever the cluster reads: files, folders, patterns, s3a://...
    """
    from dedupe.documents.boilerplate import read_boilerplate
    from dedupe.progress import Progress
    from dedupe.report.progress import Display, tell
    from dedupe.spark import find_duplicates
    from dedupe.spark.session import FRAMES, check_free, located, read_frame, start

    folder = located(output).rstrip("/")
    if settings["checkpoint"] is not None:
        settings["checkpoint"] = located(settings["checkpoint"])
    for name in ("id", "text", "time"):
        settings[name] = settings.pop(f"{name}_field")
    if boilerplate is not None:
        settings["boilerplate"] = [one.text for one in read_boilerplate(boilerplate)]
    with Display(quiet) as display:
        display.update(Progress("starting Spark"))
        session = start()
        session.sparkContext.setLogLevel("ERROR")
        check_free(session, folder)
        old = read_frame(session, against) if against else None
        settings["progress"] = display.update
        answer = find_duplicates(read_frame(session, paths), against=old, **settings)
        display.update(Progress("writing"))
        for name in FRAMES:
            getattr(answer, name).write.parquet(f"{folder}/{name}")
        n_duplicates = answer.documents.where("duplicate_of is not null").count()
        counts = (
            f"{answer.documents.count():,} documents, {n_duplicates:,} duplicates, "
            f"{answer.skipped.count():,} skipped"
        )
    if not quiet:
        tell(f"{output}: {counts}")
