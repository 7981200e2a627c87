"""The command line: what it prints, what it refuses, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import warnings
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge

from sgdreg import SGDLinearRegressor, __version__

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("pyarrow")

from typer.testing import CliRunner

from sgdreg import cli

# click before 8.2 mixes stderr into stdout unless told otherwise.
MIXES = "mix_stderr" in signature(CliRunner).parameters
RUNNER = CliRunner(mix_stderr=False) if MIXES else CliRunner()
SCRIPT = Path(sys.executable).with_name("sgdreg")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


def run(*arguments):
    return RUNNER.invoke(cli.make_app(), [str(a) for a in arguments])


def succeed(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments, code=2):
    """The one line on stderr of a run that must fail."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    return line.removeprefix("Error: ")


def value(output, label):
    """What stands behind a label at the beginning of a line."""
    (found,) = re.findall(rf"^ *{re.escape(label)}  +(.*?) *$", output, re.MULTILINE)
    return found


def coefficients(output):
    """{feature: (coefficient, coefficient × std)}, in the order printed."""
    number = r"(-?[\d.]+(?:e[-+]\d+)?)"
    row = rf"^ (\S.*?)  +{number}  +{number} *$"
    found = re.findall(row, output, re.MULTILINE)
    return {name: (float(a), float(b)) for name, a, b in found}


@pytest.fixture
def write(tmp_path):
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


EXACT = "a,b,price\n1,2,9\n2,1,8\n3,5,22\n4,-1,6\n"  # price = 1 + 2a + 3b


# ------------------------------------------------------------------- what it prints


def test_diabetes_without_arguments():
    result = succeed("fit")
    X, y = load_diabetes(return_X_y=True, scaled=False)
    exact = LinearRegression().fit(X, y)
    names = load_diabetes().feature_names
    assert "442 rows, 10 features → disease progression" in result.stdout
    printed = coefficients(result.stdout)
    assert list(printed) == names
    np.testing.assert_allclose(
        list(printed.values()),
        np.column_stack([exact.coef_, exact.coef_ * X.std(axis=0)]),
        rtol=1e-5,
    )
    assert float(value(result.stdout, "intercept")) == pytest.approx(
        exact.intercept_, rel=1e-5
    )
    assert value(result.stdout, "R² of the fit") == "0.517748"
    least_squares = value(result.stdout, "R² of exact least squares")
    assert least_squares.startswith("0.517748 (difference ")
    model = SGDLinearRegressor().fit(X, y)
    assert value(result.stdout, "Epochs") == str(model.n_iter_)
    assert value(result.stdout, "Converged") == "yes"
    assert value(result.stdout, "Stopped because") == model.stop_reason_
    assert float(value(result.stdout, "Seconds")) > 0
    for line in str(model.plan_).splitlines():
        slot, choice = line.split(maxsplit=1)
        assert value(result.stdout, f"Plan: {slot}") == choice
    assert result.stderr == ""  # no progress bar off a terminal


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
        "Oslo,2,2024-01-02,1,,8,x\n"
        ",3,2024-01-03,5,,22,x\n"
        "Bonn,4,2024-01-04,-1,,6,\n"
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
    assert "Dropped column day: it is of type date32[day]." in lines
    assert "Dropped column nothing: it is empty." in lines
    assert "Dropped 3 of 7 rows for empty cells, in: b (2), a (1), price (1)." in lines
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)
    assert coefficients(output)["b"][0] == pytest.approx(3, rel=1e-5)


def test_column_spoilt_by_a_few_texts_is_named(write):
    text = "a,b,y\n1,2,9\n2,?,9\n3,5,22\n4,-1,6\n5,5,26\n"
    output = succeed("fit", write(text)).stdout
    assert (
        "Dropped column b: 1 of its 5 cells is text, such as '?' (make them empty" in output
    )
    assert list(coefficients(output)) == ["a"]


