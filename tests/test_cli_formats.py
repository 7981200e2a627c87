"""The same numbers in every format, messy files, and `sgdreg inspect` of files."""

import bz2
import gzip
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from command_line import EXACT, as_json, coefficients, csv_of, refused, succeed
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

from sgdreg import SGDLinearRegressor
from sgdreg.cli import _memory

# ------------------------------------------------------------------ the same numbers


def in_every_format(folder, X, y):
    """Files of the same numbers, in each format."""
    names = [str(j + 1) for j in range(X.shape[1])]  # as svmlight calls them
    table = np.column_stack([X, y])
    text = csv_of([*names, "y"], table)
    files = {
        "data.csv": text.encode(),
        "data.tsv": text.replace(",", "\t").encode(),
        "data.csv.gz": gzip.compress(text.encode()),
        "data.txt.bz2": bz2.compress(text.replace(",", " | ").encode()),
        "data.dat": f"\ufeff{text}".replace("\n", "\r\n").encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    columns = dict(zip([*names, "y"], table.T, strict=True))
    parquet.write_table(pa.table(columns), folder / "data.parquet", row_group_size=7)
    np.savez(folder / "data.npz", X=X, y=y, feature_names=names)
    dump_svmlight_file(X, y, str(folder / "data.svm"), zero_based=False)
    return sorted(path for path in folder.iterdir() if path.name.startswith("data."))


@settings(max_examples=4)
@given(seed=st.integers(0, 10**6), n=st.integers(4, 40), d=st.integers(1, 5))
def test_every_format_gives_the_same_coefficients(tmp_path_factory, seed, n, d):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 10.0 ** rng.integers(-5, 6, d)
    X[rng.random((n, d)) < 0.2] = 0.0
    X[0] = 1.0  # svmlight knows the columns that are not all zero
    y = rng.standard_normal(n)
    model = SGDLinearRegressor().fit(X, y)
    files = in_every_format(tmp_path_factory.mktemp("data"), X, y)
    assert len(files) == 8
    for path in files:
        found = as_json("fit", path)
        sizes = np.abs(model.coef_) * X.std(axis=0) + 1e-9
        apart = np.array(list(found["coefficients"].values())) - model.coef_
        assert np.all(np.abs(apart) * X.std(axis=0) <= 1e-8 * sizes.max()), path
        assert found["data"]["rows"] == n


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_standard_input(pack):
    output = succeed("fit", "-", "--target", "price", stdin=pack(EXACT.encode())).stdout
    assert output.startswith("stdin: 4 rows, 2 features → price\n")
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)


def test_standard_input_of_another_format(write):
    table = pa.table({"a": [1, 2, 4], "y": [2.0, 4.0, 8.0]})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    content = sink.getvalue().to_pybytes()
    output = succeed("fit", "-", "--format", "parquet", stdin=content).stdout
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)
    assert "not CSV but a Parquet file" in refused("fit", "-", stdin=content)


# ------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_spaces_and_byte_order_mark(write, mark):
    text = "\ufeff" + EXACT.replace(",", f" {mark} ")
    output = succeed("fit", write(text), "--target", "price").stdout
    assert coefficients(output)["a"][0] == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('"a","b ","price"\n"1","2","9"\n"2","1","8"\n"3","5","22"\n"4","-1","6"\n', []),
        ("\n\na,b,price\n\n1,2,9\n2,1,8\n\n3,5,22\n4,-1,6\n\n", []),
        ("a,b,price,\n1,2,9,\n2,1,8,\n3,5,22,\n4,-1,6,\n", []),
        ("a,b,price\n+1,2.,9\n2,1e0,8\n 3,.5e1,22\n4 ,-1,6", []),
        ("a b price\n1 2 9\n2 1 8\n3 5 22\n4 -1 6\n", ["--delimiter", "space"]),
        ("a:b:price\n1:2:9\n2:1:8\n3:5:22\n4:-1:6\n", ["--delimiter", ":"]),
        ("a;b;price\n1,0;2;9,00\n2;1;8\n3,0;+5,0;22\n4;-1;6\n", ["--decimal", ","]),
        ("a,b,price\n1,2,9\n2,1,8\n?,1,7\n3,5,22\n4,-1,6\n1,-,7\n", ["--missing", "?",
         "--missing", "-"]),
    ],
)  # fmt: skip
def test_messy_csv(write, text, options):
    path = write(text)
    found = as_json("fit", path, "--target", "price", *options)["coefficients"]
    assert found == pytest.approx({"a": 2, "b": 3})


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_encodings(write, encoding):
    path = write("größe,y\n1,2\n2,3\n3,5\n".encode(encoding))
    assert as_json("fit", path, "--encoding", encoding)["features"] == ["größe"]
    message = refused("fit", path, "--encoding", "ascii")
    assert message == f"{path} is not text in ascii."


