"""Fills in the templates, and puts them together into one file.

A page holds all that it needs. Its security policy loads nothing from elsewhere, and
runs only the script and the style whose hashes it names: text that slipped through
escaping would still not run.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from dedupe import __version__
from dedupe.progress import ProgressCallback
from dedupe.report.html import payload, plots, tables
from dedupe.report.html.environment import PACKAGE, environment
from dedupe.report.html.gathering import BORDER, gather
from dedupe.report.html.opened import OpenedPairs, opened_pairs
from dedupe.report.html.shown import Shown
from dedupe.report.html.sides import of_texts
from dedupe.report.openings import first_words
from dedupe.report.pairs import rule
from dedupe.results.records import Comparison
from dedupe.results.result import Result

__all__ = ["comparison_page", "result_page"]


def result_page(
    result: Result,
    texts: Mapping[str, str] | None = None,
    progress: ProgressCallback | None = None,
) -> str:
    """Return the page of a result.

    Parameters
    ----------
    result : Result
    texts : mapping from ids to texts, optional
        What was searched; by default what the result itself keeps.
    progress : callable, optional
        Called with a `dedupe.progress.Progress` after each pair that a reader can open.
    """
    shown = gather(result)
    near = payload.pack(
        payload.pair_rows(shown.borderline, shown.overview.threshold), payload.PAGE_BYTES
    )
    rows = payload.pack(payload.cluster_rows(shown.clusters), payload.ROW_BYTES)
    texts = result.texts if texts is None else texts
    starts = first_words(result, result.clusters[: len(rows.items)], texts)
    clusters = tuple(
        replace(one, opening=start) for one, start in zip(rows.items, starts, strict=True)
    )
    openings = payload.pack(payload.opening_rows(clusters), payload.OPENING_BYTES)
    shown = replace(shown, borderline=near.items, clusters=clusters)
    used = near.n_bytes + rows.n_bytes + openings.n_bytes
    budget = payload.PAGE_BYTES - payload.PLACE_BYTES - used
    pairs = opened_pairs(result, shown, texts, budget, progress)
    data = {"borderline": near.chunks, "clusters": rows.chunks, "openings": openings.chunks}
    return _report(shown, pairs, data)


def _report(shown: Shown, pairs: OpenedPairs, data: Mapping[str, Any]) -> str:
    """Fill in the page of a result; `data` is for its script, beside the pairs."""
    places = payload.pack(payload.places(shown, pairs.numbers), payload.PLACE_BYTES)
    text = payload.as_script_json(
        {
            **data,
            "pairs": pairs.chunks,
            "places": places.chunks,
            "threshold": shown.overview.threshold,
        }
    )
    return _page(
        "report.html",
        script=_asset("script.js"),
        data=text,
        # Labels that a browser remembers belong to one result.
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        shown=shown,
        overview=shown.overview,
        charts=_charts(shown),
        pairs=pairs,
        plain=tables.plain(shown),
        border=BORDER,
    )


def _charts(shown: Shown) -> tuple[plots.Chart, ...]:
    """Return the plots of the overview."""
    return (
        plots.scores(shown.scores, shown.overview.threshold),
        plots.sizes(shown.sizes),
        plots.similarities(shown.similarities),
    )


def comparison_page(comparison: Comparison) -> str:
    """Return the page of two documents."""
    return _page(
        "comparison.html",
        script="",
        comparison=comparison,
        pair=comparison.pair,
        rule=rule(comparison.pair, comparison.threshold),
        sides=of_texts(comparison),
    )


def _page(template: str, *, script: str, **values: Any) -> str:
    """Fill in a template."""
    style = _asset("style.css")
    return (
        environment()
        .get_template(template)
        .render(
            script=script,
            style=style,
            policy=_policy(style, script),
            version=__version__,
            **values,
        )
    )


def _policy(style: str, script: str) -> str:
    """Return a security policy that allows one style and one script, and nothing else."""
    sources = {
        "default-src": "'none'",
        "style-src": _source(style),
        "script-src": _source(script) if script else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {source}" for name, source in sources.items())


def _source(code: str) -> str:
    """Name a piece of code by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    """Return our style or script with the line endings that a browser hashes."""
    text = (resources.files(PACKAGE) / "assets" / name).read_text("utf-8")
    return text.replace("\r\n", "\n")
