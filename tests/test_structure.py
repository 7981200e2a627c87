"""benchmarks/structure.py, on small packages made up for it; and this package's imports."""

import sys
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from scipy import sparse

ROOT = Path(__file__).parent.parent


@pytest.fixture
def structure(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.structure")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that writes {path: text} as the package `fake`, and returns its folder."""

    def package(**files):
        folder = tmp_path / "fake"
        for name, text in {"__init__": ""}.items() | files.items():
            path = folder / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "fake"]:
        del sys.modules[name]


def test_ways_to_import(structure, package):
    folder = package(
        a="from fake import b\nimport fake.c\nfrom fake.low__in__d import x\n".replace(
            "__in__", "."
        ),
        b="def f():\n    from .c import y\n",
        c="import os, typing\nif typing.TYPE_CHECKING:\n    import fake.a\n",
        low__in____init__="from fake import version\n",
        low__in__d="from . import e\nfrom .. import b\n",
        low__in__e="from ..c import *\n",
    )
    assert structure.imports(folder) == {
        "fake": set(),
        "fake.a": {"fake.b", "fake.c", "fake.low.d"},
        "fake.b": {"fake.c"},
        "fake.c": set(),
        "fake.low": {"fake"},  # `version` is a name in it
        "fake.low.d": {"fake.low.e", "fake.b"},
        "fake.low.e": {"fake.c"},
    }


def test_circles(structure, package):
    folder = package(
        a="import fake.b", b="import fake.c", c="import fake.a", d="import fake.a", e=""
    )
    assert structure.circles(structure.imports(folder)) == [["fake.a", "fake.b", "fake.c"]]
    assert structure.circles({"a": {"a"}, "b": set()}) == [["a"]]
    assert structure.circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []


def test_longest_chain(structure, package):
    links = {
        f"m{i}": f"import fake.m{i + 1}\nimport fake.m{min(i + 3, 9)}" for i in range(9)
    }
    graph = structure.imports(package(m9="", other="import fake.m7", **links))
    assert structure.longest_chain(graph) == [f"fake.m{i}" for i in range(10)]
    assert structure.longest_chain(graph, "fake.other")[1:] == [
        "fake.m7",
        "fake.m8",
        "fake.m9",
    ]
    # Through a circle, which counts with all of its files.
    circle = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert structure.longest_chain(circle) == ["a", "b", "c", "d"]


def test_imports_that_go_up(structure, package):
    folder = package(
        face="from fake.high import one, two",
        high__in____init__="",
        high__in__one="from fake.low import x, z",
        high__in__two="from fake.low.y import f\nfrom fake.base import g",
        low__in____init__="",
        low__in__x="import fake.base",
        low__in__y="from ..high import one",
        low__in__z="",
        base="",
    )
    graph = structure.imports(folder)
    order = structure.levels(graph)
    assert [name for name in order if name != "fake"] == [
        "fake.face", "fake.high", "fake.low", "fake.base"
    ]  # fmt: skip
    assert structure.upward(graph) == [("fake.low.y", "fake.high.one")]
    assert structure.circles(graph) == []  # of folders, not of files
    agreed = ["fake", "fake.base", "fake.face", "fake.high", "fake.low"]
    assert ("fake.low.x", "fake.base") in structure.upward(graph, agreed)


WAY = {
    "front": """
        from functools import partial
        from fake import back, quiet
        def fit(X):
            for _ in range(3):
                back.look(X)
            quiet.nothing(X.sum())
            back.look([X[1:]])
            holder = quiet.Holder(X)
            inside(X)
            list(map(partial(back.look, y=X), [1]))
            return holder.shape()
        def inside(X):
            return back.look(1, *(2, X), a=3), back.look(1, a=X), back.look(X.T @ X)
    """,
    "back": "def look(X, y=None, *more, **named):\n    return None",
    "quiet": """
        def nothing(number):
            return number
        class Holder:
            def __init__(self, X):
                self.X = X
            def shape(self):
                return self.X.shape
        def never(X):
            return X
    """,
    "unused": "",
}


