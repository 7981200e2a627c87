"""The gallery's examples: named and titled as it needs them, and the quick ones run.

The build of the documentation runs them all.
"""

import ast
import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(path.parent for path in (ROOT / "examples").glob("*/GALLERY_HEADER.rst"))
EXAMPLES = sorted((ROOT / "examples").glob("*/*.py"))
SLOW = {"plot_07_grid_search", "plot_08_sparse_text"}  # seconds
QUICK = [
    path
    for path in EXAMPLES
    if path.stem not in SLOW and not path.stem.startswith("plot_data_")
]
every_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
# What a version of matplotlib deprecates in another.
of_matplotlib = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")


def numbers(line):
    """The numbers in a line of text."""
    return [float(n) for n in re.findall(r"-?\d+\.\d+", line)]


def test_every_folder_has_a_title():
    assert {path.parent for path in EXAMPLES} == set(FOLDERS)
    for folder in (ROOT / "examples", *FOLDERS):
        lines = (folder / "GALLERY_HEADER.rst").read_text(encoding="utf-8").splitlines()
        assert set(lines[1]) <= {"=", "-"}
        assert len(lines[1]) == len(lines[0]) > 0


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_examples_are_numbered_in_the_order_of_their_names(folder):
    names = sorted(path.name for path in folder.glob("*.py"))
    matches = [re.fullmatch(r"plot_(?:data_)?(\d+)_[a-z_]+\.py", name) for name in names]
    assert [int(match[1]) for match in matches] == list(range(1, len(names) + 1))


@every_example
def test_title_text_and_pictures(path):
    source = path.read_text(encoding="utf-8")
    _, title, rule, blank, *learnt, _ = ast.parse(source).body[0].value.value.split("\n")
    assert rule == "=" * len(title)
    assert blank == ""
    assert len(learnt) == 2
    assert source.count("\n# %%\n# ") >= 4
    assert "plt.show()" in source


@every_example
def test_links(path):
    targets = re.findall(r":doc:`(?:[^`<]*<)?([^`<>]+)>?`", path.read_text("utf-8"))
    assert targets
    for target in targets:
        if target.startswith("/gallery/"):
            source = ROOT / "examples" / f"{target.removeprefix('/gallery/')}.py"
        elif target.startswith("/"):
            source = ROOT / "docs" / f"{target[1:]}.md"
        else:
            source = path.parent / f"{target}.py"
        assert source.is_file(), target


@every_example
def test_those_that_need_data_say_so_in_their_names(path):
    needs = 'os.environ["SGDREG_DATA"]' in path.read_text(encoding="utf-8")
    assert needs == path.stem.startswith("plot_data_")


@pytest.fixture
def pyplot(monkeypatch, tmp_path):
    """Matplotlib without windows, in an empty folder and without real data."""
    matplotlib = pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    monkeypatch.setattr(pyplot, "show", lambda: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SGDREG_DATA", raising=False)
    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


def published_and_ours(path, capsys):
    """The numbers of each line "published …" that an example prints, and of the next."""
    runpy.run_path(str(path))
    for line, following in pairwise(capsys.readouterr().out.splitlines()):
        if line.startswith("published"):
            yield numbers(line), numbers(following)


@of_matplotlib
@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_quick_ones_run(path, pyplot, tmp_path, capsys):
    pairs = list(published_and_ours(path, capsys))
    assert pyplot.get_fignums()
    assert list(tmp_path.iterdir()) == []
    assert bool(pairs) == (path.parent.name == "tutorials")
    if path.stem != "plot_3_network":  # whose data are draws of its own
        for published, ours in pairs:
            assert ours == pytest.approx(published, rel=1e-10)


@of_matplotlib
def test_the_tutorials_table_gives_the_published_numbers(
    pyplot, real_data, monkeypatch, capsys
):
    monkeypatch.setenv("SGDREG_DATA", real_data)
    path = ROOT / "examples" / "tutorials" / "plot_5_live_coding.py"
    pairs = list(published_and_ours(path, capsys))
    assert len(pairs) == 5
    for published, ours in pairs:
        assert ours == pytest.approx(published, rel=1e-10)
