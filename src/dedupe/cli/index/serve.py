"""Runs ``dedupe index serve``: says where it listens, and runs until it is told to stop."""

# ruff: noqa: PLC0415

from pathlib import Path

import click

from dedupe.cli.index import flags
from dedupe.settings import n_bytes

__all__ = ["serve"]


@click.command()
@flags.name
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8417, help="Port; 0 takes one that is free."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File with the token that every request must bring, needed where --host is not this "
    "machine alone.  [default: the variable DEDUPE_TOKEN, if it is set]",
)
@click.option("--read-only", is_flag=True, help="Change nothing; another program may write.")
@click.option(
    "--max-bytes",
    default="16M",
    callback=lambda _, __, size: n_bytes(size),
    metavar="SIZE",
    help="How large a request may be, in bytes, or 500K, 16M.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    metavar="SECONDS",
    help="How long a request may take to arrive, and to be answered.",
)
@click.option(
    "--max-waiting",
    type=click.IntRange(min=1),
    default=64,
    help="Requests that may be answered or wait at the same time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=10.0,
    metavar="SECONDS",
    help="How long to wait for another program that writes to INDEX.",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not say where it listens.")
def serve(
    name: Path,
    *,
    host: str,
    port: int,
    token_file: Path | None,
    read_only: bool,
    max_bytes: int,
    time_limit: float,
    max_waiting: int,
    timeout: float,
    quiet: bool,
) -> None:
    """Answer other programs over HTTP, until told to stop; needs the extra 'serve'.

    It owns INDEX: others write to it through the server. GET /openapi.json describes what can be
    asked. SIGTERM ends it once what has begun is answered.
    """
    from dedupe.cli.output import listen
    from dedupe.report.progress import tell

    listen()
    from dedupe.serve.app import Limits
    from dedupe.serve.server import run, token_from

    run(
        name,
        host=host,
        port=port,
        token=token_from(token_file),
        limits=Limits(max_bytes, time_limit, max_waiting),
        mode="r" if read_only else "a",
        timeout=timeout,
        tell=(lambda _: None) if quiet else tell,
    )
