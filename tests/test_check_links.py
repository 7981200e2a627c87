"""docs/check_links.py, on small sites made up for it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "docs" / "check_links.py"
spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
check_links = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_links)

GOOD = {
    "index.html": """<link rel="stylesheet" href="a/style.css?v=1"><link rel="canonical"
        href="https://example.org/"><script src="a/x.js"></script><h1 id="top">A</h1>
        <a href="sub/">folder</a> <a href="sub/page.html#a%20place">place</a>
        <a href="#top">here</a> <a href="#">nowhere</a> <a href="https://example.org">out</a>
        <a href="mailto:a@example.org">mail</a> <img src="data:image/png;base64,AA">
        <img srcset="a/x.png 1x, a/x.png 2x" src="a/x.png"><svg><use href="#top"/></svg>
        <script>const url = "https://example.org";</script>""",
    "sub/index.html": '<a href="../index.html">up</a> <a href="/index.html#top">root</a>',
    "sub/page.html": '<p id="a place"></p> <style>p { src: url(../a/x.png) }</style>',
    "_static/part.html": '<a href="{{ a template of the theme }}"></a>',
    "a/style.css": "@import 'more.css'; p { background: url( \"x.png#here\" ) }",
    "a/more.css": "p { background: url(data:image/png;base64,AA) }",
    "a/x.js": "",
    "a/x.png": "",
}


def site(folder, **more):
    for name, text in (GOOD | more).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_site_in_order(tmp_path):
    assert list(check_links.problems(site(tmp_path))) == []
    assert check_links.main(tmp_path) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="gone.html">', "gone.html leads nowhere"),
        ('<a href="sub/gone/">', "sub/gone/ leads nowhere"),
        ('<a href="#gone">', "#gone names a place that is not there"),
        ('<a href="sub/page.html#gone">', "page.html#gone names a place"),
        ('<img src="a/gone.png">', "a/gone.png is loaded and not there"),
        ('<img srcset="a/x.png, a/gone.png 2x">', "a/gone.png is loaded and not there"),
        (
            '<script src="https://example.org/x.js">',
            "x.js would be loaded from the network",
        ),
        ('<link rel="stylesheet" href="//example.org/x.css">', "from the network"),
        ('<link rel="preload" href="a/gone.woff2">', "gone.woff2 is loaded and not there"),
        ('<iframe src="http://example.org"></iframe>', "from the network"),
        ("<style>@import url(https://example.org/x.css)</style>", "from the network"),
        ('<p style="background: url(a/gone.png)">', "a/gone.png is loaded and not there"),
    ],
)
def test_what_is_wrong_in_a_page(tmp_path, text, problem):
    found = list(check_links.problems(site(tmp_path, **{"wrong.html": text})))
    assert len(found) == 1
    assert found[0].startswith("wrong.html: ")
    assert problem in found[0]


@pytest.mark.parametrize("text", ["@import 'gone.css'", "p { src: url(http://a.org/f) }"])
def test_what_is_wrong_in_a_style_sheet(tmp_path, text):
    (found,) = check_links.problems(site(tmp_path, **{"a/wrong.css": text}))
    assert found.startswith("a/wrong.css: ")


def test_an_empty_folder_is_no_site(tmp_path):
    assert ["no page" in line for line in check_links.problems(tmp_path)] == [True]


def test_the_exit_code(tmp_path):
    site(tmp_path, **{"wrong.html": '<a href="gone.html">'})
    ran = subprocess.run(
        [sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stdout == "wrong.html: gone.html leads nowhere.\n"
