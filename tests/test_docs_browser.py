"""The pages of the documentation in a real browser: nothing is cut off, however wide the window."""

import shutil
from pathlib import Path

import pytest

from test_report_browser import browser, pytestmark  # noqa: F401  isort: skip

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Build one page in our style, with a wide table and long headings."""
    pytest.importorskip("furo")
    application = pytest.importorskip("sphinx.application")
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(DOCS / "style", folder / "style")
    row = "| " + "a cell of some words | " * 9
    heading = "## Which pairs become candidates of all pairs"
    text = f"# Page\n\n{heading}\n\n{row}\n{'|--' * 9}|\n{row}\n{row}\n\n{heading} again\n\nText.\n"
    (folder / "index.md").write_text(text, encoding="utf-8")
    settings = {
        "extensions": ["myst_parser"],
        "html_theme": "furo",
        "html_static_path": ["style"],
        "html_css_files": ["docs.css"],
    }
    out = folder / "out"
    build = application.Sphinx(
        str(folder), None, str(out), str(out / ".trees"), "html", settings, status=None
    )
    build.build()
    return out / "index.html"


@pytest.mark.parametrize("width", [400, 900, 1100, 1320, 1400, 1560, 1920])
def test_a_page_and_its_contents_fit_into_the_window(browser, page, width):  # noqa: F811
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(page.as_uri())
        window, scrolled, contents = browser.execute_script("""
            const root = document.documentElement;
            const contents = document.querySelector(".toc-drawer").getBoundingClientRect();
            return [root.clientWidth, root.scrollWidth, [contents.left, contents.right]];
        """)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert scrolled <= window
    # In a narrow window the contents wait outside of it, behind a button.
    assert contents[1] <= window or contents[0] >= window
    assert (contents[1] <= window) is (width >= 1320)
