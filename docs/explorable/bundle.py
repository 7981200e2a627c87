"""The explorable as one file that needs no other: ``python bundle.py OUT.html``."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
HOME = '<a id="home" hidden>'


def bundle(folder, home="../index.html"):
    """index.html with its scripts and styles within.

    Parameters
    ----------
    folder : str or path-like
        Where index.html is.
    home : str or None
        What the footer links to: the documentation, seen from where the file will be.
    """
    folder = Path(folder)

    def within(tag):
        return lambda found: f"<{tag}>\n{_text(folder / found[1])}</{tag}>"

    page = STYLE.sub(within("style"), _text(folder / "index.html"))
    page = SCRIPT.sub(within("script"), page)
    return page if home is None else page.replace(HOME, f'<a id="home" href="{home}">')


def _text(path):
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(bundle(HERE, home=None), encoding="utf-8")