def test_numbers_of_any_size(write):
    text = "id,y\n12345678901234567890123,1\n2345678901234567890123,2\n-1,2.5\n"
    found = as_json("fit", write(text))
    X = np.array([[12345678901234567890123.0], [2345678901234567890123.0], [-1.0]])
    model = SGDLinearRegressor().fit(X, [1, 2, 2.5])
    assert found["coefficients"]["id"] == pytest.approx(model.coef_[0])


# --------------------------------------------------------------------------- Parquet


def test_types_of_parquet(tmp_path):
    n = 12
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n)
    table = pa.table(
        {
            "float": pa.array(x, mask=np.arange(n) == 3),
            "half": pa.array(x[::-1].astype(np.float16)),
            "decimal": pa.array([Decimal(f"{j}.25") ** 2 for j in range(n)]),
            "big": pa.array([2**62 + j**3 * 10**15 for j in range(n)]),
            "bool": pa.array(np.arange(n) % 2 == 0),
            "codes": pa.array(np.arange(n) % 3).dictionary_encode(),
            "text": pa.array(list("abcabcabcabc")).dictionary_encode(),
            "large": pa.array(list("xyxyxyxyxyxy"), pa.large_string()),
            "when": pa.array([datetime(2024, 1, 1 + j) for j in range(n)]),
            "day": pa.array([date(2024, 1, 1 + j) for j in range(n)]),
            "long": pa.array([timedelta(j) for j in range(n)]),
            "list": pa.array([[j] for j in range(n)]),
            "null": pa.nulls(n),
            "y": rng.standard_normal(n),
        }
    )
    parquet.write_table(table, tmp_path / "data.parquet")
    found = as_json("fit", tmp_path / "data.parquet")
    assert found["features"] == ["float", "half", "decimal", "big", "bool", "codes"]
    assert found["notes"][1:] == [
        "Dropped 2 text columns: text, large.",
        "Dropped column when: it is of type timestamp[us].",
        "Dropped column day: it is of type date32[day].",
        "Dropped column long: it is of type duration[us].",
        "Dropped column list: it is of type list<element: int64>.",
        "Dropped column null: it is empty.",
        "Dropped 1 of 12 rows for empty cells, in: float (1).",
    ]
    found = as_json("fit", tmp_path / "data.parquet", "--one-hot")
    assert found["features"][6:] == ["text=a", "text=b", "text=c", "large=x", "large=y"]


def test_damaged_parquet(write):
    message = refused("fit", write(b"PAR1 and nothing else", "data.parquet"))
    assert "data.parquet cannot be read as Parquet: " in message


# ------------------------------------------------------------------------------- npz


def test_arrays_by_their_usual_names(tmp_path):
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((20, 2)), rng.standard_normal((20, 1))
    exact = SGDLinearRegressor().fit(inputs, targets[:, 0])
    for arrays in (
        {"inputs": inputs, "targets": targets},
        {"X": inputs, "Y": targets[:, 0], "w": np.ones(20)},
        {"some": inputs, "other": targets[:, 0]},
        {"X": inputs.astype(">f8"), "y": targets[:, 0].astype(np.longdouble)},
        {"all": np.hstack([inputs, targets])},
    ):
        np.savez(tmp_path / "data.npz", **arrays)
        found = as_json("fit", tmp_path / "data.npz")
        assert list(found["coefficients"]) == ["x0", "x1"]
        assert list(found["coefficients"].values()) == pytest.approx(exact.coef_)
    np.savez(tmp_path / "data.npz", x=np.arange(4), z=np.ones(4), y=2 * np.arange(4.0))
    found = as_json("fit", tmp_path / "data.npz", "--weights", "z")
    assert found["coefficients"] == pytest.approx({"x": 2})


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"A": np.ones((2, 2)), "B": np.ones((2, 3))}, "several matrices, A (2 × 2), B"),
        ({"x": np.ones(2), "y": np.ones(3)}, "differ in length: x (2), y (3)"),
        ({"X": np.ones((2, 2)), "feature_names": ["a"]}, "1 feature_names for the 2"),
        ({"X": np.array([1, None], object)}, "holds arrays of Python's objects"),
        ({"X": np.ones((2, 2)), "x0": np.ones(2), "y": np.ones(2)}, "columns called x0;"),
        ({"X": np.ones((2, 2)), "feature_names": ["a", "a"]}, "columns called a;"),
        ({"X": np.ones((2, 2), complex)}, "Column x0 of "),
        ({"c": np.ones((2, 2, 2))}, "holds no array of one or two dimensions"),
    ],
)
def test_unclear_arrays(tmp_path, arrays, why):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    message = refused("fit", path)
    assert why in message
    assert str(path) in message


