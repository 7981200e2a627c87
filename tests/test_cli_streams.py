"""Files larger than memory: chunk by chunk, and what that can and cannot do."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from command_line import as_json, csv_of, predictions, refused, run, succeed, value
from pyarrow import parquet
from sklearn.datasets import dump_svmlight_file

from sgdreg import SGDLinearRegressor
from sgdreg.cli import _input, _memory, _source


def table(n=1000, d=4, seed=0):
    """Rows that are sorted, of columns far apart in size, the last being weights."""
    rng = np.random.default_rng(seed)
    X = np.sort(rng.standard_normal((n, d)), axis=0) * 10.0 ** np.arange(d) + 5
    X += rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) + rng.standard_normal(n)
    return X, y, rng.integers(0, 4, n)


def text_of(X, y, weights):
    names = [f"x{j}" for j in range(X.shape[1])] + ["w", "y"]
    return csv_of(names, np.column_stack([X, weights, y]))


# ----------------------------------------------------------------- the answer of all rows


@pytest.mark.parametrize("rows", [7, 100, 10_000])
@pytest.mark.parametrize("options", [[], ["--weights", "w"], ["--no-intercept"],
                                     ["--penalty", "l2", "--alpha", "0.1"]])  # fmt: skip
def test_chunks_give_the_coefficients_of_all_rows(write, rows, options):
    path = write(text_of(*table()))
    whole = as_json("fit", path, *options)
    found = as_json("fit", path, *options, "--chunk-rows", rows)
    for name in ("coefficients", "std"):
        assert found[name] == pytest.approx(whole[name], rel=1e-8)
    assert found["intercept"] == pytest.approx(whole["intercept"], rel=1e-8)
    assert found["scores"]["r2"] == pytest.approx(whole["scores"]["r2"], rel=1e-10)
    assert found["data"] == whole["data"]
    assert found["converged"]


def test_formats_in_chunks(tmp_path):
    X, y, _ = table()
    exact = SGDLinearRegressor().fit(X, y)
    parquet.write_table(
        pa.table({**{f"x{j}": X[:, j] for j in range(4)}, "y": y}), tmp_path / "data.pq"
    )
    dump_svmlight_file(X, y, str(tmp_path / "data.svm"), zero_based=True)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    for name in ("data.pq", "data.svm", "data.npz"):
        found = as_json("fit", tmp_path / name, "--chunk-rows", 99)
        coef = list(found["coefficients"].values())
        np.testing.assert_allclose(coef, exact.coef_, rtol=1e-8)


def test_one_hot_in_chunks(write):
    rng = np.random.default_rng(0)
    towns, sizes = rng.integers(0, 5, 300).tolist(), rng.standard_normal(300).tolist()
    rows = [
        f"t{min(town, j // 60)},{size!r},{town + size!r}"  # t4 comes last
        for j, (town, size) in enumerate(zip(towns, sizes, strict=True))
    ]
    path = write("\n".join(["town,size,price", *rows]))
    whole = as_json("fit", path, "--one-hot")
    found = as_json("fit", path, "--one-hot", "--chunk-rows", 50)
    assert found["features"] == whole["features"]
    assert len(found["features"]) == 6
    for a, b in zip(("town=t0", "town=t1"), ("town=t4", "town=t3"), strict=True):
        apart = whole["coefficients"][a] - whole["coefficients"][b]
        assert found["coefficients"][a] - found["coefficients"][b] == pytest.approx(apart)


def test_dropped_rows_and_validation_are_reported(write):
    X, y, weights = table()
    text = text_of(X, y, weights)
    path = write(text + ",1,1,1,1,1\n1,1,1,1,1,\n")
    held_out = write(text_of(*table(seed=1)), "others.csv")
    result = succeed("fit", path, "--chunk-rows", 100, "--validation", held_out)
    assert result.stderr == (
        f"Streaming {path} in chunks of 100 rows: each pass of the fit reads the file "
        "again.\n"
    )
    exact = SGDLinearRegressor().fit(np.column_stack([X, weights]), y)
    X, y, weights = table(seed=1)
    score = exact.score(np.column_stack([X, weights]), y)
    assert value(result.stdout, "R² of the validation set") == f"{score:.6f}"
    found = as_json("fit", path, "--chunk-rows", 100)
    assert found["data"] == {"file": str(path), "rows": 1000, "dropped": 2}


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_of_no_weight_are_not_dropped(write, rows):
    path = write("a,y,w\n1,2,1\n2,3,0\n3,5,1\n4,4,2\n5,,1\n")
    options = ["--target", "y", "--weights", "w", "--chunk-rows", rows]
    data = as_json("fit", path, *options)["data"]
    assert (data["rows"], data["dropped"]) == (4, 1)


# --------------------------------------------------------------------- every kind of fit


@pytest.mark.parametrize(
    "options",
    [
        ["--loss", "huber"],
        ["--loss", "quantile", "--quantile", 0.3],
        ["--loss", "huber", "--epsilon", "auto"],
        ["--penalty", "l1", "--alpha", 2],
        ["--positive"],
        ["--optimizer", "newton"],
        ["--optimizer", "cg", "--penalty", "l2", "--alpha", 0.1],
    ],
)
def test_every_optimum_is_certified(write, options):
    path = write(text_of(*table()))
    whole = as_json("fit", path, *options)
    found = as_json("fit", path, *options, "--chunk-rows", 100)
    assert found["converged"]
    assert found["history"][-1]["optimality_gap"] <= 1e-8
    assert found["scores"]["r2"] == pytest.approx(whole["scores"]["r2"], abs=1e-6)
    assert found.get("outliers") == whole.get("outliers")


def test_textbook_epochs_are_those_in_memory(write):
    X, y, _ = table(60)
    path = write(text_of(X / 1000, y, np.ones(60)))
    options = ["--learning-rate", 0.01, "--shuffle", "none", "--max-iter", 3]
    options = ["fit", path, *options, "--tol", "none"]
    found, whole = as_json(*options, "--chunk-rows", 25), as_json(*options)
    for name in ("coefficients", "epochs", "stop_reason", "warnings", "converged"):
        assert found[name] == whole[name]
    assert [e["objective"] for e in found["history"]] == pytest.approx(
        [e["objective"] for e in whole["history"]], rel=1e-12
    )


def test_validation_chooses_the_best_epoch(write):
    path = write(text_of(*table()))
    held_out = write(text_of(*table(seed=1)), "others.csv")
    options = ["--learning-rate", 1e-9, "--shuffle", "none", "--validation", held_out]
    options = ["fit", path, *options, "--max-iter", 5]
    found, whole = as_json(*options, "--chunk-rows", 99), as_json(*options)
    for name in ("r2", "r2_validation"):
        assert found["scores"][name] == pytest.approx(whole["scores"][name])
    scores = [entry["validation_score"] for entry in found["history"]]
    assert found["scores"]["r2_validation"] == pytest.approx(max(scores))


def test_early_stopping_holds_out_rows_of_the_file(write):
    found = as_json("fit", write(text_of(*table())), "--early-stopping", "--chunk-rows", 99)
    assert 0.99 < found["history"][-1]["validation_score"] < 1
    assert found["data"]["rows"] == 1000


def test_rows_are_counted_once_in_many_reads(write):
    rows = [f"{j % 7},{'uvw'[j % 3]},{j * j % 11}" for j in range(60)]
    path = write("\n".join(["a,town,y", *rows, ",u,1", "3,v,", "5,,2"]))
    options = ["fit", path, "--one-hot", "--learning-rate", 0.01, "--max-iter", 9]
    whole, found = as_json(*options), as_json(*options, "--chunk-rows", 7)
    assert found["epochs"] == 9
    assert found["data"] == {"file": str(path), "rows": 60, "dropped": 3}
    assert found["notes"] == whole["notes"]
    assert found["std"] == pytest.approx(whole["std"])


def test_validation_rows_beyond_memory_are_refused(write, little_memory):
    path = write(text_of(*table(50)))
    error = run("fit", path, "--validation", path)
    assert error.exit_code == 2
    assert f"Error: {path} does not fit into memory" in error.stderr


def test_a_file_that_changes_between_reads_is_refused(write, monkeypatch):
    path = write(text_of(*table(300)))
    monkeypatch.setattr(_source, "KEPT", 0)
    moved = _source.Source.numbers

    def numbers(self, wanted):
        yield from moved(self, wanted)
        path.write_text(text_of(*table(200)))

    monkeypatch.setattr(_source.Source, "numbers", numbers)
    result = run("fit", path, "--chunk-rows", 100)
    assert result.exit_code == 1
    assert "It must give the same rows each time it is read." in result.stderr


def test_streams_of_one_row_are_refused(write):
    path = write("a,y\n1,2\n,3\n4,\n")
    result = run("fit", path, "--chunk-rows", 1)
    assert result.exit_code == 2
    error = f"Error: {path} has only one row to fit; a line takes two at least."
    assert result.stderr.splitlines()[1:] == [error]


# ------------------------------------------------------------------------- standard input


@pytest.fixture
def little_memory(monkeypatch):
    """As if there were none: nothing is held, and all is streamed."""
    monkeypatch.setattr(_memory, "available", lambda: 0)
    monkeypatch.setattr(_input, "HEAD", 2000)
    monkeypatch.setattr(_source, "HEAD_ROWS", 50)


def test_large_files_are_streamed_by_themselves(write, little_memory):
    path = write(text_of(*table()))
    assert f"Streaming {path} in chunks of " in succeed("fit", path).stderr


def test_standard_input_beyond_memory_is_read_once(little_memory):
    X, y, weights = table()
    exact = SGDLinearRegressor().fit(np.column_stack([X, weights]), y)
    result = succeed("fit", "-", "--chunk-rows", 100, stdin=text_of(X, y, weights))
    assert "each row is learned from once" in result.stderr
    assert value(result.stdout, "R²") == "unknown: the rows cannot be read twice"
    found = as_json("fit", "-", stdin=text_of(X, y, weights))
    np.testing.assert_allclose(list(found["coefficients"].values()), exact.coef_, rtol=1e-8)
    assert found["data"]["rows"] == 1000


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--early-stopping"], "--early-stopping holds out rows of all the data"),
        (["--optimizer", "svrg"], "--optimizer svrg needs the gradient of all rows"),
        (["--optimizer", "interior_point"], "--optimizer interior_point needs the"),
    ],
)
def test_what_needs_all_rows_of_standard_input(little_memory, options, why):
    assert why in refused("fit", "-", *options, stdin=text_of(*table()))


def test_other_losses_of_standard_input_are_only_near_their_optimum(little_memory):
    text = text_of(*table())
    found = as_json("fit", "-", "--loss", "huber", "--chunk-rows", 100, stdin=text)
    assert not found["converged"]
    assert "approximates the optimum of all rows" in found["stop_reason"]
    whole = as_json("fit", "-", "--loss", "huber", "--tol", 1, stdin=text)
    for name, coef in found["coefficients"].items():
        assert coef == pytest.approx(whole["coefficients"][name], rel=0.02, abs=0.1)


def test_standard_input_of_weights_that_are_zero_at_first(little_memory):
    X, y, weights = table()
    weights[:250] = 0
    exact = SGDLinearRegressor().fit(X, y, weights)
    options = ["--weights", "w", "--chunk-rows", 100]
    found = as_json("fit", "-", *options, stdin=text_of(X, y, weights))
    np.testing.assert_allclose(list(found["coefficients"].values()), exact.coef_, rtol=1e-8)
    assert list(found["std"].values()) == pytest.approx(X.std(axis=0).tolist())
    assert found["data"]["rows"] == 1000


def test_one_epoch_of_standard_input(little_memory):
    text = text_of(*table())
    options = ["--learning-rate", 1e-9, "--chunk-rows", 100]
    result = succeed("fit", "-", *options, stdin=text)
    assert "one epoch, since standard input cannot be read twice" in result.stderr
    assert value(result.stdout, "Epochs") == "1"


def test_standard_input_predicts_within_any_memory(little_memory, write, tmp_path):
    X, y, weights = table()
    path, model = write(text_of(X, y, weights)), tmp_path / "model.skops"
    succeed("fit", path, "--save", model)
    found = succeed("predict", model, "-", stdin=path.read_bytes()).stdout
    assert found == succeed("predict", model, path).stdout
    assert len(predictions(found)) == 1000


def test_what_one_reading_cannot_do(little_memory):
    text = "a,b,y\n" + "1,u,2\n2,v,3\n" * 100_000
    assert "--one-hot needs all categories" in refused("fit", "-", "--one-hot", stdin=text)
    late = text + "many,u,3\n"  # beyond the first block
    result = run("fit", "-", "--chunk-rows", 1000, stdin=late)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: Column a of stdin holds numbers at first, but 'many' in row "
        "200,001; make the cell empty to drop its row."
    )


# --------------------------------------------------------------------------------- memory

# Numbers of each row that a fit to a file holds in memory: targets and products.
MOST_HELD = 3

MEASURED = """
import io, resource, sys
from pathlib import Path
from sgdreg import cli
from sgdreg._data import chunked_rows
from sgdreg.cli import _memory

