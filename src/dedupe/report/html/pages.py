"""Facts to HTML: the templates, filled in and put together into one file.

Everything a page needs is inside it. Its security policy lets in nothing from
elsewhere, and of scripts and styles only those whose hashes it names, so that text
which got past escaping would still not run.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from dedupe import __version__
from dedupe.records import Comparison
from dedupe.report.html import payload, plots
from dedupe.report.html.facts import Facts, ShownPair
from dedupe.report.html.gathering import BORDER, gather, shown_pairs
from dedupe.report.html.sides import Sides, mirrored, of_excerpts, of_texts
from dedupe.report.html.texts import compared
from dedupe.report.lines import counted, squeezed, visible
from dedupe.report.pairs import rule
from dedupe.results import Result

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["comparison_page", "result_page"]

PACKAGE = "dedupe.report.html"

N_PLAIN = 20
"""Clusters and pairs that stand in the page itself, for readers without its script."""


def result_page(result: Result, texts: Mapping[str, str] | None = None) -> str:
    """Return the page of a result, with texts of its pairs from wherever there are any."""
    facts = gather(result)
    texts = result.texts if texts is None else texts
    rows = payload.pack(map(payload.cluster_row, facts.clusters), payload.ROW_BYTES)
    pairs = _pack_pairs(result, facts, texts, payload.PAGE_BYTES - rows.n_bytes)
    data = _data(facts, rows, pairs)
    return _page(
        "report.html",
        script=_asset("script.js"),
        data=data,
        # Labels that a browser remembers belong to one result.
        digest=hashlib.sha256(data.encode()).hexdigest()[:16],
        facts=facts,
        overview=facts.overview,
        charts=_charts(facts),
        n_listed=rows.n_items,
        pairs=pairs,
        n_plain=N_PLAIN,
        border=BORDER,
    )


def _data(facts: Facts, rows: payload.Blocks, pairs: "_Pairs") -> str:
    """Return what the script of the page works with."""
    threshold = facts.overview.threshold
    near = [payload.pair_row(one, threshold, pairs.number(one)) for one in facts.borderline]
    return payload.as_script_json(
        {
            "borderline": near,
            "clusters": rows.blocks,
            "pairs": pairs.blocks,
            "places": payload.places(facts.clusters[: rows.n_items], pairs.numbers),
            "threshold": threshold,
        }
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


class _Pairs:
    """The pairs that a reader can open: in blocks, each with its number there.

    Attributes
    ----------
    blocks : list
        See `payload.Blocks`.
    numbers : dict from ids to int
    n_whole, n_excerpts, n_others : int
        How many have both texts, how many excerpts, and how many neither.
    n_bytes : int
    """

    def __init__(self) -> None:
        self.blocks: list[tuple[int, str]] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.n_whole = self.n_excerpts = self.n_others = self.n_bytes = 0

    def number(self, shown: ShownPair) -> int:
        """Return the number of a pair, or -1."""
        return self.numbers.get((shown.left, shown.right), -1)

    def add(
        self, pairs: Iterable[ShownPair], see: Callable[[ShownPair], Sides | None], budget: int
    ) -> int:
        """Add those pairs that can be seen so and are not there yet; return how many."""
        fragment: Any = _environment().get_template("sides.html").module
        seen: list[tuple[str, str]] = []

        def fragments() -> Iterator[str]:
            for shown in pairs:
                sides = (shown.left, shown.right)
                view = None if sides in self.numbers else see(shown)
                if view is not None:
                    seen.append(sides)
                    yield str(fragment.sides(view))

        packed = payload.pack(fragments(), budget)
        first = len(self.numbers)
        self.blocks += packed.blocks
        self.n_bytes += packed.n_bytes
        self.numbers |= {
            sides: number for number, sides in enumerate(seen[: packed.n_items], start=first)
        }
        return packed.n_items


def _pack_pairs(result: Result, facts: Facts, texts: Mapping[str, str], budget: int) -> _Pairs:
    """Pack pairs with both texts, then excerpts of the rest."""

    def whole(shown: ShownPair) -> Sides | None:
        comparison = compared(result, shown, texts)
        return None if comparison is None else of_texts(comparison)

    def excerpts(shown: ShownPair) -> Sides | None:
        found = shown.pair.evidence
        if found is None:
            return None
        found = mirrored(found) if shown.is_mirrored else found
        return of_excerpts(shown.left, shown.right, found)

    pairs = _Pairs()
    pairs.n_whole = pairs.add(shown_pairs(facts), whole, budget - payload.EXCERPT_BYTES)
    pairs.n_excerpts = pairs.add(shown_pairs(facts), excerpts, budget - pairs.n_bytes)
    pairs.n_others = sum(1 for _ in shown_pairs(facts)) - len(pairs.numbers)
    return pairs


def _page(template: str, *, script: str, **facts: Any) -> str:
    """Fill in a template."""
    style = _asset("style.css")
    return (
        _environment()
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


def _paragraphs(text: str) -> "Markup":
    """Escape a text, break its lines, and put a little room between paragraphs."""
    from markupsafe import Markup  # noqa: PLC0415

    line, wide = (Markup(f'<span class="gap{kind}">\n</span>') for kind in ("", " wide"))
    return wide.join(line.join(paragraph.split("\n")) for paragraph in text.split("\n\n"))


def _share(share: float) -> str:
    """Return a share in per cent; what is too little to be rounded is not called nothing.

    >>> _share(0.416), _share(0.002), _share(0.0)
    ('42%', 'under 1%', '0%')
    """
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"


@cache
def _environment() -> "Environment":
    """Return the templates, which escape all they are given and know no undefined names."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        autoescape=True,
        loader=PackageLoader(PACKAGE),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "counted": counted,
        "line": lambda text: visible(squeezed(text)),
        "paragraphs": _paragraphs,
        "share": _share,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "short": payload.short,
    }
    environment.globals["plots"] = plots
    return environment
