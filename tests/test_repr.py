"""What a notebook shows: scikit-learn's diagram, and of a fitted model plan and outcome."""

import pickle
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.callback import FitCallback
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sgdreg import SGDLinearRegressor
from sgdreg.losses import SquaredError
from sgdreg.optimizers import Momentum
from sgdreg.schedules import OneCycle

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
STEPS = {"learning_rate": 0.01, "batch_size": 16, "max_iter": 12, "random_state": 0}
NASTY = "<script>alert(1)</script> & \"double\" 'single'"


def shown(model):
    return model._repr_mimebundle_()["text/html"]


def own(model):
    """What is added to scikit-learn's diagram."""
    _, end, added = shown(model).rpartition("</body>")
    assert end
    return added


def tables(model):
    """{caption: {row header: text}}; the markup must be well-formed."""
    root = ElementTree.fromstring(f"<html>{own(model)}</html>")
    found = {}
    for table in root.iter("table"):
        rows = {}
        for row in table.iter("tr"):
            header, text = row
            assert header.tag == "th"
            assert header.get("scope") == "row"
            assert text.tag == "td"
            rows[header.text] = text.text
        found[table.find("caption").text] = rows
    return found


class Names(HTMLParser):
    """Every id, tag and address of a page."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.tags, self.links = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_an_unfitted_model_is_scikit_learns_diagram():
    model = SGDLinearRegressor()
    same = re.sub(r"-id-\d+", "", estimator_html_repr(model))
    assert re.sub(r"-id-\d+", "", shown(model)) == same
    assert own(model) == ""


def test_the_diagram_of_a_fitted_model_is_untouched():
    model = SGDLinearRegressor().fit(X, Y)
    diagram = re.sub(r"-id-\d+", "", estimator_html_repr(model))
    assert re.sub(r"-id-\d+", "", shown(model)).startswith(diagram)
    assert model._repr_html_().count("<caption>") == 2


class Stop(FitCallback):
    """Stops at the second epoch, having looked at every model that it is handed."""

    def __init__(self):
        self.seen = []

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator):
        if context.task_name == "fit":
            self.seen.append(tables(fitted_estimator)["Outcome"])

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.seen.append(tables(fitted_estimator)["Outcome"])
        return context.task_name == "epoch" and fitted_estimator.n_iter_ == 2


def fitted(name):
    model = SGDLinearRegressor(**({} if name in DEFAULTS else STEPS))
    match name:
        case "validated":
            model.set_params(early_stopping=True)
        case "no tol":
            model.set_params(tol=None)
        case "stopped":
            model.set_callbacks(Stop())
        case "two outputs":
            return model.fit(X, np.c_[Y, -Y])
        case "kinks":
            model.set_params(loss="quantile")
        case "partial_fit":
            return model.partial_fit(X, Y).partial_fit(X, Y)
        case "sparse":
            return model.set_params(penalty="l1", alpha=1.0).fit(X, Y).sparsify()
        case "unpickled":
            return pickle.loads(pickle.dumps(model.fit(X, Y)))
        case "continued":
            model.set_params(warm_start=True).fit(X, Y)
    return model.fit(X, Y)


DEFAULTS = {"default", "kinks", "partial_fit", "sparse"}
NAMES = sorted(
    {"textbook", "validated", "no tol", "stopped", "two outputs", "unpickled", "continued"}
    | DEFAULTS
)


@pytest.mark.parametrize("name", NAMES)
def test_plan_and_outcome_say_what_the_attributes_say(name):
    model = fitted(name)
    found = tables(model)
    assert list(found) == ["Plan", "Outcome"]
    printed = str(model.plan_).splitlines()
    assert [f"{slot:<11} {text}" for slot, text in found["Plan"].items()] == printed
    outcome = found["Outcome"]
    assert outcome["converged"] == {True: "yes", False: "no"}[model.converged_]
    assert outcome["stop reason"] == model.stop_reason_
    assert int(outcome["epochs"].replace(",", "")) == model.n_iter_
    assert int(outcome["steps"].replace(",", "")) == model.t_
    assert float(outcome["seconds"]) == pytest.approx(
        model.history_[-1]["seconds"], rel=5e-3
    )
    best = model.best_iteration_
    assert outcome.get("best epoch") == (None if best is None else str(best))
    entry = model.history_[-1 if best is None else best - 1]
    assert entry["epoch"] == (best or model.n_iter_)
    for row, key, error in (
        ("objective", "objective", 5e-6),
        ("optimality gap", "optimality_gap", 0.05),
        ("validation R²", "validation_score", 5e-6),
    ):
        assert (row in outcome) == (key in entry)
        if row in outcome:
            assert float(outcome[row]) == pytest.approx(entry[key], rel=error, abs=0)


def test_figures_are_those_of_the_epoch_returned():
    model = SGDLinearRegressor(
        early_stopping=True, learning_rate=0.1, batch_size=4, random_state=3, tol=0.0
    ).fit(X[:60], Y[:60])
    assert model.best_iteration_ < model.n_iter_
    outcome = tables(model)["Outcome"]
    assert outcome["best epoch"] == str(model.best_iteration_)
    best = model.history_[model.best_iteration_ - 1]
    assert outcome["objective"] == f"{best['objective']:.6g}"
    assert outcome["validation R²"] == f"{max(model.validation_scores_):.6g}"


def test_models_on_the_way_can_be_looked_at_too():
    look = Stop()
    SGDLinearRegressor(**STEPS).set_callbacks(look).fit(X, Y)
    epochs = [seen["epochs"] for seen in look.seen]
    assert epochs == ["0", "1", "2", "2"]
    assert all("stop reason" not in seen for seen in look.seen)
    assert "objective" not in look.seen[0]
    assert "objective" in look.seen[1]


class Nasty(SquaredError):
    """A loss whose name is markup."""

    def __repr__(self):
        return NASTY


def test_reprs_and_feature_names_are_escaped():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X[:, :2], columns=[NASTY, "</td></table><h1>b</h1>"])
    model = SGDLinearRegressor(Nasty(), **STEPS).fit(frame, Y)
    assert tables(model)["Plan"]["loss"] == NASTY
    tags = Names(shown(model)).tags
    assert tags.count("script") == 1  # scikit-learn's
    assert "h1" not in tags
    assert "<script>alert" not in shown(model)


class Lines(SquaredError):
    """A loss whose name has several lines."""

    def __repr__(self):
        return "one\nand two\n  three   four"


def test_choices_of_several_lines_stay_in_their_row():
    model = SGDLinearRegressor(
        Lines(),
        optimizer=Momentum(0.123456789012345, metric="diagonal"),
        learning_rate=OneCycle(0.0123456789, 123456, 0.123456789, 33.3, 44444.4),
        max_iter=2,
    ).fit(X, Y)
    plan = tables(model)["Plan"]
    assert len(plan) == 7
    assert plan["loss"] == repr(model.loss)
    assert len(plan["step"].splitlines()) > 1
    assert "last_divisor=44444.4" in plan["step"]


def test_many_models_share_a_page_without_a_clash():
    names = Names("".join(shown(fitted(name)) for name in NAMES))
    assert len(names.ids) == 2 * len(NAMES)  # scikit-learn's
    assert len(set(names.ids)) == len(names.ids)


def test_nothing_comes_from_elsewhere_and_no_link_is_dead():
    """There is no address of the documentation: the diagram has no link to it."""
    for model in (SGDLinearRegressor(), *map(fitted, NAMES)):
        assert Names(shown(model)).links == []
        assert "http" not in own(model)
        assert "url(" not in own(model)


def test_as_a_step_it_is_scikit_learns_diagram():
    chain = make_pipeline(StandardScaler(), SGDLinearRegressor(**STEPS))
    search = GridSearchCV(chain, {"sgdlinearregressor__penalty": [None, "l2"]}, cv=2)
    for model in (chain, search):
        assert "SGDLinearRegressor" in shown(model)
        model.fit(X, Y)
        assert "SGDLinearRegressor" in shown(model)
        assert "<caption>" not in shown(model)
    assert list(tables(chain[-1])) == ["Plan", "Outcome"]


def test_text_where_text_is_asked_for():
    model = fitted("textbook")
    with sklearn.config_context(display="text"):
        assert not hasattr(model, "_repr_html_")
        assert model._repr_mimebundle_() == {"text/plain": repr(model)}
    assert repr(model) == BaseEstimator.__repr__(model)