# Blocks of rows that are smaller than the small file.
chunked_rows.BLOCK_BYTES = 2**20

def run(*arguments):
    try:
        cli.make_app()(arguments)
    except SystemExit as end:
        assert not end.code, end.code
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

folder, names = sys.argv[1], sys.argv[2:]
model, out = f"{folder}/model.skops", f"{folder}/out.csv"
few = ("--chunk-rows", "5000", "--save", model)

def piped(name):
    sys.stdin = Path(folder, name).open()
    return run("fit", "-", *few)

available, _memory.available = _memory.available, lambda: 0
peaks = [piped(n) for n in names]
_memory.available = available
peaks += [run("fit", f"{folder}/{n}", *few) for n in names]
peaks += [run("predict", model, f"{folder}/{n}", "--output", out) for n in names]
print(*peaks, file=sys.stderr)
"""


def peaks(folder, *names):
    """Bytes, at most, that fits to some files took by then; first as standard input.

    Predictions come last.
    """
    result = subprocess.run(
        [sys.executable, "-c", MEASURED, folder, *names],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(map(int, result.stderr.splitlines()[-1].split()))


def write_rows(path, rows, columns, times):
    """A CSV file of the same rows over and over; returns its size."""
    rng = np.random.default_rng(0)
    names = [f"x{j}" for j in range(columns)]
    text = csv_of(names, rng.standard_normal((rows, columns)).round(6)).encode()
    header, block = text.split(b"\n", 1)
    with path.open("wb") as file:
        file.write(header + b"\n")
        for _ in range(times):
            file.write(block)
    return path.stat().st_size


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_memory_does_not_grow_with_the_file(tmp_path):
    write_rows(tmp_path / "small.csv", 20_000, 9, 2)
    size = write_rows(tmp_path / "large.csv", 20_000, 9, 12)
    few, many, small, large, _, predicted = peaks(tmp_path, "small.csv", "large.csv")
    # The numbers alone take 17 MB, as does the text.
    assert size > 1.7e7
    assert many - few < 8e6
    assert large - small < 8e6
    assert predicted - large < 8e6


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_a_file_of_gigabytes(tmp_path):
    write_rows(tmp_path / "small.csv", 50_000, 20, 20)
    size = write_rows(tmp_path / "large.csv", 50_000, 20, 250)
    assert size > 2e9
    few, many, small, large, *predicted = peaks(tmp_path, "small.csv", "large.csv")
    assert many - few < 2e7
    # Targets and some numbers of each row are held, of which there are 21 in the file.
    assert large - small < 2e7 + MOST_HELD * 8 * 50_000 * 230
    assert predicted[1] - predicted[0] < 2e7
