"""Web pages: visible text, declared encodings, and the article where it can be found."""

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fromstring

from dedupe.documents import Document, markup, read_paths
from dedupe.documents.markup import parsed
from dedupe.documents.streams import Unreadable


@pytest.fixture(autouse=True)
def without_trafilatura(monkeypatch):
    """Let pages be read as if trafilatura were not installed."""
    install(monkeypatch, None)
    yield
    markup._extractor.cache_clear()


def install(monkeypatch, extract) -> None:
    """Put a function in the place of `trafilatura.extract`, or nothing."""
    module = ModuleType("trafilatura")
    module.extract = extract
    module.load_html = fromstring
    monkeypatch.setitem(sys.modules, "trafilatura", module if extract else None)
    markup._extractor.cache_clear()


SCRAPS = (
    "< > </ /> <! <![ ]]> <!-- --> -- <? & &# ; \" ' = a p script CDATA[ ] x <p> </p> <pre> </pre>"
)
SCRAPS += " <title> <script> </script> &amp; &#0; &#xd800;"
MARKUP = st.lists(st.sampled_from([*SCRAPS.split(), " ", "\n"])).map("".join)


@given(MARKUP)
def test_any_markup_has_a_text(page):
    text = parsed(page).text()
    text.encode()
    assert all(line and line == " ".join(line.split()) for line in text.split("\n") if text)


@given(st.text(st.characters(categories=["L", "N", "Zs"])))
def test_text_without_markup_is_itself(text):
    assert parsed(text).text() == " ".join(text.split())


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("<div>one</div>two", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>bo</b>ld\n  and\t<i>it</i>alic", "bold and italic"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<tr><td>a<td>b</tr><tr><td>c", "a b\nc"),
        ("<pre>one\n  two</pre>three\nfour", "one\ntwo\nthree four"),
        ("<head><title>T</title><style>s</style></head><body>b", "b"),
        ("<head><meta charset=utf-8><p>no body tag", "no body tag"),
        ("a<script>if (1 < 2) document.write('<p>x</p>')</script>b", "ab"),
        (
            "a<noscript><p>x<img></noscript><template><p>y</template>b",
            "a\nb",
        ),
        ("<!-- <p>x</p> -->a<!DOCTYPE html>", "a"),
        ("fish &amp; chips&nbsp;&#8220;x&#8221; &lt;b&gt;", "fish & chips “x” <b>"),
        ("a<![CDATA[x]]>b<![if IE]>c<![endif]>", "abc"),
        ("</p></script></pre>a", "a"),
        ("a < b > c", "a < b > c"),
        ("", ""),
    ],
)
def test_visible_text_is_what_a_browser_shows(page, text):
    assert parsed(page).text() == text


@pytest.mark.parametrize("name", ["page.html", "page.HTM", "page.xhtml"])
def test_a_page_is_one_document(tmp_path, name):
    path = tmp_path / name
    path.write_text("<p>Bridge closed")
    assert list(read_paths(path)) == [Document(str(path), "Bridge closed", path.stat().st_mtime)]


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="koi8-r">', "koi8-r"),
        ("<meta http-equiv=x content='text/html; charset=windows-1251'>", "cp1251"),
        ("<?xml version='1.0' encoding='iso-8859-5'?>", "iso-8859-5"),
        ("<meta charset=iso-8859-1>", "utf-8"),
        ("<meta charset=gb2312>", "gb18030"),
        ("", "utf-16"),
    ],
)
def test_a_page_may_declare_its_encoding(tmp_path, head, encoding):
    path = tmp_path / "page.html"
    path.write_bytes(f"{head}<p>Новости".encode(encoding))
    assert [item.text for item in read_paths(path)] == ["Новости"]


def test_the_article_is_taken_where_it_is_found(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("<nav>Home</nav><p>Story")
    install(monkeypatch, lambda page, **_: page.findtext(".//p"))
    assert [item.text for item in read_paths(path)] == ["Story"]
    install(monkeypatch, lambda *_, **__: None)
    assert [item.text for item in read_paths(path)] == ["Home\nStory"]
    install(monkeypatch, lambda *_, **__: 1 / 0)
    assert [item.text for item in read_paths(path)] == ["Home\nStory"]


WRAPPED = """<html><head><title>News</title></head><body><main><h1>The old bridge</h1>
<p>The council voted on Monday evening to close
the <em>old</em> bridge for repairs<!-- and
more --> until
the spring, and <a href=x>asked
the county</a> to pay for the half of it that
carries the railway.</p>
<pre>12 ayes
 3 noes</pre>
<p>Buses will go by the new bridge, and <b>boats</b> may
not pass under the old one while the scaffold stands.</p>
</main></body></html>"""


def test_a_line_of_the_source_is_no_line_of_the_article(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "trafilatura")
    pytest.importorskip("trafilatura")
    markup._extractor.cache_clear()
    path = tmp_path / "page.html"
    path.write_text(WRAPPED)
    (item,) = read_paths(path)
    lines = [line.strip() for line in item.text.split("\n")]
    assert lines == parsed(WRAPPED).text().split("\n")
    assert [len(line.split()) for line in lines] == [3, 31, 2, 2, 20]


def test_a_page_that_is_nested_too_deep_is_refused():
    """The elements `html` and `body`, which stand around all others, count as well."""
    assert parsed("<div>" * (markup.MAX_DEPTH - 2) + "deep").text() == "deep"
    with pytest.raises(Unreadable, match="nested at most 2000 elements deep"):
        parsed("<div>" * (markup.MAX_DEPTH - 1) + "deep").text()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<br>" * (markup.MAX_ELEMENTS - 3) + "<p>all", "an article"),
        ("<br>" * (markup.MAX_ELEMENTS - 2) + "<p>all", "all"),
        (f"<p {' '.join(f'a{i}' for i in range(markup.MAX_ATTRIBUTES))}>all", "an article"),
        (f"<p {' '.join(f'a{i}' for i in range(markup.MAX_ATTRIBUTES + 1))}>all", "all"),
    ],
    ids=["few elements", "many elements", "few attributes", "many attributes"],
)
def test_no_article_is_looked_for_where_that_takes_long(tmp_path, monkeypatch, page, text):
    install(monkeypatch, lambda *_, **__: "an article")
    path = tmp_path / "page.html"
    path.write_text(page)
    (item,) = read_paths(path)
    assert item.text == text
