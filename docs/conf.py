"""How the documentation is built: `sphinx-build -W --keep-going -n docs build/docs`.

Pages are Markdown. Whatever they or a docstring name in code and the library
reference describes becomes a link to it. Beside the pages stands a report of
`dedupe find --report`, made anew from `docs/news.jsonl`.
"""

import re
from pathlib import Path

import click
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import dedupe
from dedupe.cli import cli

DOCS = Path(__file__).parent
NEWS = DOCS / "news.jsonl"

project = "dedupe"
author = "The dedupe-articles developers"
project_copyright = author
version = release = dedupe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
default_role = "py:obj"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

# Docstrings say types in words, with ranges and shapes; signatures say names and defaults.
autodoc_typehints = "none"
# Half a gigabyte that only its own tests need.
autodoc_mock_imports = ["py4j", "pyspark"]
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

smartquotes = False  # `--flag` is no dash.

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"dedupe {release}"
html_static_path = ["style"]
html_css_files = ["docs.css"]
html_copy_source = False
html_show_sphinx = False

NAME = re.compile(r"(?:dedupe\.)?[\w.]+(?=\(|$)")


def link_names(app: Sphinx, doctree: nodes.document) -> None:
    """Turn code that may name something of the library into a reference to it."""
    for code in list(doctree.findall(nodes.literal)):
        found = NAME.match(code.astext())
        if found and not isinstance(code.parent, nodes.reference | pending_xref):
            link = pending_xref(
                refdomain="py", reftype="obj", reftarget=found[0], refdoc=app.env.docname
            )
            code.replace_self(link)
            link += code


def find_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element
) -> nodes.Element | None:
    """Look a name up among the public ones, wherever its home is; leave other code as it is."""
    if node["refdomain"] != "py":
        return None
    home, _, name = node["reftarget"].rpartition(".")
    known = env.get_domain("py")
    candidates = [f"dedupe.{name}"] if name in dedupe.__all__ else []
    candidates += [f"dedupe.{node['reftarget']}", f"dedupe.{home.capitalize()}.{name}"]
    for target in candidates:
        link = known.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, shown)
        if link is not None:
            return link
    return shown if node["reftype"] == "obj" else None


def set_dashes(_: Sphinx, doctree: nodes.document) -> None:
    """Set the dashes that Sphinx puts between a parameter and what is said of it."""
    for field in doctree.findall(nodes.field_body):
        for text in list(field.findall(nodes.Text)):
            if " -- " in text and not isinstance(text.parent, nodes.literal):
                text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ", 1)))


def show_defaults() -> None:
    """Tell sphinx-click what the help shows by a setting of the group, which it does not see."""
    for command in cli.commands.values():
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_flag:
                option.show_default = isinstance(option.default, str | int | float)


def write_report(app: Sphinx, error: Exception | None) -> None:
    """Put the report on the examples beside the pages."""
    if error is None and app.builder.format == "html":
        result = dedupe.find_duplicates(NEWS)
        result.to_html(Path(app.outdir, "report.html"))


def setup(app: Sphinx) -> None:
    """Tell Sphinx of all this."""
    show_defaults()
    app.connect("doctree-read", link_names)
    app.connect("doctree-read", set_dashes)
    app.connect("missing-reference", find_name)
    app.connect("build-finished", write_report)
