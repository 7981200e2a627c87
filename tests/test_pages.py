"""The pages of docs name what there is to choose, lead somewhere, and can be reached."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import sgdreg
from sgdreg import SGDLinearRegressor, display, losses, optimizers, penalties, schedules
from sgdreg._estimator.parameters import CONSTRAINTS
from sgdreg.optimizers._base import METRICS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FOLDER = DOCS / "slots"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))
SLOTS = sorted(set(PAGES) - {"index.md"})
GENERATED = {"_build", "_templates", "gallery", "generated"}
ALL = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + [
    path
    for path in sorted([*DOCS.rglob("*.md"), *DOCS.rglob("*.rst")])
    if not GENERATED & set(path.relative_to(DOCS).parts)
]


def text(page):
    return (FOLDER / page).read_text(encoding="utf-8")


def names_in_code(page):
    """Every word of the page's code, inline or in blocks."""
    code = re.findall(r"```.*?```|`[^`]+`", text(page), re.DOTALL)
    return set(re.findall(r"\w+", " ".join(code)))


def strings_of(parameter):
    """The strings that the estimator accepts."""
    found = [getattr(rule, "options", ()) for rule in CONSTRAINTS[parameter]]
    return {option for options in found for option in options}


def classes_of(module, base=object):
    """The public classes that a module shows."""
    shown = getattr(module, "__all__", dir(module))
    found = {name: getattr(module, name) for name in shown if not name.startswith("_")}
    return {k for k, v in found.items() if inspect.isclass(v) and issubclass(v, base)}


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("loss.md", strings_of("loss") | {"Loss"}),
        ("penalty.md", classes_of(penalties, penalties.Penalty)),
        ("penalty.md", strings_of("penalty") | {"None", "positive", "l1_ratio", "alpha"}),
        (
            "sampling.md",
            strings_of("shuffle") | strings_of("batch_size") | {"True", "False"},
        ),
        ("gradient.md", {"svrg", "SVRG", "inner"}),
        ("update-rule.md", strings_of("optimizer")),
        ("update-rule.md", classes_of(optimizers, optimizers.Optimizer)),
        ("metric.md", {str(metric) for metric in METRICS}),
        ("averaging.md", strings_of("average") | {"True", "False"}),
        ("schedule.md", strings_of("learning_rate") | classes_of(schedules)),
        ("stopping.md", {"tol", "max_iter", "n_iter_no_change", "early_stopping"}),
        ("stopping.md", {"X_val", "y_val", "validation_fraction", "best_iteration_"}),
        ("state.md", {"warm_start", "partial_fit", "Checkpoint", "resume", "checkpoint_"}),
    ],
)
def test_every_choice_is_named(page, names):
    assert names - names_in_code(page) == set()


def test_losses_with_a_parameter_of_their_own_name_it():
    wanted = {parameter for _, parameter in losses.LOSSES.values()} - {None}
    assert wanted - names_in_code("loss.md") == set()


def test_every_parameter_is_on_the_index():
    parameters = set(SGDLinearRegressor().get_params(deep=False))
    assert parameters - names_in_code("index.md") == set()


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_images(path):
    """To files; what Sphinx makes of them is for docs/check_links.py to see."""
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    assert links or path.parent != FOLDER
    for link in links:
        file = link.partition("#")[0]
        if file and not link.startswith("https://") and not built(file):
            assert (path.parent / file).exists(), link


def built(link):
    """Whether a link leads to a page that is made when the documentation is."""
    return re.fullmatch(
        r"(\.\./)*(gallery/.*|api/generated/.*|api/index|explorable/.*)", link
    )


def test_every_page_can_be_reached():
    found, to_do = set(), ["index"]
    while to_do:
        name = to_do.pop()
        if name in found or name.startswith("gallery/"):
            continue
        found.add(name)
        files = [f for s in (".md", ".rst") if (f := DOCS / f"{name}{s}").is_file()]
        assert files, f"{name} is in a toctree, and not there"
        file = files[0]
        for tree in re.findall(
            r"^:::\{toctree\}\n(.*?)^:::", file.read_text("utf-8"), re.MULTILINE | re.DOTALL
        ):
            below = [line for line in tree.split("\n") if line and line[0] != ":"]
            to_do += [(file.parent / line).relative_to(DOCS).as_posix() for line in below]
    pages = {
        p.relative_to(DOCS).with_suffix("").as_posix() for p in ALL if DOCS in p.parents
    }
    assert pages - found == set()


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("sgdreg", set(sgdreg.__all__) - {"__version__"}),
        ("sgdreg.losses", {k for k in classes_of(losses, losses.Loss) if k != "Distance"}),
        ("sgdreg.optimizers", classes_of(optimizers)),
        ("sgdreg.schedules", classes_of(schedules)),
        ("sgdreg.display", classes_of(display)),
    ],
)
def test_every_public_name_is_on_the_api_page(module, names):
    sections = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
    listed = [
        re.findall(r"^   (\w+)$", part, re.MULTILINE)
        for part in re.split(r"\.\. currentmodule:: ", sections)[1:]
        if part.split()[0] == module
    ]
    assert {name for part in listed for name in part} >= names
    assert names


def test_every_slot_has_a_page_on_the_index_and_one_picture():
    listed = set(re.findall(r"\]\(([^/)]*\.md)\)", text("index.md")))
    assert listed == set(SLOTS)
    for page in SLOTS:
        assert re.findall(r"!\[.+\]\(images/(.*)\.png\)", text(page)) == [page[:-3]]
    shown = {path.stem for path in (FOLDER / "images").iterdir()}
    assert shown == {page[:-3] for page in SLOTS}


def test_pictures_are_small():
    for path in [*(FOLDER / "images").iterdir(), *(DOCS / "images").glob("auto-*")]:
        assert path.stat().st_size < 100_000, path.name


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of matplotlib
def test_a_picture_can_be_drawn(tmp_path, monkeypatch):
    pictures = script("slots.pictures", monkeypatch)
    assert {f"{name}.md" for name in pictures.PICTURES} == set(SLOTS)
    pictures.main(["stopping"], tmp_path)
    assert (tmp_path / "stopping.png").stat().st_size > 1000


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of matplotlib
def test_the_pictures_of_auto(tmp_path, monkeypatch):
    pictures = script("auto_pictures", monkeypatch)
    shown = re.findall(
        r"!\[.+\]\(images/auto-(.*)\.png\)", (DOCS / "auto.md").read_text("utf-8")
    )
    assert sorted(shown) == sorted(pictures.PICTURES)
    pictures.main(["stream"], tmp_path)
    assert (tmp_path / "auto-stream.png").stat().st_size > 1000


def script(name, monkeypatch):
    """A script of docs, as a module."""
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    pytest.importorskip("PIL", reason="pictures are made small by pillow")
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module(name)