def test_true_and_false_are_one_and_zero(write):
    output = succeed("fit", write("a,y\ntrue,5\nfalse,2\ntrue,5\n")).stdout
    assert coefficients(output)["a"][0] == pytest.approx(3, rel=1e-5)
    assert float(value(output, "intercept")) == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_spaces_and_byte_order_mark(write, mark):
    text = "\ufeff" + EXACT.replace(",", f" {mark} ")
    output = succeed("fit", write(text), "--target", "price").stdout
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)


def test_header_of_numbers_is_doubted(write):
    doubt = "The first line is taken as the header but consists of numbers"
    assert doubt in succeed("fit", write("1,2\n2,4\n3,6\n")).stdout
    assert doubt not in succeed("fit", write(EXACT)).stdout


def test_names_are_no_markup(write):
    text = "[bold]a[/bold],:smile:,y\n1,2,9\n2,1,8\n3,5,22\n4,-1,6\n"
    printed = coefficients(succeed("fit", write(text)).stdout)
    assert list(printed) == ["[bold]a[/bold]", ":smile:"]


@pytest.mark.parametrize("d", [20, 40, 41, 60])
def test_many_features(write, d):
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.integers(-3, 4, size=d)
    X = rng.standard_normal((2 * d, d)) * scale
    # Of one standard deviation, nearly; of either sign.
    effect = (rng.permutation(d) + 1.0) * rng.choice([-1, 1], size=d)
    y = X @ (effect / scale)
    header = ",".join([f"feature_{j}" for j in range(d)] + ["y"])
    rows = [",".join(map(repr, map(float, row))) for row in np.column_stack([X, y])]
    output = succeed("fit", write("\n".join([header, *rows]))).stdout
    printed = coefficients(output)
    spread = effect / scale * X.std(axis=0)
    shown = range(d) if d <= 40 else np.argsort(-np.abs(spread))[:40]
    assert list(printed) == [f"feature_{j}" for j in shown]
    for j in shown:
        assert printed[f"feature_{j}"] == pytest.approx(
            (effect[j] / scale[j], spread[j]), rel=1e-5
        )
    said = f"The 40 features of {d} with the largest |coefficient × std|" in output
    assert said == (d > 40)


def test_constant_target_has_no_r2(write):
    output = succeed("fit", write("a,y\n1,5\n2,5\n3,5\n")).stdout
    assert value(output, "R²") == "undefined: every y is 5"
    assert coefficients(output)["a"][0] == pytest.approx(0, abs=1e-12)


# -------------------------------------------------------------- the exact solutions


def printed_r2(output, of):
    return float(value(output, f"R² of {of}").split()[0])


def test_penalty_is_compared_with_ridge_and_least_squares():
    output = succeed("fit", "--penalty", "l2", "--alpha", 0.5).stdout
    X, y = load_diabetes(return_X_y=True, scaled=False)
    ridge = Ridge(alpha=0.5 * len(y), solver="svd").fit(X, y).score(X, y)
    assert ridge < 0.5
    assert printed_r2(output, "exact ridge, alpha=0.5") == pytest.approx(ridge, abs=1e-6)
    assert printed_r2(output, "the fit") == pytest.approx(ridge, abs=1e-6)
    assert printed_r2(output, "exact least squares") == 0.517748


