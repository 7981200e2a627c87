"""Look at built pages without a network: ``python docs/check_links.py docs/_build/html``.

Every link to a page, a file or a place in a page has to lead somewhere, and no page may
load a script, a style, a font or a picture from elsewhere. What does not is listed, and the
exit code is 1.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

# Attributes that make a browser load something, by the tag (None: of any).
LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "src"),
    ("source", "srcset"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("iframe", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("image", "href"),
    ("use", "href"),
    ("input", "src"),
}
# <link rel=...> that are no more than said: nothing is loaded by them.
SAID = {"canonical", "next", "prev", "search", "index", "author", "license", "alternate"}
STYLE_URL = re.compile(r"""url\(\s*(['"]?)(.*?)\1\s*\)|@import\s+(['"])(.*?)\3""")


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it.

    Attributes
    ----------
    links, loads : list of str
    places : set of str
    """

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places = [], [], set()
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag in ("a", "area") and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and not SAID.issuperset(found.get("rel", "").lower().split()):
            self.loads.append(found.get("href", ""))
        for name in found.keys() & {name for kind, name in LOADED if kind == tag}:
            several = found[name].split(",") if name == "srcset" else [found[name]]
            self.loads += [one.split()[0] for one in several if one.strip()]
        self.loads += urls_of(found.get("style", ""))
        self._in_style = tag == "style"

    def handle_data(self, data):
        if self._in_style:
            self.loads += urls_of(data)

    def handle_endtag(self, tag):
        self._in_style = False


def urls_of(style):
    """What a style sheet loads."""
    return [url or imported for _, url, _, imported in STYLE_URL.findall(style)]


def elsewhere(url):
    """Whether a link leaves the folder of pages."""
    parts = urlsplit(url)
    return bool(parts.scheme or parts.netloc)


def problems(folder):
    """What is wrong in a folder of pages, a sentence each."""
    folder = Path(folder).resolve()
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.relative_to(folder).parts  # templates of the theme
    }
    if not pages:
        yield f"{folder}: there is no page."
    for path, page in pages.items():
        name = path.relative_to(folder)
        for url in page.loads:
            yield from _not_loaded(folder, path, url)
        for url in page.links:
            if elsewhere(url):
                continue
            target, place = urldefrag(url)
            file = _file(folder, path, target) if target else path
            if not file.is_file():
                yield f"{name}: {url} leads nowhere."
            elif place and file in pages and unquote(place) not in pages[file].places:
                yield f"{name}: {url} names a place that is not there."
    for path in sorted(folder.rglob("*.css")):
        for url in urls_of(path.read_text(encoding="utf-8")):
            yield from _not_loaded(folder, path, url)


def _not_loaded(folder, path, url):
    """What is wrong with something that a page or a style sheet loads."""
    name = path.relative_to(folder)
    if urlsplit(url).scheme == "data":
        return
    if elsewhere(url):
        yield f"{name}: {url} would be loaded from the network."
    elif not url.startswith("#") and not _file(folder, path, urldefrag(url)[0]).is_file():
        yield f"{name}: {url} is loaded and not there."


def _file(folder, path, target):
    """The file that a relative address means on the page at `path`."""
    target = unquote(urlsplit(target).path)
    start = folder if target.startswith("/") else path.parent
    file = (start / target.lstrip("/")).resolve()
    return file / "index.html" if file.is_dir() else file


def main(folder):
    """List what is wrong; the exit code."""
    found = sorted(set(problems(folder)))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
