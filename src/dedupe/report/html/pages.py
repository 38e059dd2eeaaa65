"""Facts to HTML: the templates, filled in and put together into one file.

Everything a page needs is inside it. Its security policy lets in nothing from
elsewhere, and of scripts and styles only those whose hashes it names, so that text
which got past escaping would still not run.
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
from dedupe.report.html.facts import Facts
from dedupe.report.html.gathering import BORDER, gather
from dedupe.report.html.opened import OpenedPairs, opened_pairs
from dedupe.report.html.sides import of_texts
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
        Those of its pairs, from wherever there are any; of a fresh result its own.
    progress : callable, optional
        Is given a `dedupe.progress.Progress` for each pair that has been made readable.
    """
    facts = gather(result)
    near = payload.pack(
        payload.pair_rows(facts.borderline, facts.overview.threshold), payload.PAGE_BYTES
    )
    rows = payload.pack(payload.cluster_rows(facts.clusters), payload.ROW_BYTES)
    facts = replace(facts, borderline=near.items, clusters=rows.items)
    budget = payload.PAGE_BYTES - payload.PLACE_BYTES - near.n_bytes - rows.n_bytes
    texts = result.texts if texts is None else texts
    pairs = opened_pairs(result, facts, texts, budget, progress)
    data = {"borderline": near.blocks, "clusters": rows.blocks}
    return _report(facts, pairs, data)


def _report(facts: Facts, pairs: OpenedPairs, data: Mapping[str, Any]) -> str:
    """Fill in the page of a result; `data` is what its script gets beside pairs."""
    places = payload.pack(payload.places(facts, pairs.numbers), payload.PLACE_BYTES)
    text = payload.as_script_json(
        {
            **data,
            "pairs": pairs.blocks,
            "places": places.blocks,
            "threshold": facts.overview.threshold,
        }
    )
    return _page(
        "report.html",
        script=_asset("script.js"),
        data=text,
        # Labels that a browser remembers belong to one result.
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        facts=facts,
        overview=facts.overview,
        charts=_charts(facts),
        pairs=pairs,
        plain=tables.plain(facts),
        border=BORDER,
    )


def _charts(facts: Facts) -> tuple[plots.Chart, ...]:
    """Return the plots of the overview."""
    return (
        plots.scores(facts.scores, facts.overview.threshold),
        plots.sizes(facts.sizes),
        plots.similarities(facts.similarities),
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


def _page(template: str, *, script: str, **facts: Any) -> str:
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
            **facts,
        )
    )


def _policy(style: str, script: str) -> str:
    """Return a security policy that lets in one style and one script, and nothing else."""
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
    """Return a style or a script of ours, in the line endings that a browser hashes."""
    text = (resources.files(PACKAGE) / "assets" / name).read_text("utf-8")
    return text.replace("\r\n", "\n")