def test_no_intercept():
    output = succeed("fit", "--no-intercept").stdout
    X, y = load_diabetes(return_X_y=True, scaled=False)
    exact = LinearRegression(fit_intercept=False).fit(X, y)
    assert value(output, "intercept").split(maxsplit=1) == ["0", "not fitted"]
    assert coefficients(output)["bmi"][0] == pytest.approx(exact.coef_[2], rel=1e-5)
    for of in ("the fit", "exact least squares"):
        assert printed_r2(output, of) == pytest.approx(exact.score(X, y), abs=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_exact_residual_on_hard_columns(fit_intercept, alpha):
    """Offsets of 1e7, scales of 1e±4, a constant and a repeated column; n < d, too."""
    rng = np.random.default_rng(1)
    for n in (50, 4):
        X = rng.standard_normal((n, 6)) * [1e4, 1e-4, 1, 1, 1, 1] + [0, 0, 1e7, 0, 0, 0]
        X[:, 3], X[:, 4] = 0.1, X[:, 5]
        y = rng.standard_normal(n) + 3
        residual = cli._exact_residual(X, y, alpha, fit_intercept)
        Z = X - X.mean(axis=0) if fit_intercept else X
        target = y - y.mean() if fit_intercept else y
        if alpha == 0:
            scale = np.maximum(np.abs(Z).max(axis=0), 1e-9)
            # Orthogonal to every column: the normal equations.
            slopes = (Z / scale).T @ residual
            np.testing.assert_allclose(slopes, 0, atol=1e-9 * n)
        else:
            w = np.linalg.lstsq(
                np.vstack([Z, np.sqrt(alpha * n) * np.eye(6)]),
                np.concatenate([target, np.zeros(6)]),
                rcond=None,
            )[0]
            np.testing.assert_allclose(residual, target - Z @ w, atol=1e-7)


# ------------------------------------------------------------------------- options


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
        (["--average", "tail", "--random-state", "3"], None),
        (["--no-intercept"], {"fit_intercept": False}),
    ],
)
def test_only_given_options_reach_the_estimator(monkeypatch, arguments, parameters):
    seen = []

    class Stop(ValueError):
        pass

    def spy(**options):
        seen.append(options)
        raise Stop("Seen.")

    monkeypatch.setattr(cli, "SGDLinearRegressor", spy)
    assert refused("fit", *arguments, code=1) == "Seen."
    if parameters is None:
        parameters = {"average": "tail", "random_state": 3}
    assert seen == [parameters]
    assert [type(v) for v in seen[0].values()] == [type(v) for v in parameters.values()]


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
        model.fit(*load_diabetes(return_X_y=True, scaled=False))
    assert len(caught) == 2
    arguments = [f"--{name.replace('_', '-')}={v}" for name, v in options.items()]
    result = succeed("fit", *arguments)
    assert result.stderr.splitlines() == [f"Warning: {w.message}" for w in caught]
    assert value(result.stdout, "Converged") == "no"
    assert value(result.stdout, "Epochs") == "2"
    assert value(result.stdout, "R² of the fit") == f"{r2_of(model):.6f}"


def r2_of(model):
    return model.score(*load_diabetes(return_X_y=True, scaled=False))


def test_version_and_help():
    assert succeed("--version").stdout == f"sgdreg {__version__}\n"
    assert "fit" in succeed("--help").stdout
    help_text = succeed("fit", "-h").stdout
    for name in ("target", "penalty", "batch-size", "no-intercept", "random-state"):
        assert f"--{name}" in help_text


# ----------------------------------------------------------------------- bad input


def test_missing_file(tmp_path):
    path = tmp_path / "absent.csv"
    assert refused("fit", path) == f"There is no file {path}."


def test_directory(tmp_path):
    assert f"{tmp_path} is a directory" in refused("fit", tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty."),
        ("\n\n", "is empty."),
        ("a,b\n", "has a header but no rows."),
        ("a,b\nx,y\nz,w\n", "has no numeric columns: a, b."),
        ("a,b\nx,1\nz,2\n", "has no numeric column besides the target b"),
        ("a,b\n1,2\n", "has only one row to fit"),
        ("a,b\n1,2\n,3\n4,\n", "has only one row to fit"),
        ("a,b\n1,\n,3\n", "No rows are left: each of the 2 rows"),
        ("a,b\nnan,nan\nNaN,NaN\n", "has no numeric columns: a, b."),
        ("a,b\n1,2\ninf,3\n4,5\n", "Column a of "),
        ("a,b\n1,2\n3\n", "cannot be read as CSV: Expected 2 columns, got 1: 3."),
        (b"\xe9,b\n1,2\n3,4\n", "is not UTF-8 text"),
    ],
)
def test_unusable_files(write, text, why):
    path = write(text)
    message = refused("fit", path)
    assert why in message
    assert str(path) in message


def test_no_rows_left_names_the_emptiest_columns(write):
    message = refused("fit", write("a,b,c\n1,,3\n,,4\n5,6,\n"))
    assert message.endswith("in a used column: b (2), a (1), c (1).")


