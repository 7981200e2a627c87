"""What is said of rows that are dropped: the same in memory and in chunks."""

import numpy as np
import pyarrow as pa
import pytest
from command_line import as_json, refused, run, succeed
from pyarrow import parquet

from sgdreg.cli import _input, _memory, _source


def holes(seed, n=90):
    """x, z, w, y with empty cells."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n, 4))
    table[:, 2] = rng.integers(1, 4, n)
    table[rng.random((n, 4)) < [0.1, 0.3, 0.05, 0.0]] = np.nan
    table[3, 3] = np.nan
    return table


def files(folder, table):
    """The same rows in every format that has empty cells."""
    rows = ["x,z,w,y"] + [
        ",".join("" if np.isnan(cell) else repr(cell) for cell in row)
        for row in table.tolist()
    ]
    text = "\n".join(rows) + "\n"
    (folder / "data.csv").write_text(text)
    (folder / "data.tsv").write_text(text.replace(",", "\t"))
    columns = dict(zip("xzwy", table.T, strict=True))
    parquet.write_table(
        pa.table({name: pa.array(c, from_pandas=True) for name, c in columns.items()}),
        folder / "data.parquet",
        row_group_size=7,
    )
    np.savez(folder / "data.npz", **columns)
    return sorted(path for path in folder.iterdir() if path.stem == "data")


@pytest.mark.parametrize("weights", [[], ["--weights", "w"]])
def test_the_same_counts_and_reasons(tmp_path, weights):
    table = holes(0)
    kept = int(np.isfinite(table).all(axis=1).sum())
    empty = np.isnan(table).sum(axis=0)
    reasons = ", ".join(
        f"{'xzwy'[j]} ({empty[j]})" for j in np.argsort(-empty, kind="stable")
    )
    note = f"Dropped {90 - kept} of 90 rows for empty cells, in: {reasons}."
    for path in files(tmp_path, table):
        for chunks in ([], ["--chunk-rows", 7]):
            found = as_json("fit", path, "--target", "y", *weights, *chunks)
            assert found["data"] == {"file": str(path), "rows": kept, "dropped": 90 - kept}
            assert found["notes"][-1:] == [note]


def test_svmlight_says_the_same(write):
    path = write("1 1:2 2:nan\n2 1:1 2:3\n3 1:4\nnan 1:5\n5 1:6 2:1\n", "data.svm")
    for chunks in ([], ["--chunk-rows", 2]):
        found = as_json("fit", path, *chunks)
        assert found["data"]["dropped"] == 2
        assert found["notes"] == [
            "Dropped 2 of 5 rows for empty cells, in: 2 (1), target (1)."
        ]


def test_text_shows_the_rows_that_are_fitted(write):
    path = write("x,z,y\n1,2,3\n2,,5\n3,1,8\n4,4,8\n5,0,11\n")
    whole = succeed("fit", path).stdout.splitlines()
    streamed = succeed("fit", path, "--chunk-rows", 2).stdout.splitlines()
    assert whole[:3] == streamed[:3]
    assert streamed[0] == f"{path}: 4 rows, 2 features → y"
    assert streamed[2] == "Dropped 1 of 5 rows for empty cells, in: z (1)."


def test_validation_is_told_alike(write):
    path = write("t,x,y\na,1,2\nb,2,3\na,3,5\nb,4,5\na,5,8\n")
    text = "t,x,y\na,1,2\nc,2,4\n,2,5\nb,,1\nd,4,4\nc,5,\n"
    others = write(text, "others.csv")
    options = ["--one-hot", "--validation", others]
    whole = as_json("fit", path, *options)
    streamed = as_json("fit", path, *options, "--chunk-rows", 2)
    assert (
        whole["notes"]
        == streamed["notes"]
        == [
            "The target is y, the last numeric column; --target NAME chooses another.",
            f"{others}: 3 cells of column t are no category of the model, first 'c' in row "
            "2: taken as none of them.",
            f"Dropped 3 of 6 rows of {others} for empty cells, in: t (1), x (1), y (1).",
        ]
    )
    assert whole["scores"].keys() >= streamed["scores"].keys()
    assert "r2_validation" in streamed["scores"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x,y\n1,\n,3\n", "No rows are left: each of the 2 rows of {} has an empty cell in "
         "a used column: x (1), y (1)."),
        ("x,y\n1,2\n,3\n", "{} has only one row to fit; a line takes two at least."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["fit", "validation"])
def test_too_few_rows_are_refused_alike(write, text, why, role):
    path, good = write(text, "few.csv"), write("x,y\n1,2\n2,4\n3,5\n")
    arguments = ["fit", path] if role == "fit" else ["fit", good, "--validation", path]
    assert refused(*arguments) == why.format(path)
    streamed = run(*arguments, "--chunk-rows", 1)
    assert streamed.exit_code == 2
    assert streamed.stderr.splitlines()[-1] == f"Error: {why.format(path)}"


def test_constant_targets_of_a_validation_have_no_r2(write):
    path, others = write("x,y\n1,2\n2,4\n3,5\n"), write("x,y\n1,2\n2,2\n", "others.csv")
    for chunks in ([], ["--chunk-rows", 2]):
        found = as_json("fit", path, "--validation", others, *chunks)
        assert "r2_validation" not in found["scores"]


def test_rows_of_standard_input_that_is_read_once(monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda: 0)
    monkeypatch.setattr(_input, "HEAD", 2000)
    monkeypatch.setattr(_source, "HEAD_ROWS", 50)
    text = "x,z,y\n" + "".join(
        f"{j % 7},{'' if j % 10 == 9 else j % 13},{j % 11}\n" for j in range(1000)
    )
    result = succeed("fit", "-", stdin=text)
    assert result.stdout.startswith("stdin: 900 rows, 2 features → y\n")
    assert "Dropped 100 of 1,000 rows for empty cells, in: z (100)." in result.stdout
