"""The pages of docs/slots: their examples run, and they name what there is to choose."""

import doctest
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from sgdreg import SGDLinearRegressor, losses, optimizers, schedules
from sgdreg._parameters import CONSTRAINTS
from sgdreg._update_rule import METRICS

FOLDER = Path(__file__).parent.parent / "docs" / "slots"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))
SLOTS = sorted(set(PAGES) - {"index.md"})


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


@pytest.mark.parametrize("page", PAGES)
def test_examples(page):
    if page == "state.md":
        pytest.importorskip("skops", reason="Checkpoint needs the extra checkpoint")
    failed, tried = doctest.testfile(str(FOLDER / page), module_relative=False)
    assert failed == 0
    assert tried > 0


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("loss.md", strings_of("loss") | {"Loss"}),
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


@pytest.mark.parametrize("page", PAGES)
def test_links_and_images(page):
    links = re.findall(r"\]\(([^)\s]+)\)", text(page))
    assert links
    for link in links:
        if not link.startswith("https://"):
            assert (FOLDER / link).is_file(), link


def test_every_slot_has_a_page_on_the_index_and_one_picture():
    listed = set(re.findall(r"\]\((.*?\.md)\)", text("index.md")))
    assert listed == set(SLOTS)
    for page in SLOTS:
        assert re.findall(r"!\[.+\]\(images/(.*)\.png\)", text(page)) == [page[:-3]]
    shown = {path.stem for path in (FOLDER / "images").iterdir()}
    assert shown == {page[:-3] for page in SLOTS}


def test_pictures_are_small():
    for path in (FOLDER / "images").iterdir():
        assert path.stat().st_size < 100_000, path.name


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of matplotlib
def test_a_picture_can_be_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    spec = importlib.util.spec_from_file_location("pictures", FOLDER / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    assert {f"{name}.md" for name in pictures.PICTURES} == set(SLOTS)
    pictures.main(["stopping"], tmp_path)
    assert (tmp_path / "stopping.png").stat().st_size > 1000
