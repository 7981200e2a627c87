"""`sgdreg fit`: what it prints, and what reaches the estimator."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from command_line import (
    EXACT,
    as_json,
    coefficients,
    csv_of,
    refused,
    run,
    succeed,
    value,
)
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge

from sgdreg import SGDLinearRegressor, __version__
from sgdreg.cli import _fit, _options, _report, _scores

X, Y = load_diabetes(return_X_y=True, scaled=False)


# ------------------------------------------------------------------- what it prints


def test_diabetes_without_arguments():
    result = succeed("fit")
    exact = LinearRegression().fit(X, Y)
    names = load_diabetes().feature_names
    assert "442 rows, 10 features → disease progression" in result.stdout
    printed = coefficients(result.stdout)
    assert list(printed) == names
    np.testing.assert_allclose(
        list(printed.values()),
        np.column_stack([exact.coef_, exact.coef_ * X.std(axis=0)]),
        rtol=1e-5,
    )
    intercept = float(value(result.stdout, "intercept"))
    assert intercept == pytest.approx(exact.intercept_, rel=1e-5)
    assert value(result.stdout, "R² of the fit") == "0.517748"
    least_squares = value(result.stdout, "R² of exact least squares")
    assert least_squares.startswith("0.517748 (difference ")
    model = SGDLinearRegressor().fit(X, Y)
    assert value(result.stdout, "Epochs") == str(model.n_iter_)
    assert value(result.stdout, "Converged") == "yes"
    assert value(result.stdout, "Stopped because") == model.stop_reason_
    gap = model.history_[-1]["optimality_gap"]
    assert value(result.stdout, "Optimality gap") == f"{gap:.1e}"
    assert float(value(result.stdout, "Seconds")) > 0
    for line in str(model.plan_).splitlines():
        slot, choice = line.split(maxsplit=1)
        assert value(result.stdout, f"Plan: {slot}") == choice
    assert result.stderr == ""  # no progress bar off a terminal
    assert not any(line.endswith(" ") for line in result.stdout.splitlines())


def test_exact_line_in_a_file(write):
    output = succeed("fit", write(EXACT), "--target", "price").stdout
    std_a, std_b = np.std([1, 2, 3, 4]), np.std([2, 1, 5, -1])
    printed = coefficients(output)
    assert printed["a"] == pytest.approx((2, 2 * std_a), rel=1e-5)
    assert printed["b"] == pytest.approx((3, 3 * std_b), rel=1e-5)
    assert float(value(output, "intercept")) == pytest.approx(1, rel=1e-5)
    assert value(output, "R² of the fit") == "1.000000"
    assert "The target is" not in output
    assert "Dropped" not in output


def test_target_may_be_any_column(write):
    output = succeed("fit", write(EXACT), "--target", "a").stdout
    assert list(coefficients(output)) == ["b", "price"]
    assert coefficients(output)["price"][0] == pytest.approx(0.5, rel=1e-5)
    assert coefficients(output)["b"][0] == pytest.approx(-1.5, rel=1e-5)


def test_default_target_and_everything_dropped_are_said(write):
    text = (
        "city,a,day,b,nothing,price,tail\n"
        "Rome,1,2024-01-01,2,,9,x\n"
        "Oslo,2,2024-01-02 10:30,1,,8,x\n"
        ",3,2024-01-03,5,,22,x\n"
        "Bonn,4,2024-01-04T07:15:00Z,-1,,6,\n"
        "Bonn,,2024-01-05,7,,100,x\n"
        "Bonn,7,2024-01-06,NaN,,100,x\n"
        "Bonn,7,2024-01-07,nan,,,x\n"
    )
    output = succeed("fit", write(text)).stdout
    lines = output.splitlines()
    assert "4 rows, 2 features → price" in lines[0]
    assert (
        "The target is price, the last numeric column; --target NAME chooses another."
        in lines
    )
    assert "Dropped 2 text columns: city, tail." in lines
    assert "Dropped column day: it holds dates." in lines
    assert "Dropped column nothing: it is empty." in lines
    assert "Dropped 3 of 7 rows for empty cells, in: b (2), a (1), price (1)." in lines
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)
    assert coefficients(output)["b"][0] == pytest.approx(3, rel=1e-5)


def test_true_and_false_are_one_and_zero(write):
    output = succeed("fit", write("a,y\ntrue,5\nFALSE,2\nTrue,5\n")).stdout
    assert coefficients(output)["a"][0] == pytest.approx(3, rel=1e-5)
    assert float(value(output, "intercept")) == pytest.approx(2, rel=1e-5)


def test_names_are_no_markup(write):
    text = "[bold]a[/bold],:smile:,y\n1,2,9\n2,1,8\n3,5,22\n4,-1,6\n"
    printed = coefficients(succeed("fit", write(text)).stdout)
    assert list(printed) == ["[bold]a[/bold]", ":smile:"]


@pytest.mark.parametrize("d", [20, 40, 41, 60])
def test_many_features(write, d):
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.integers(-3, 4, size=d)
    A = rng.standard_normal((2 * d, d)) * scale
    # Of one standard deviation, nearly; of either sign.
    effect = (rng.permutation(d) + 1.0) * rng.choice([-1, 1], size=d)
    y = A @ (effect / scale)
    names = [f"feature_{j}" for j in range(d)] + ["y"]
    output = succeed("fit", write(csv_of(names, np.column_stack([A, y])))).stdout
    printed = coefficients(output)
    spread = effect / scale * A.std(axis=0)
    shown = range(d) if d <= 40 else np.argsort(-np.abs(spread))[:40]
    assert list(printed) == [f"feature_{j}" for j in shown]
    for j in shown:
        assert printed[f"feature_{j}"] == pytest.approx(
            (effect[j] / scale[j], spread[j]), rel=1e-5
        )
    said = f"The 40 features of {d} with the largest |coefficient × std|" in output
    assert said == (d > 40)


def test_constant_target_has_no_r2(write):
    path = write("a,y\n1,5\n2,5\n3,5\n")
    output = succeed("fit", path).stdout
    assert value(output, "R²") == "undefined: the variance of y is 0"
    assert coefficients(output)["a"][0] == pytest.approx(0, abs=1e-12)
    assert "r2" not in as_json("fit", path)["scores"]


def test_target_without_variance_has_no_r2(write):
    path = write("a,y,w\n1,5,1\n2,5,1\n3,9,0\n")
    output = succeed("fit", path, "--target", "y", "--weights", "w").stdout
    assert value(output, "R²") == "undefined: the variance of y is 0"


def test_target_below_what_floats_resolve(write):
    path = write("a,y\n1,1e-310\n2,3e-310\n3,2e-310\n")
    message = refused("fit", path, "--target", "y", code=1)
    assert "float64 begins to lose digits. Rescale y" in message


# ---------------------------------------------------------------------------- JSON


def test_json_is_the_model(write):
    result = as_json("fit", "--penalty", "l2", "--alpha", 0.5)
    model = SGDLinearRegressor(penalty="l2", alpha=0.5).fit(X, Y)
    names = load_diabetes().feature_names
    assert result["features"] == names
    assert result["coefficients"] == dict(zip(names, model.coef_.tolist(), strict=True))
    assert result["intercept"] == model.intercept_
    assert result["std"]["bmi"] == pytest.approx(X[:, 2].std())
    assert result["scores"]["r2"] == pytest.approx(model.score(X, Y), rel=1e-12)
    assert result["parameters"] == {"penalty": "l2", "alpha": 0.5}
    assert result["stop_reason"] == model.stop_reason_
    assert result["converged"] is True
    assert result["plan"]["optimizer"] == repr(model.plan_.optimizer)
    assert result["data"]["rows"] == 442
    assert (result["target"], result["weights"]) == ("disease progression", None)
    assert result["notes"] == result["warnings"] == []
    for entry, own in zip(result["history"], model.history_, strict=True):
        assert set(entry) == set(own)
        assert entry["objective"] == own["objective"]


def test_json_has_null_for_what_is_not_finite():
    assert _report._finite({"a": [np.inf, -np.inf, 1.5], "b": {"c": np.nan}}) == {
        "a": [None, None, 1.5],
        "b": {"c": None},
    }


def test_verbose_goes_to_stderr():
    options = ["--optimizer", "sgd", "--max-iter", 3, "--tol", "none", "--verbose", 2]
    assert len(as_json("fit", *options)["history"]) == 3
    lines = succeed("fit", *options).stderr.splitlines()[:3]
    assert [line.split(",")[0] for line in lines] == ["Epoch 1", "Epoch 2", "Epoch 3"]


# -------------------------------------------------------------- the exact solutions


def printed_r2(output, of):
    return float(value(output, f"R² of {of}").split()[0])


def test_penalty_is_compared_with_ridge_and_least_squares():
    output = succeed("fit", "--penalty", "l2", "--alpha", 0.5).stdout
    ridge = Ridge(alpha=0.5 * len(Y), solver="svd").fit(X, Y).score(X, Y)
    assert ridge < 0.5
    assert printed_r2(output, "exact ridge, alpha=0.5") == pytest.approx(ridge, abs=1e-6)
    assert printed_r2(output, "the fit") == pytest.approx(ridge, abs=1e-6)
    assert printed_r2(output, "exact least squares") == 0.517748


def test_no_intercept():
    output = succeed("fit", "--no-intercept").stdout
    exact = LinearRegression(fit_intercept=False).fit(X, Y)
    assert value(output, "intercept").split(maxsplit=1) == ["0", "not fitted"]
    assert coefficients(output)["bmi"][0] == pytest.approx(exact.coef_[2], rel=1e-5)
    for of in ("the fit", "exact least squares"):
        assert printed_r2(output, of) == pytest.approx(exact.score(X, Y), abs=1e-6)


def test_other_optima_are_not_compared():
    for options in (["--loss", "huber"], ["--positive"], ["--penalty", "l1"]):
        assert "exact least squares" not in succeed("fit", *options).stdout


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_exact_residual_on_hard_columns(fit_intercept, alpha, weighted):
    """Offsets of 1e7, scales of 1e±4, a constant and a repeated column; n < d, too."""
    rng = np.random.default_rng(1)
    for n in (50, 4):
        A = rng.standard_normal((n, 6)) * [1e4, 1e-4, 1, 1, 1, 1] + [0, 0, 1e7, 0, 0, 0]
        A[:, 3], A[:, 4] = 0.1, A[:, 5]
        y = rng.standard_normal(n) + 3
        weights = rng.integers(1, 4, n) if weighted else np.ones(n)
        residual = _scores.exact_residual(A, y, alpha, fit_intercept, weights)
        mean = weights @ A / weights.sum()
        Z = A - mean if fit_intercept else A
        target = y - weights @ y / weights.sum() if fit_intercept else y
        if alpha == 0:
            scale = np.maximum(np.abs(Z).max(axis=0), 1e-9)
            # Orthogonal to every column: the normal equations.
            slopes = (Z / scale).T @ (weights * residual)
            np.testing.assert_allclose(slopes, 0, atol=1e-8 * n)
        else:
            root = np.sqrt(weights)
            w = np.linalg.lstsq(
                np.vstack([root[:, None] * Z, np.sqrt(alpha * weights.sum()) * np.eye(6)]),
                np.concatenate([root * target, np.zeros(6)]),
                rcond=None,
            )[0]
            np.testing.assert_allclose(residual, target - Z @ w, atol=1e-7)


# ------------------------------------------------------------------------- options


def test_every_parameter_has_an_option():
    help_text = succeed("fit", "--help").stdout
    parameters = SGDLinearRegressor().get_params()
    assert set(_options.WORDS) == set(parameters)
    for name in parameters:
        option = _options.option_name(name)
        assert option == (
            "--no-intercept" if name == "fit_intercept" else f"--{name.replace('_', '-')}"
        )
        assert option in help_text


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        ([], {}),
        (["--penalty", "l2", "--alpha", "0.1"], {"penalty": "l2", "alpha": 0.1}),
        (["--penalty", "none", "--tol", "none"], {"penalty": None, "tol": None}),
        (["--optimizer", "nesterov"], {"optimizer": "nesterov"}),
        (["--learning-rate", "1e-6"], {"learning_rate": 1e-6}),
        (
            ["--learning-rate", "Constant", "--eta0", "1e-7"],
            {"learning_rate": "constant", "eta0": 1e-7},
        ),
        (
            ["--batch-size", "32", "--max-iter", "7"],
            {"batch_size": 32, "max_iter": 7},
        ),
        (["--batch-size", "full"], {"batch_size": "full"}),
        (["--tol", "1e-3", "--shuffle", "none"], {"tol": 1e-3, "shuffle": False}),
        (["--shuffle", "blocks"], {"shuffle": "blocks"}),
        (["--average", "none"], {"average": False}),
        (["--average", "true"], {"average": True}),
        (["--average", "100"], {"average": 100}),
        (["--average", "0.9", "--random-state", "3"], {"average": 0.9, "random_state": 3}),
        (["--no-intercept"], {"fit_intercept": False}),
        (["--positive", "--early-stopping"], {"positive": True, "early_stopping": True}),
        (["--n-jobs", "-1", "--l1-ratio", "1"], {"n_jobs": -1, "l1_ratio": 1}),
    ],
)
def test_only_given_options_reach_the_estimator(monkeypatch, arguments, parameters):
    seen = []

    class Stop(ValueError):
        pass

    def spy(**options):
        seen.append(options)
        raise Stop("Seen.")

    monkeypatch.setattr(_fit, "SGDLinearRegressor", spy)
    assert refused("fit", *arguments, code=1) == "Seen."
    (given,) = seen
    assert given == parameters
    assert {n: type(v) for n, v in given.items()} == {
        n: type(v) for n, v in parameters.items()
    }


def test_textbook_steps_are_the_estimators(write):
    output = succeed(
        *("fit", write("a,y\n1,1\n2,2\n"), "--learning-rate", 0.1),
        *("--shuffle", "none", "--max-iter", 1, "--tol", "none"),
    ).stdout
    # By hand: w = b = 0.1 after row 1, then += 0.1 · 1.7 · (2, 1).
    assert coefficients(output)["a"][0] == pytest.approx(0.44, rel=1e-6)
    assert float(value(output, "intercept")) == pytest.approx(0.27, rel=1e-6)
    assert value(output, "Plan: optimizer") == "SGD()"


def test_warnings_are_one_line_on_stderr():
    options = {"optimizer": "sgd", "eta0": 3, "max_iter": 2, "random_state": 0}
    model = SGDLinearRegressor(**options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y)
    assert len(caught) == 2
    messages = [str(w.message) for w in caught]
    arguments = [f"--{name.replace('_', '-')}={v}" for name, v in options.items()]
    result = succeed("fit", *arguments)
    assert result.stderr.splitlines() == [f"Warning: {text}" for text in messages]
    assert value(result.stdout, "Converged") == "no"
    assert value(result.stdout, "Epochs") == "2"
    assert value(result.stdout, "R² of the fit") == f"{model.score(X, Y):.6f}"
    assert as_json("fit", *arguments)["warnings"] == messages


def test_warm_start_is_said_to_have_no_effect():
    assert "Warning: --warm-start has no effect" in succeed("fit", "--warm-start").stderr


def test_version_and_help():
    assert succeed("--version").stdout == f"sgdreg {__version__}\n"
    for arguments in (["--help"], ["fit", "-h"], ["predict", "-h"], ["inspect", "-h"]):
        text = succeed(*arguments).stdout
        assert "Exit codes: 0 all went well, 1 the fit failed, 2 bad input" in text
    result = run("fit", "--targte", "y")
    assert result.exit_code == 2
    assert "--target" in result.stderr


# ------------------------------------------------- weights, validation, one-hot, plot


def table(n=60, seed=0):
    """a, b, w, y, with weights that a fit without them does not meet by chance."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, 2)) * [1, 100] + [0, 1000]
    y = A @ [2, 0.5] + rng.standard_normal(n)
    return np.column_stack([A, rng.integers(0, 5, n), y])


