"""Figures as tables in Markdown and in one HTML page, and where they are written.

Nothing here knows what is measured: a table is rows of strings. All text is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

BEGIN, END = "<!-- {name}:begin -->", "<!-- {name}:end -->"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left }
svg { max-width: 100%; height: auto }
@media (prefers-color-scheme: dark) {
body { color: #e6edf3; background: #161b22 } th, td { border-color: #30363d }
}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of strings under a head; `caption` says what they are and how they came about."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str

    def markdown(self) -> str:
        r"""Return the table in Markdown, first column to the left, the caption behind it.

        >>> print(Table(("a", "b"), [("x | y", "1")], "What it is.").markdown())
        | a | b |
        |---|--:|
        | x \| y | 1 |
        <BLANKLINE>
        What it is.
        """
        rule = "|---|" + "--:|" * (len(self.head) - 1)
        lines = [_row(self.head), rule, *(_row(row) for row in self.rows)]
        return "\n".join([*lines, "", self.caption])

    def html(self) -> str:
        """Return the table in HTML."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "\n".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows
        )
        return (
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
            f"<p>{escape(self.caption)}</p>"
        )


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page of HTML that needs nothing else.

    >>> "<script" in page("<script>", [])
    False
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def update(paths: Sequence[Path], parts: Mapping[str, str]) -> None:
    """Replace what stands between the markers of named parts in files, in all of them or none.

    A file must hold the markers of one part at least.
    """
    updated = []
    for path in paths:
        text = path.read_text("utf-8")
        found = 0
        for name, markdown in parts.items():
            begin, end = BEGIN.format(name=name), END.format(name=name)
            before, first, rest = text.partition(begin)
            _, last, after = rest.partition(end)
            if first and last:
                text = f"{before}{begin}\n{markdown}\n{end}{after}"
                found += 1
        if not found:
            wanted = " or ".join(BEGIN.format(name=name) for name in parts)
            raise SystemExit(f"{path} must hold the lines {wanted}, and those that end them")
        updated.append((path, text))
    for path, text in updated:
        path.write_text(text, "utf-8", newline="\n")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
