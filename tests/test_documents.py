"""What documents say of the package: docstrings run, the build lists what there is."""

import doctest
import importlib
import importlib.metadata
import pkgutil
import re
from pathlib import Path

import pytest

import sgdreg

ROOT = Path(__file__).parent.parent
MODULES = ["sgdreg"] + [
    module.name
    for module in pkgutil.walk_packages(sgdreg.__path__, "sgdreg.")
    if not module.name.startswith(("sgdreg._kernels", "sgdreg.cli", "sgdreg.display"))
]
# The documentation shows their examples. (Those of sgdreg.display: test_display.py.)
EXAMPLES = {
    "sgdreg._callbacks.checkpoint",
    "sgdreg",
    "sgdreg._callbacks.trajectory",
    "sgdreg.losses",
    "sgdreg.penalties",
    "sgdreg.optimizers._base",
    "sgdreg.optimizers._full_gradient",
    "sgdreg.optimizers._minibatch",
    "sgdreg.schedules._annealing",
    "sgdreg.schedules._basic",
}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    if name == "sgdreg._callbacks.checkpoint":
        pytest.importorskip("skops", reason="Checkpoint needs the extra checkpoint")
    _ = sgdreg.SGDLinearRegressor  # its module is this one, which looks for it when asked
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name not in EXAMPLES


def test_the_two_commands_are_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\npip install '.[cli]' && sgdreg fit\n" in text
    assert "\npip install '.[test]' && pytest\n" in text


def test_every_module_is_installed_and_in_the_build():
    """In the list of its own folder, and that folder in the list above."""
    package = ROOT / "sgdreg"
    for folder in {path.parent for path in package.rglob("*.py")}:
        listed = (folder / "meson.build").read_text(encoding="utf-8")
        names = [path.name for path in folder.glob("*.py")]
        assert [name for name in names if f"'{name}'" not in listed] == []
        if folder != package:
            above = (folder.parent / "meson.build").read_text(encoding="utf-8")
            assert f"subdir('{folder.name}')" in above


@pytest.mark.parametrize(
    "page",
    [
        "CONTRIBUTING.md",
        "RELEASING.md",
        "SECURITY.md",
        ".github/pull_request_template.md",
        "docs/glossary.md",
    ],
)
def test_files_that_papers_name_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`([\w./-]+\.(?:md|py|pyx|pxi|h|sh|toml|yml|cff)|\.ci/\w+)`", text)
    inside = {p.name for f in ("sgdreg", ".github") for p in (ROOT / f).rglob("*")}
    assert named
    assert [n for n in named if not (ROOT / n).exists() and n not in inside] == []


def test_the_version_is_in_one_place():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in text
    assert sgdreg.__version__ in (ROOT / "sgdreg" / "_version.py").read_text()
    assert importlib.metadata.version("sgdreg") == sgdreg.__version__


def test_the_map_names_modules_and_tests_that_are_there():
    """The table of CONTRIBUTING, whose first column holds for the rows below it, too."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[\w/]+/`|\(top\)|) \| `([\w./]+)` \| .+ \|$", text, re.M)
    named, folder = {}, None
    for first, name in rows:
        if first:
            folder = "" if first == "(top)" else first.strip("`")
        named.setdefault(folder, set()).add(name)
    assert len(named) > 10
    for folder, names in named.items():
        inside = ROOT / "sgdreg" / folder
        assert [name for name in names if not (inside / name).exists()] == []
        here = {path.name for path in inside.glob("*.py")} - {"__init__.py"}
        assert here - names == set()
    tests = re.findall(r"`(test_\w+)`", text)
    assert tests
    assert [name for name in tests if not (ROOT / f"tests/{name}.py").exists()] == []


def test_what_pages_include_is_there():
    found = 0
    for page in (ROOT / "docs").rglob("*.md"):
        for path, options in re.findall(
            r"^:::\{(?:literal)?include\} (\S+)\n((?::.*\n)*)",
            page.read_text("utf-8"),
            re.M,
        ):
            text = (page.parent / path).read_text("utf-8")
            for mark in re.findall(r':(?:start-after|end-before): "(.*)"', options):
                assert mark in text, (page, path)
                found += 1
    assert found
