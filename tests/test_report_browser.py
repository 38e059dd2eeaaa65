"""The page in a real browser: Debian's chromium, driven by selenium.

Where there is none these tests are skipped; with ``DEDUPE_BROWSER=required``, which
``.ci/run`` sets, that is a failure.
"""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

import dedupe
from dedupe.report import html
from dedupe.report.html import payload
from dedupe.results.labels import read_labels
from paged import (
    HOSTILE,
    benign_texts,
    hostile_texts,
    prose,
    texts_with_a_huge_cluster,
)

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select, WebDriverWait
except ImportError:
    webdriver = None

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
IS_THERE = bool(webdriver and CHROMIUM and DRIVER)

pytestmark = pytest.mark.skipif(
    not IS_THERE and os.environ.get("DEDUPE_BROWSER") != "required",
    reason="needs selenium, and chromium with its driver",
)

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Start a browser that puts what it downloads into its folder."""
    assert IS_THERE, "DEDUPE_BROWSER=required, and selenium, chromium or chromedriver is missing"
    folder = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS.split(), f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.folder = folder
        yield driver


@pytest.fixture(scope="module")
def texts():
    """Make 60 stories of two to four copies; three pairs are near the threshold."""
    rng = random.Random(3)
    texts = {}
    for number in range(60):
        story = prose(f"story {number}", 120 + number)
        for copy in range(2 + (number % 20 == 0) + (number == 0)):
            rest = prose(f"rest {number} {copy}", rng.randrange(20, 60), line=3)
            texts[f"site{copy}/{number:02}.txt"] = rest + story
    for number in range(3):
        one, other, shared = (prose(f"{what} {number}", 70) for what in ("l", "r", "s"))
        texts[f"near/{number}-l.txt"] = one + shared
        texts[f"near/{number}-r.txt"] = shared + other
    return texts


@pytest.fixture(scope="module")
def result(texts):
    return dedupe.find_duplicate_texts(texts)


@pytest.fixture(scope="module")
def report(result, texts, tmp_path_factory):
    """Write the report that most tests look at."""
    return written(html.result_page(result, texts), tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(browser, report):
    """Open the report, and hold that nothing went wrong while it was used."""
    visit(browser, report)
    yield browser
    assert complaints(browser) == []


def written(text, folder):
    """Write a page, and return where it is."""
    place = folder / "page.html"
    place.write_text(text, encoding="utf-8")
    return place.as_uri()


def visit(browser, address):
    """Open a page as one that was never opened before, and wait for its script.

    What a browser remembers belongs to all files together, so any of them can clear it.
    """
    browser.execute_script("try { localStorage.clear() } catch {}")
    browser.get(address)
    until(browser, "html[data-ready]")


def opened(browser, text, folder):
    """Show a page of its own."""
    visit(browser, written(text, folder))


def complaints(browser):
    """Return what the console says, less what the machine may say of itself."""
    return [entry["message"] for entry in browser.get_log("browser")]


PATIENCE = 60
"""Seconds after which something does not come, on a busy machine either."""


def until(browser, selector, n=1):
    """Wait for elements."""
    return WebDriverWait(browser, PATIENCE).until(
        lambda b: len(found := all_of(b, selector)) >= n and found
    )


def downloaded(browser, name):
    """Wait for a file that is downloaded, take it away, and return what it says.

    The browser claims the name with an empty file, and puts the whole one in its place.
    """
    place = Path(browser.folder) / name
    WebDriverWait(browser, PATIENCE).until(lambda _: place.exists() and place.stat().st_size)
    text = place.read_text(encoding="utf-8")
    place.unlink()
    return text


def all_of(browser, selector):
    """Return the elements that can be seen."""
    return [one for one in browser.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]


def text_of(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def names(browser):
    """Return the representatives of the clusters that are shown."""
    return [one.text for one in all_of(browser, ".cluster > summary .opening + bdi")]


def press(browser, *keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def focused(browser):
    """Return the text of the entry that has the focus."""
    return browser.switch_to.active_element.text


# --- reading ---


def test_it_opens_with_numbers_plots_and_the_first_clusters(page, result):
    assert page.title.startswith(f"dedupe: {len(result.duplicates)} duplicates in ")
    assert len(all_of(page, "svg")) == 3
    assert len(all_of(page, ".cluster")) == 50
    assert text_of(page, "#n-found") == f"50 of {len(result.clusters)} clusters shown"
    page.find_element(By.ID, "more").click()
    assert len(all_of(page, ".cluster")) == len(result.clusters)
    assert not all_of(page, "#more")


def test_clusters_come_by_size(page, result):
    sizes = [int(one.text.split()[0]) for one in all_of(page, ".cluster .count")]
    assert sizes == [len(cluster) for cluster in result.clusters[:50]]


def test_a_cluster_of_two_opens_with_its_texts(page, texts):
    cluster = all_of(page, ".cluster")[-1]
    cluster.find_element(By.CSS_SELECTOR, "summary").click()
    (row,) = until(page, ".sides .row.shared")
    left, right = row.find_elements(By.CSS_SELECTOR, ".cell")
    assert left.text.split() == right.text.split()
    number = names(page)[-1].split("/")[1].removesuffix(".txt")
    assert left.text.split() == prose(f"story {int(number)}", 120 + int(number)).split()
    assert [one.text for one in all_of(page, ".sides .kind")] == ["different", "shared"]


def test_every_cluster_opens_with_its_own_texts(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(payload, "MAX_ITEM", 30_000)
    texts = texts_with_a_huge_cluster()
    found = dedupe.find_duplicate_texts(texts)
    opened(browser, html.result_page(found), tmp_path)
    assert len(names(browser)) == len(found.clusters) == 6
    browser.find_element(By.ID, "expand").click()
    for cluster in all_of(browser, ".cluster")[1:]:
        if not cluster.find_elements(By.CSS_SELECTOR, ".pair[open]"):
            cluster.find_element(By.CSS_SELECTOR, ".pair > summary").click()
        kept = cluster.find_element(By.CSS_SELECTOR, ".kept bdi").text
        dropped = cluster.find_element(By.CSS_SELECTOR, ".pair > summary bdi").text
        WebDriverWait(browser, PATIENCE).until(
            lambda _, one=cluster: one.find_elements(By.CSS_SELECTOR, ".heads bdi")
        )
        heads = cluster.find_elements(By.CSS_SELECTOR, ".heads bdi")
        assert [head.text for head in heads] == [kept, dropped]
        assert kept[:-1] == dropped[:-1]
    notes = [one.text for one in all_of(browser, ".cluster .note")]
    listed = len(all_of(browser, ".cluster")[0].find_elements(By.CSS_SELECTOR, ".pair"))
    assert notes == [f"and {49 - listed} more duplicates"]
    assert complaints(browser) == []


def test_near_pairs_stand_first_and_say_what_was_decided(page, result):
    shown = all_of(page, "#pairs > .pair")
    near = [
        pair for pair in result.borderline(50) if abs(pair.score - result.settings.threshold) <= 0.2
    ]
    assert len(shown) == len(near) >= 3
    assert [float(text_of(one, ".score")) for one in shown] == [
        pytest.approx(pair.score, abs=0.005) for pair in near
    ]
    shown[0].find_element(By.CSS_SELECTOR, "summary").click()
    until(page, "#pairs .row.shared")
    assert f"score {near[0].score:.6g}" in shown[0].text.lower()


# --- finding ---


def test_search_by_id(page):
    find = page.find_element(By.ID, "find")
    find.send_keys("SITE1/07")
    assert [name.split("/")[1] for name in names(page)] == ["07.txt"]
    assert text_of(page, "#n-found") == "1 of 63 clusters found"
    assert not all_of(page, "#pairs > .pair")
    assert all_of(page, "#no-pairs")
    find.send_keys(Keys.ESCAPE)
    assert len(names(page)) == 50
    assert not all_of(page, "#no-pairs")


def test_a_cluster_shows_its_first_words_and_is_found_by_them(page, result, texts):
    shown = [one.text for one in all_of(page, ".cluster > summary .opening")]
    assert len(shown) == 50
    for opening, cluster in zip(shown, result.clusters, strict=False):
        assert len(opening) > 60
        assert opening.removesuffix(" …") in " ".join(texts[cluster.representative].split())
    find = page.find_element(By.ID, "find")
    find.send_keys(shown[7][5:60].upper())
    assert [one.text for one in all_of(page, ".cluster > summary .opening")] == [shown[7]]


def test_a_near_pair_is_found_by_the_first_words_of_its_cluster(page, result):
    (one,) = [p for p in result.borderline(50) if p.left.startswith("near/0")]
    find = page.find_element(By.ID, "find")
    find.send_keys("near/0")
    opening = text_of(page, ".cluster > summary .opening")
    find.clear()
    find.send_keys(opening[:50])
    (near,) = all_of(page, "#pairs > .pair")
    assert one.left in near.text


def test_a_pair_under_the_threshold_says_why_it_is_in_its_cluster(browser, tmp_path):
    first, middle, last = (prose(number, n) for number, n in ((1, 100), (2, 60), (3, 100)))
    texts = {"a": first + middle, "b": middle + last, "all": first + middle + last}
    found = dedupe.find_duplicate_texts(texts, keep="shortest")
    assert found.pair("a", "b").score < found.settings.threshold
    opened(browser, html.result_page(found), tmp_path)
    browser.find_element(By.CSS_SELECTOR, ".cluster > summary").click()
    under, match, _ = until(browser, ".cluster .pair", 3)
    assert "under the threshold, but see its match below" in under.text
    assert "matches all" in match.text
    assert "threshold" not in match.text
    under.find_element(By.CSS_SELECTOR, "summary").click()
    until(browser, ".pair .reason")
    assert (
        "Under the threshold of 0.45, yet in this cluster: it scores 1.00 with all." in under.text
    )
    assert complaints(browser) == []


def test_both_sides_of_a_folded_difference_are_seen(browser, tmp_path):
    story, one, other = (prose(number, 60) for number in (1, 2, 3))
    place = tmp_path / "compare.html"
    both = (story + aside + prose(4, 60) for aside in (one, other))
    place.write_text(html.comparison_page(dedupe.compare_texts(*both)), encoding="utf-8")
    browser.get(place.as_uri())
    left, right = all_of(browser, ".fold .preview")
    assert one.split()[0] in left.text
    assert other.split()[0] in right.text
    assert left.rect["x"] + left.rect["width"] <= right.rect["x"]
    assert left.rect["y"] == right.rect["y"]


@pytest.mark.parametrize("order", ["doubt", "sure", "saved", "size"])
def test_sorting(page, result, order):
    Select(page.find_element(By.ID, "sort")).select_by_value(order)
    words = {document.id: document.n_words for document in result.documents}
    scores = {one.id: one.score for one in result.duplicates}

    def least(cluster):
        return min(scores[m] for m in cluster.members if m != cluster.representative)

    def saved(cluster):
        return sum(words[m] for m in cluster.members) - words[cluster.representative]

    key = {
        "doubt": lambda c: round(least(c), 6),
        "sure": lambda c: round(-least(c), 6),
        "saved": lambda c: -saved(c),
        "size": lambda _: 0,
    }[order]
    expected = sorted(result.clusters, key=key)[:50]
    assert names(page) == [cluster.representative for cluster in expected]


def test_expand_and_collapse_all(page):
    page.find_element(By.ID, "expand").click()
    assert len(until(page, ".cluster[open]", 50)) == 50
    assert len(until(page, ".cluster .kept", 50)) == 50
    page.find_element(By.ID, "collapse").click()
    assert not all_of(page, ".cluster[open]")


def test_open_clusters_stay_open_and_the_focus_stays_while_one_searches_and_sorts(page):
    entry = all_of(page, ".cluster")[2]
    entry.find_element(By.CSS_SELECTOR, "summary").click()
    until(page, ".cluster .pair")
    entry.find_element(By.CSS_SELECTOR, ".pair > summary").click()
    until(page, ".cluster .sides")
    said = entry.text
    page.find_element(By.ID, "find").send_keys("site1/07")
    assert not all_of(page, ".cluster[open]")
    page.find_element(By.ID, "find").send_keys(Keys.ESCAPE)
    (again,) = all_of(page, ".cluster[open]")
    assert again.text == said
    page.execute_script("""
        document.querySelector(".cluster[open] .pair > summary").focus();
        const sort = document.getElementById("sort");
        sort.value = "saved";
        sort.dispatchEvent(new Event("change"));
    """)
    assert page.execute_script("return document.activeElement.closest('.cluster').open")
    assert len(all_of(page, ".cluster[open] .sides")) == 1
    page.find_element(By.ID, "find").send_keys("site1/07")
    page.find_element(By.ID, "collapse").click()
    page.find_element(By.ID, "find").send_keys(Keys.ESCAPE)
    assert not all_of(page, ".cluster[open]")


def test_more_clusters_stay_when_one_sorts(page, result):
    page.find_element(By.ID, "more").click()
    assert focused(page) == all_of(page, ".cluster > summary")[50].text
    Select(page.find_element(By.ID, "sort")).select_by_value("saved")
    assert len(all_of(page, ".cluster")) == len(result.clusters)


# --- keys ---


def test_j_and_k_work_from_anywhere_and_arrows_within_entries(page):
    entries = [one.text for one in all_of(page, ".entry > summary")]
    n_pairs = len(all_of(page, "#pairs > .pair"))
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.ARROW_DOWN)
    assert page.switch_to.active_element == body
    body.send_keys("j")
    assert focused(page) == entries[0]
    press(page, "j", Keys.ARROW_DOWN, "k")
    assert focused(page) == entries[1]
    press(page, "k", "k", "k")
    assert focused(page) == entries[0]
    # From elsewhere, to what is near in the window.
    page.execute_script("""
        document.activeElement.blur();
        document.getElementById("clusters").scrollIntoView();
    """)
    body.send_keys("k")
    assert focused(page) == entries[n_pairs - 1]
    page.execute_script("""
        document.getElementById("export").focus();
        document.getElementById("clusters").scrollIntoView();
    """)
    press(page, "j")
    assert focused(page) == entries[n_pairs]
    said = text_of(page, "section[aria-labelledby=about]")
    assert "j and k go to the next entry and to the one before" in said
    assert "and so do ↓ and ↑ within an entry" in said


def test_everything_is_within_reach_of_the_keyboard(page):
    page.find_element(By.TAG_NAME, "body").send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "find"
    press(page, "site2/00")
    assert len(names(page)) == 1
    page.execute_script("document.querySelector('.cluster > summary').focus()")
    press(page, Keys.ENTER)
    until(page, ".cluster .pair", 3)
    press(page, "j")
    first = focused(page)
    press(page, Keys.ARROW_DOWN)
    assert focused(page) != first
    press(page, "k")
    assert focused(page) == first
    press(page, Keys.ENTER)
    until(page, ".cluster .sides")
    press(page, "w")
    assert "✗ wrong" in focused(page)
    assert text_of(page, "#n-labels") == "1 pair labelled"
    press(page, "r")
    assert "✓ right" in focused(page)
    press(page, "r")
    assert text_of(page, "#n-labels") == "no pair labelled"
    press(page, Keys.ARROW_UP)
    press(page, Keys.ENTER)
    assert not all_of(page, ".cluster[open]")


def test_keys_do_nothing_while_one_types(page):
    find = page.find_element(By.ID, "find")
    find.send_keys("rwjk/")
    assert find.get_attribute("value") == "rwjk/"
    assert text_of(page, "#n-labels") == "no pair labelled"


# --- labels ---


def label(browser, entry, verdict):
    """Open an entry and press one of its buttons."""
    entry.find_element(By.CSS_SELECTOR, "summary").click()
    button = WebDriverWait(browser, PATIENCE).until(
        lambda _: entry.find_element(By.CSS_SELECTOR, f".labelling .{verdict}")
    )
    button.click()
    assert button.get_attribute("aria-pressed") == "true"


def test_labels_are_exported_and_calibrate(page, result):
    near = [
        pair for pair in result.borderline(50) if abs(pair.score - result.settings.threshold) <= 0.2
    ]
    entries = all_of(page, "#pairs > .pair")
    wanted = {}
    for number, (entry, pair) in enumerate(zip(entries[:2], near, strict=False)):
        together = any({pair.left, pair.right} <= set(c.members) for c in result.clusters)
        label(page, entry, ("right", "wrong")[number])
        wanted[pair.left, pair.right] = together is (number == 0)
    page.find_element(By.ID, "export").click()
    exported = downloaded(page, "labels.json")
    assert read_labels(exported) == wanted
    assert [row["left"] for row in json.loads(exported)["labels"]] == sorted(a for a, _ in wanted)
    wanted[result.duplicates[0].id, result.duplicates[0].duplicate_of] = True
    wanted["site0/01.txt", "site0/02.txt"] = False
    assert dedupe.calibrate(wanted, result).best.f1 > 0


def test_a_label_is_shown_wherever_its_pair_is(page, result):
    (one,) = [p for p in result.borderline(50) if p.left.startswith("near/0")]
    find = page.find_element(By.ID, "find")
    find.send_keys("near/0")
    page.find_element(By.ID, "expand").click()
    until(page, ".cluster .pair")
    find.send_keys(Keys.ESCAPE)
    (near,) = [e for e in all_of(page, "#pairs > .pair") if one.left in e.text]
    page.execute_script("""
        const find = document.getElementById("find");
        find.value = "near/1";
        find.dispatchEvent(new Event("input"));
        for (const pair of document.querySelectorAll("#pairs > .pair")) pair.hidden = false;
    """)
    label(page, near, "wrong")
    find.send_keys(Keys.ESCAPE)
    assert [e.text.count("✗ wrong") for e in all_of(page, ".cluster[open]")] == [1]


def test_labels_outlive_a_reload(page):
    label(page, all_of(page, "#pairs > .pair")[0], "wrong")
    page.refresh()
    until(page, "html[data-ready]")
    assert text_of(page, "#n-labels") == "1 pair labelled"
    assert "✗ wrong" in all_of(page, "#pairs > .pair")[0].text


def test_labels_work_where_the_browser_remembers_nothing(page):
    page.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "Object.defineProperty(window, 'localStorage', "
            "{get() { throw new DOMException('denied', 'SecurityError') }, configurable: true})"
        },
    )
    page.refresh()
    until(page, "html[data-ready]")
    label(page, all_of(page, "#pairs > .pair")[0], "right")
    assert text_of(page, "#n-labels") == "1 pair labelled"


# --- hostile text ---


@pytest.mark.parametrize("with_texts", [True, False])
def test_hostile_text_stays_text(browser, tmp_path, with_texts):
    texts = hostile_texts()
    found = dedupe.find_duplicate_texts(texts)
    opened(browser, html.result_page(found, texts if with_texts else None), tmp_path)
    browser.find_element(By.ID, "expand").click()
    until(browser, ".cluster .sides", 8)
    said = text_of(browser, "body")
    assert all(hostile in said for hostile in HOSTILE if hostile.isprintable())
    assert r"a\u202efdp.exe" in said
    assert r"tab\tfeed\nbell\x07\x1b[31m" in said
    assert browser.execute_script("return window.hacked") is None
    assert not browser.find_elements(By.TAG_NAME, "img")
    for entry in all_of(browser, ".cluster .pair"):
        entry.find_element(By.CSS_SELECTOR, ".labelling .wrong").click()
    browser.find_element(By.ID, "export").click()
    exported = downloaded(browser, "labels.json")
    labels = read_labels(exported)
    assert {name for sides in labels for name in sides} == set(texts)
    assert complaints(browser) == []


def test_a_line_of_ten_megabytes(browser, tmp_path):
    line = " ".join(random.Random(1).choices(prose(1, 200).split(), k=2_100_000))
    assert len(line) > 10_000_000
    texts = {"long/1": line, "long/2": f"{line} and more"} | benign_texts()
    found = dedupe.find_duplicate_texts(texts)
    text = html.result_page(found, texts)
    assert len(text) < 1_000_000
    opened(browser, text, tmp_path)
    browser.find_element(By.ID, "find").send_keys("long/")
    browser.find_element(By.ID, "expand").click()
    until(browser, ".sides.excerpts .row.shared")
    comparison = dedupe.compare_texts(texts["long/1"], texts["long/2"])
    place = tmp_path / "compare.html"
    place.write_text(html.comparison_page(comparison), encoding="utf-8")
    browser.get(place.as_uri())
    assert "characters are not shown" in text_of(browser, ".row.shared .left")
    assert complaints(browser) == []


# --- other readers ---


@pytest.mark.parametrize("is_mobile", [False, True])
@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_is_wider_than_the_window(page, width, is_mobile):
    """On a telephone no bar for scrolling takes any room."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": is_mobile}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.find_element(By.ID, "expand").click()
        until(page, ".cluster .sides")
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [400, 760, 1000, 1100, 1280, 1600])
def test_headings_stand_clear_of_the_sticky_bar(page, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        room = page.execute_script("""
            document.getElementById("clusters").scrollIntoView();
            const bar = document.querySelector(".tools").getBoundingClientRect();
            return document.getElementById("clusters").getBoundingClientRect().top - bar.bottom;
        """)
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert room >= 8


@pytest.mark.parametrize("width", [360, 400])
def test_the_bar_of_a_narrow_window_sticks_with_its_buttons_on_one_line(page, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        label(page, all_of(page, "#pairs > .pair")[0], "right")
        page.execute_script("document.getElementById('clusters').scrollIntoView()")
        lines = page.execute_script("""
            return [...document.querySelectorAll(".tools button")]
                .map((one) => one.getBoundingClientRect())
                .map(({ top, bottom, right }) => [top, bottom, right]);
        """)
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(lines) == 3
    assert len({top for top, _, _ in lines}) == 1
    assert all(0 <= top < bottom < 110 and right <= width for top, bottom, right in lines)


def test_it_can_be_read_without_its_script(browser, result, tmp_path):
    place = tmp_path / "page.html"
    place.write_text(html.result_page(result), encoding="utf-8")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(place.as_uri())
        said = text_of(browser, "body")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert result.clusters[0].representative in said
    assert result.borderline(1)[0].left in said
    assert "The 20 largest. With JavaScript" in said
    assert "Expand all" not in said


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2 defines it."""

    def luminance(colour):
        parts = [int(part) / 255 for part in colour[4:-1].split(",")]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_either_scheme(page, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        colours = page.execute_script("""
            const probe = document.body.appendChild(document.createElement("p"));
            const read = (name) => {
                probe.style.color = `var(--${name})`;
                return getComputedStyle(probe).color;
            };
            return Object.fromEntries(arguments[0].map((name) => [name, read(name)]));
        """, [name for pair in CONTRASTS for name in pair])  # fmt: skip
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    ratios = {pair: contrast(*(colours[name] for name in pair)) for pair in CONTRASTS}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


CONTRASTS = [
    ("ink", "paper"),
    ("ink", "raised"),
    ("ink", "shared"),
    ("ink", "mark"),
    ("soft", "paper"),
    ("soft", "boilerplate"),
    ("accent", "paper"),
    ("shared-ink", "paper"),
    ("only-ink", "paper"),
    ("boilerplate-ink", "boilerplate"),
    ("wrong", "paper"),
    ("wrong", "raised"),
]