def test_unknown_target(write):
    message = refused("fit", write(EXACT), "--target", "PRISE")
    assert "has no column PRISE. Did you mean price?" in message
    assert message.endswith("Its columns are: a, b, price.")
    assert "Did you mean" not in refused("fit", write(EXACT), "--target", "xyzuvw")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("city", "it is text."),
        ("empty", "it is empty."),
        ("power", "1 of its 3 cells is text, such as '?'"),
    ],
)
def test_target_not_numeric(write, target, why):
    path = write("city,empty,power,y\nRome,,1,2\nOslo,,?,4\nBonn,,3,5\n")
    message = refused("fit", path, "--target", target)
    assert f"The target {target} of {path} is not numeric: {why}" in message


def test_target_that_occurs_twice(write):
    path = write("a,y,y\n1,2,3\n2,3,4\n")
    assert "2 columns called y" in refused("fit", path, "--target", "y")


def test_target_without_a_file():
    assert "give the file, too" in refused("fit", "--target", "bmi")


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        ("--alpha", "nan", "'alpha' parameter .* Got nan"),
        ("--max-iter", "0", "'max_iter' parameter .* Got 0"),
        ("--batch-size", "some", "'batch_size' parameter .* Got 'some'"),
        ("--optimizer", "newton", "'optimizer' parameter .* Got 'newton'"),
    ],
)
def test_options_out_of_range(option, text, why):
    assert re.search(why, refused("fit", option, text))


def test_diverging_learning_rate():
    message = refused("fit", "--learning-rate", 0.1, code=1)
    assert re.match(r"Diverged at epoch 1, step \d+: ", message)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (MemoryError(), 1, "Error: The memory does not suffice for these data."),
        (NotImplementedError("Not yet."), 2, "Error: Not yet."),
    ],
)
def test_other_ends(monkeypatch, error, code, line):
    def fail(*_):
        raise error

    monkeypatch.setattr(SGDLinearRegressor, "fit", fail)
    result = run("fit")
    assert (result.exit_code, result.stderr) == (code, f"{line}\n")


# ---------------------------------------------------------------- as it is installed

installed = pytest.mark.skipif(
    not SCRIPT.exists(), reason=f"{SCRIPT.name} is not installed beside Python"
)


@installed
def test_script(write):
    result = subprocess.run(
        [SCRIPT, "fit", write(EXACT), "--target", "price"],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    assert coefficients(result.stdout)["a"][0] == pytest.approx(2, rel=1e-5)
    assert result.stderr == ""
    assert "\x1b" not in result.stdout


@installed
@posix
def test_progress_bar_on_a_terminal_only():
    main, terminal = os.openpty()
    with os.fdopen(main, "rb", buffering=0) as screen:
        result = subprocess.run(
            [SCRIPT, "fit"],
            stdout=subprocess.PIPE,
            stderr=terminal,
            encoding="utf-8",
            env=os.environ | {"PYTHONIOENCODING": "utf-8", "TERM": "xterm"},
            check=True,
        )
        os.close(terminal)
        shown = screen.read(4096).decode()
    assert "SGDLinearRegressor - fit" in shown
    assert "100%" in shown

    def lasting(text):
        return re.sub(r"Seconds.*", "", re.sub(" +$", "", text, flags=re.MULTILINE))

    assert value(result.stdout, "R² of the fit") == "0.517748"
    assert lasting(result.stdout) == lasting(succeed("fit").stdout)


@installed
@posix
def test_ctrl_c():
    command = ["fit", "--optimizer", "sgd", "--tol", "none", "--max-iter", "1000000000"]
    process = subprocess.Popen(
        [SCRIPT, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert "442 rows" in process.stdout.readline()  # written just before the fit
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "Interrupted.\n")


@pytest.mark.parametrize("module", ["typer", "rich", "pyarrow"])
def test_missing_extras(module):
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['sgdreg', 'fit']\n"
        "from sgdreg.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert module in line
    assert line.endswith("pip install 'sgdreg[cli]'.")


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