def test_files_that_are_no_archives_of_arrays(tmp_path, write):
    np.save(tmp_path / "one.npy", np.ones((3, 3)))
    path = (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    assert refused("fit", path) == f"{path} is a single array; save X and y by np.savez."
    sparse.save_npz(tmp_path / "sparse.npz", sparse.eye(3, format="csr"))
    assert "sparse matrix without a target" in refused("fit", tmp_path / "sparse.npz")
    assert "cannot be read as .npz" in refused("fit", write(EXACT, "text.npz"))


# -------------------------------------------------------------------------- svmlight


def test_svmlight_is_sparse(tmp_path):
    X = sparse.random(50, 30, 0.2, "csr", random_state=0)
    y = np.arange(50.0)
    dump_svmlight_file(X, y, str(tmp_path / "data.svm"), zero_based=True)
    found = as_json("fit", tmp_path / "data.svm", "--penalty", "l2", "--alpha", 0.1)
    model = SGDLinearRegressor(penalty="l2", alpha=0.1).fit(X, y)
    assert found["features"] == [str(j) for j in range(30)]
    found_coef = list(found["coefficients"].values())
    np.testing.assert_allclose(found_coef, model.coef_, rtol=1e-9)
    assert found["target"] == "target"
    stds = np.array(list(found["std"].values()))
    np.testing.assert_allclose(stds, X.toarray().std(axis=0))


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("1 1:2\n2 x:1\n3 1:1\n", [], "cannot be read as svmlight, in line 2: "),
        ("1 1:2\n2 1:inf\n3 1:1\n", [], "Column 1 of "),
        ("1 1:2\n2 1:1\n", ["--target", "1"], "is the first number of each line"),
        ("1 99999999999:2\n2 1:1\n", [], "cannot be read as svmlight, in line 1: "),
        ("1 2147483646:2\n2 1:1\n", [], "The index 2,147,483,646 of "),
        ("", [], "is empty."),
    ],
)
def test_unusable_svmlight(write, monkeypatch, text, options, why):
    monkeypatch.setattr(_memory, "available", lambda: 2**30)
    assert why in refused("fit", write(text, "data.svm"), *options)


# --------------------------------------------------------------------------- inspect


def test_inspect_tells_what_fit_would_do(write):
    text = "id,a,kind,day,bad,y\nk1,1,u,2024-01-01,5,2\nk2,,v,2024-01-02,?,3\nk3,4,u,,6,7\n"
    path = write(text)
    found = as_json("inspect", path)
    columns = {column["name"]: column for column in found["columns"]}
    assert found["rows"] == 3
    assert {n: (c["type"], c["use"]) for n, c in columns.items()} == {
        "id": ("text", "dropped"),
        "a": ("numbers", "feature"),
        "kind": ("text", "dropped"),
        "day": ("dates", "dropped"),
        "bad": ("text", "dropped"),
        "y": ("numbers", "target"),
    }
    assert columns["a"] == {
        "name": "a", "type": "numbers", "empty": pytest.approx(1 / 3), "mean": 2.5,
        "std": 1.5, "min": 1.0, "max": 4.0, "use": "feature",
    }  # fmt: skip
    assert columns["kind"]["categories"] == 2
    fitted = as_json("fit", path)["notes"]
    assert found["notes"] == fitted[:-1]  # all but that rows were dropped
    lines = succeed("inspect", path).stdout.splitlines()
    assert lines[0] == f"{path}: 3 rows, 6 columns"
    row = next(line.split() for line in lines if line.split()[:1] == ["a"])
    assert row == ["a", "numbers", "2.5", "1.5", "1", "4", "33.3%", "feature"]
    assert lines[-len(found["notes"]) :] == found["notes"]


def test_inspect_shows_files_that_fit_refuses(write):
    path = write("a,a\nx,1\ny,2\n")
    (note,) = as_json("inspect", path)["notes"]
    assert note == f"sgdreg fit refuses it: {refused('fit', path)}"
    assert "dropped" in succeed("inspect", path).stdout


def test_inspect_counts_in_pieces_what_numpy_counts_at_once(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(100_000) * 1e-3 + 1e6
    parquet.write_table(pa.table({"x": x, "y": x}), tmp_path / "data.parquet")
    column = as_json("inspect", tmp_path / "data.parquet")["columns"][0]
    assert column["mean"] == pytest.approx(x.mean(), rel=1e-14)
    assert column["std"] == pytest.approx(x.std(), rel=1e-6)
    assert (column["min"], column["max"]) == (x.min(), x.max())


def test_inspect_of_many_columns(write):
    path = write("1 1:2 3:4\n2 2000:1\n", "data.svm")
    output = succeed("inspect", path).stdout
    assert "2 rows, 2,001 columns" in output
    assert "--json lists them all" in output
    assert len(output.splitlines()) < 10
    columns = as_json("inspect", path)["columns"]
    assert [c["mean"] for c in columns if c["name"] in ("3", "4")] == [2.0, 0.0]
