"""What the documents show is what happens: README and every docstring, run."""

import doctest
import importlib
import importlib.metadata
import pkgutil
from pathlib import Path

import pytest

import sgdreg

ROOT = Path(__file__).parent.parent
MODULES = ["sgdreg"] + [
    f"sgdreg.{module.name}"
    for module in pkgutil.iter_modules(sgdreg.__path__)
    if module.name != "cli"  # needs its extra
]
EXAMPLES = {"sgdreg._regressor", "sgdreg.losses", "sgdreg.optimizers", "sgdreg.schedules"}
quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of SGDRegressor


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name not in EXAMPLES


@quiet
@pytest.mark.parametrize("name", ["README.md", "docs/design-notes.md"])
def test_documents(name):
    failed, tried = doctest.testfile(str(ROOT / name), module_relative=False)
    assert failed == 0
    assert tried > 0


def test_the_two_commands_are_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\npip install '.[cli]' && sgdreg fit\n" in text
    assert "\npip install '.[test]' && pytest\n" in text


def test_every_module_is_installed_and_in_the_build():
    sources = {p.name for p in (ROOT / "sgdreg").glob("*.py")}
    listed = (ROOT / "sgdreg" / "meson.build").read_text(encoding="utf-8")
    assert {name for name in sources if f"'{name}'" not in listed} == set()


def test_the_version_is_in_one_place():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in text
    assert sgdreg.__version__ in (ROOT / "sgdreg" / "_version.py").read_text()
    assert importlib.metadata.version("sgdreg") == sgdreg.__version__