def test_the_way_of_rows(structure, package):
    package(**{name: dedent(text) for name, text in WAY.items()})
    front = import_module("fake.front")
    X = np.ones((5, 3))
    way = structure.way("fake", X, lambda: front.fit(X))
    assert sys.getprofile() is None
    assert way.modules == ["fake.front", "fake.back", "fake.quiet"]
    lines = sorted((line, function) for _, line, _, function in way.places)
    assert lines == [
        (6, "look"), (8, "look"), (9, "Holder.__init__"), (11, "look"),
        (12, "Holder.shape"), (14, "look"),
    ]  # fmt: skip
    assert way.calls == 3 + 4 + 2  # once three times; two in one line


def test_what_holds_rows(structure):
    X = sparse.random_array((6, 4), density=0.5, format="csr", rng=0)
    assert structure.holds(X, X)
    assert structure.holds((None, X[:]), X)
    assert structure.holds(X.toarray(), X)
    assert structure.holds(X.data[1:], X)
    assert not structure.holds(X.sum(axis=0), X)
    assert not structure.holds([[X]], X)
    assert not structure.holds(None, X)


LOGIC = """
total = 0
for row in rows:
    if row:
        total += row
    else:
        total -= 1
result = total / 2
"""


def test_lines_that_stand_twice(structure, package):
    noise = LOGIC.replace("total += row", "total  +=  row  # a comment\n\n")
    short = "\n".join([*LOGIC.splitlines()[:6], "        pass"])
    folder = package(
        a=f'"""Of a."""\nimport os\n{LOGIC}',
        b=f'"""Of b."""\n\n\nimport sys\n{noise}\nprint(result)',
        c=short,
        d="x = 1\n" * 9,
        e=f'"""{LOGIC}"""',
    )
    (size, first, i, second, j), *more = structure.repeated(folder)
    assert (size, first.name, i, second.name, j) == (7, "a.py", 4, "b.py", 6)
    assert not more
    assert len(structure.repeated(folder, block=5)) == 2  # c as well
    assert structure.largest(folder)[0] == (
        4 + len(noise.splitlines()) + 2,
        folder / "b.py",
    )


def test_signatures_of_kernels_are_no_logic(structure, package):
    head = "cdef void {}(\n    int a, int b,\n    int c,\n    int d,\n) noexcept nogil:\n"
    body = "    a = 1\n    b = 2\n    c = 3\n    d = 4\n"
    folder = package()
    for name, more in (("one", "    a = 5\n"), ("two", "    b = 5\n")):
        (folder / f"{name}.pyx").write_text(head.format(name) + body + more)
    assert structure.repeated(folder) == []
    assert len(structure.repeated(folder, block=4)) == 1


def test_report(structure, package, capsys):
    structure.report(package(a="import fake.b", b="import fake.a"))
    text = capsys.readouterr().out
    assert "3 modules, 2 imports" in text
    assert "circles: 1\n  fake.a <> fake.b" in text
    assert "stand twice: none" in text
    assert "not measured" in text


# Folders and files at the top of the package, from the top down: imports go down.
ORDER = [
    "cli", "display", "", "_estimator", "_callbacks", "_sources", "_solvers", "_training",
    "_plan", "_curvature", "_data", "_persistence", "optimizers", "schedules", "penalties",
    "losses", "_kernels", "_answers", "_records", "_sklearn", "_typing", "_version",
]  # fmt: skip
# The estimator, a solver within a solver, and the curvature below it; with the face 12.
LONGEST = 12


def test_imports_go_down_and_not_far(structure):
    graph = structure.imports(ROOT / "sgdreg")
    assert structure.circles(graph) == []
    order = [f"sgdreg.{name}".rstrip(".") for name in ORDER]
    assert structure.upward(graph, order) == []
    assert len(structure.longest_chain(graph, "sgdreg")) <= LONGEST


def test_no_logic_stands_twice(structure):
    assert structure.repeated(ROOT / "sgdreg") == []


def test_an_import_behind_a_face_that_waits_counts(structure, package):
    folder = package(a="from fake import b", b="")
    (folder / "__init__.py").write_text('_PARTS = {"A": "a"}\n')
    graph = structure.imports(folder)
    assert structure.longest_chain(graph, "fake") == ["fake", "fake.a", "fake.b"]


def test_fits_pass_through_the_package(structure):
    _, X, call = next(structure.fits())
    call()
    way = structure.way("sgdreg", X, call)
    assert any("losses" in module for module in way.modules)
    assert 0 < len(way.places) <= way.calls