def test_weights_are_no_feature(write):
    data = table()
    result = as_json("fit", write(csv_of("abwy", data)), "--weights", "w")
    exact = LinearRegression().fit(data[:, :2], data[:, 3], data[:, 2])
    assert list(result["coefficients"].values()) == pytest.approx(exact.coef_, rel=1e-8)
    score = exact.score(data[:, :2], data[:, 3], data[:, 2])
    assert result["scores"]["r2"] == pytest.approx(score, rel=1e-10)
    assert result["scores"]["r2_least_squares"] == pytest.approx(score, rel=1e-10)
    assert result["weights"] == "w"


def test_validation_chooses_the_epoch(write):
    data, others = table(), table(seed=1)
    held_out = write(csv_of("ywba", others[:, ::-1]), "others.csv")  # by name
    options = ["--optimizer", "adam", "--learning-rate", 0.3, "--max-iter", 30]
    options += ["--random-state", 0]
    result = as_json(
        *("fit", write(csv_of("abwy", data)), "--weights", "w"),
        *("--validation", held_out, *options),
    )
    model = SGDLinearRegressor("squared_error", optimizer="adam", learning_rate=0.3)
    model.set_params(max_iter=30, random_state=0).fit(
        data[:, :2],
        data[:, 3],
        data[:, 2],
        X_val=others[:, :2],
        y_val=others[:, 3],
        sample_weight_val=others[:, 2],
    )
    assert list(result["coefficients"].values()) == model.coef_.tolist()
    own = model.score(others[:, :2], others[:, 3], others[:, 2])
    assert result["scores"]["r2_validation"] == own == max(model.validation_scores_)
    assert result["stop_reason"] == model.stop_reason_


