"""svmlight: what indices count from, and those that a model does not have."""

import numpy as np
import pytest
from command_line import as_json, predictions, refused, run, succeed

r = np.random.default_rng(0)
X = r.standard_normal((40, 4))
Y = X @ [1.0, 2.0, 3.0, 4.0] + 1
STREAMED = [[], ["--chunk-rows", "7"]]


@pytest.fixture
def lines(write):
    """Writes svmlight with indices from a base."""

    def of(matrix, base, name="data.svm"):
        rows = [
            " ".join([f"{y}", *(f"{j + base}:{x}" for j, x in enumerate(row))])
            for row, y in zip(matrix, Y, strict=False)
        ]
        return write("\n".join(rows) + "\n", name)

    return of


@pytest.fixture(params=[0, 1])
def model(request, lines, tmp_path):
    """(a model, what its indices count from)."""
    path = tmp_path / "model.skops"
    succeed("fit", lines(X, request.param), "--save", path)
    return path, request.param


def test_indices_from_where_the_model_has_them(model, lines):
    path, base = model
    exact = pytest.approx(Y[:40])
    assert predictions(succeed("predict", path, lines(X, base)).stdout) == exact
    for other, option in ((0, "--zero-based"), (1, "--one-based")):
        result = succeed("predict", path, lines(X, other), option)
        assert predictions(result.stdout) == exact
        assert "Ignored" not in result.stderr


def test_indices_that_the_model_does_not_have(model, lines):
    path, base = model
    result = succeed("predict", path, lines(np.hstack([X, X[:, :2]]), base))
    names = f"{base + 4}, {base + 5}"
    assert f"Ignored the columns that the model does not take: {names}." in result.stderr
    assert predictions(result.stdout) == pytest.approx(Y)
    result = succeed("predict", path, lines(X[:, :3], base))  # absent ones are zeros
    assert "Ignored" not in result.stderr


def test_an_index_of_0_and_a_model_without(lines, tmp_path):
    path = tmp_path / "model.skops"
    succeed("fit", lines(X, 1), "--save", path)
    message = refused("predict", path, lines(X, 0))
    assert "has the index 0, and those of the model count from 1" in message
    assert "--zero-based says so." in message


def test_an_index_of_0_and_one_based(lines):
    for command in ("fit", "inspect"):
        message = refused(command, lines(X, 0), "--one-based")
        assert "has the index 0, and --one-based says" in message


def test_a_column_0_that_never_occurs(lines):
    path = lines(X, 1)
    for command in ("fit", "inspect"):
        found = as_json(command, path, "--zero-based")
        names = found.get("features") or [c["name"] for c in found["columns"][:-1]]
        assert names == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("streamed", STREAMED)
def test_validation_of_another_base(lines, streamed):
    path, others = lines(X, 1), lines(X, 0, "others.svm")
    result = run("fit", path, "--validation", others, *streamed)
    assert result.exit_code == 2
    assert f"Error: {others} has the index 0" in result.stderr
    others = lines(np.hstack([X, X]), 1, "others.svm")
    notes = as_json("fit", path, "--validation", others, *streamed)["notes"]
    said = f"{others}: Ignored the columns that the model does not take: 5, 6, 7, 8."
    assert said in notes


@pytest.mark.parametrize("streamed", STREAMED)
def test_ignored_indices_are_no_surprise(lines, tmp_path, streamed):
    model, path = tmp_path / "model.skops", lines(X, 0)
    found = as_json("fit", path, "--ignore", "0", "--save", model, *streamed)
    A = np.column_stack([X[:, 1:], np.ones(40)])
    exact = np.linalg.lstsq(A, Y, rcond=None)[0]
    assert list(found["coefficients"].values()) == pytest.approx(exact[:3])
    result = succeed("predict", model, path)
    assert predictions(result.stdout) == pytest.approx(A @ exact)
    assert "Ignored" not in result.stderr


def test_bases_are_of_svmlight(write):
    assert "--zero-based is for svmlight" in refused(
        "fit", write("a,y\n1,2\n"), "--zero-based"
    )