def test_validation_without_a_column_is_refused(write):
    others = write("a,Bb,y\n1,2,3\n", "others.csv")
    message = refused("fit", write("a,bb,y\n1,2,3\n2,2,4\n"), "--validation", others)
    assert "others.csv lacks the column bb (is it Bb?) of the model of" in message


TOWNS = "town,size,price\nRome,10,35\nOslo,20,40\n Rome ,30,75\nOslo,5,10\nBonn,7,14\n"


def test_one_hot_columns(write):
    result = as_json("fit", write(TOWNS), "--one-hot")
    assert result["features"] == ["town=Bonn", "town=Oslo", "town=Rome", "size"]
    # price = 2 size + (Rome: 15), and every town has a column: only differences mean
    # something, and predictions.
    found = result["coefficients"]
    assert found["size"] == pytest.approx(2)
    assert found["town=Rome"] - found["town=Oslo"] == pytest.approx(15)
    assert found["town=Bonn"] - found["town=Oslo"] == pytest.approx(0, abs=1e-9)
    assert result["scores"]["r2"] == pytest.approx(1)


def test_text_that_is_no_category_is_dropped_and_said(write):
    rows = [f"n{i},k{i % 3},same,{i},2024-01-0{i + 1},{i * i}" for i in range(6)]
    path = write("\n".join(["id,kind,one,a,day,y", *rows]))
    result = as_json("fit", path, "--one-hot")
    assert result["features"] == ["kind=k0", "kind=k1", "kind=k2", "a"]
    assert result["notes"][1:] == [
        "Dropped column id: its cells are all different.",
        "Dropped column one: all its cells are 'same'.",
        "Dropped column day: it holds dates.",
    ]
    result = as_json("fit", path, "--one-hot", "--max-categories", 2)
    assert (
        "Dropped column kind: it has 3 categories, and --max-categories is 2."
        in (result["notes"])
    )
    assert result["features"] == ["a"]


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
@pytest.mark.parametrize("target", ["x", "price"])
def test_plot_is_a_picture(write, tmp_path, ending, target):
    pytest.importorskip("matplotlib")
    path, picture = write("x,price\n1,2\n2,3\n3,7\n"), tmp_path / f"out.{ending}"
    succeed("fit", path, "--target", target, "--plot", picture)
    magic = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    assert picture.read_bytes().startswith(magic[ending])
    assert [p.name for p in tmp_path.iterdir() if ".tmp" in p.name] == []


def test_plots_of_many_features(write, tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    labels, savefig = [], figures.Figure.savefig

    def saved(figure, *args, **kwargs):
        labels.append([ax.get_ylabel() for ax in figure.axes])
        return savefig(figure, *args, **kwargs)

    monkeypatch.setattr(figures.Figure, "savefig", saved)
    picture = tmp_path / "out.png"
    succeed("fit", "--plot", picture)
    succeed("fit", "--plot", picture, "--optimizer", "svrg", "--tol", 1e-14)
    succeed("fit", write(EXACT), "--plot", picture, "--chunk-rows", 2)
    assert labels == [
        ["Actual values"],
        ["Actual values", "objective F"],
        ["objective F"],
    ]


@pytest.mark.skipif("SGDREG_DATA" not in os.environ, reason="SGDREG_DATA is not set")
def test_real_file():
    path = Path(os.environ["SGDREG_DATA"]) / "diamonds.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not in SGDREG_DATA")
    output = succeed("fit", path, "--target", "price").stdout
    assert "53,940 rows, 6 features → price" in output
    assert "Dropped 3 text columns: cut, color, clarity." in output
    assert value(output, "R² of the fit") == "0.859219"
    assert value(output, "R² of exact least squares").startswith("0.859219 ")
