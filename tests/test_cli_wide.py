"""Tables of many columns: looked at some columns at a time, with the same answers."""

import numpy as np
import pyarrow as pa
import pytest
from command_line import as_json
from pyarrow import parquet

from sgdreg.cli import _cells, _delimited, _source


@pytest.mark.parametrize("together", [1, 50, 2**18])
def test_columns_are_counted_alike_however_many_at_a_time(tmp_path, monkeypatch, together):
    monkeypatch.setattr(_cells, "TOGETHER", together)
    rng = np.random.default_rng(0)
    n = 40
    columns, expected = {}, {}
    for j in range(30):
        x = rng.standard_normal(n) * 10.0**j + 1
        x[rng.random(n) < 0.2] = np.nan
        kind = (pa.float64(), pa.string(), pa.float32())[j // 4 % 3]
        columns[f"x{j}"] = pa.array(x, from_pandas=True).cast(kind)
        x = x.astype("f4").astype(float) if kind == pa.float32() else x
        expected[f"x{j}"] = x
        if j % 7 == 3:
            cells = [f"{'uvw'[k % 3]}" for k in range(n)]
            cells[5], cells[9] = "7", None
            columns[f"t{j}"] = pa.array(cells).dictionary_encode() if j % 2 else cells
    columns["y"] = rng.standard_normal(n)
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=17)
    found = {column["name"]: column for column in as_json("inspect", path)["columns"]}
    assert list(found) == list(columns)
    for name, x in expected.items():
        there = x[np.isfinite(x)]
        assert found[name]["type"] == "numbers"
        assert found[name]["empty"] == pytest.approx(np.isnan(x).mean())
        assert found[name]["mean"] == pytest.approx(there.mean())
        assert found[name]["std"] == pytest.approx(there.std())
        assert (found[name]["min"], found[name]["max"]) == (there.min(), there.max())
    for name in set(columns) - set(expected) - {"y"}:
        assert (found[name]["type"], found[name]["categories"]) == ("text", 4)


def test_numbers_at_first_are_categories_if_text_comes_later(write, monkeypatch):
    monkeypatch.setattr(_delimited, "BLOCK", 200)
    codes = [k % 3 if k < 100 else "uv"[k % 2] for k in range(250)]
    rows = [f"{code},{k},{k * k}" for k, code in enumerate(codes)]
    path = write("\n".join(["code,a,y", *rows]))
    found = as_json("fit", path, "--one-hot")
    names = [0, 1, 2, "u", "v"]
    assert found["features"] == [*(f"code={name}" for name in names), "a"]
    a = np.arange(250.0)
    B = np.column_stack([[[c == name for name in names] for c in codes], a])
    best = np.linalg.lstsq(B, a**2, rcond=None)[0]
    assert found["coefficients"]["a"] == pytest.approx(best[-1])


def test_few_calls_for_many_columns(write, monkeypatch):
    calls, numbers = [], _cells.numbers

    def counted(values, *more):
        calls.append(len(values))
        return numbers(values, *more)

    monkeypatch.setattr(_cells, "numbers", counted)
    d = 3000
    rng = np.random.default_rng(0)
    rows = [",".join(map(repr, row)) for row in rng.integers(0, 99, (3, d)).tolist()]
    path = write("\n".join([",".join(f"c{j}" for j in range(d)), *rows]))
    assert len(as_json("fit", path)["features"]) == d - 1
    assert len(calls) < 10


@pytest.mark.parametrize("streamed", [(), ("--chunk-rows", "2")])
def test_small_files_are_read_once(write, monkeypatch, streamed):
    calls, read = [], _delimited._File._reader

    def counted(*arguments):
        calls.append(arguments)
        return read(*arguments)

    monkeypatch.setattr(_delimited._File, "_reader", counted)
    path = write("a,t,y\n1,u,2\n2,u,5\n4,v,7\n,v,8\n5,u,9\n")
    once = as_json("fit", path, "--one-hot", *streamed)
    assert len(calls) == 1
    monkeypatch.setattr(_source, "KEPT", 0)
    again = as_json("fit", path, "--one-hot", *streamed)
    assert len(calls) == (6 if streamed else 3)
    for name in ("coefficients", "intercept", "scores", "notes", "data"):
        assert once[name] == again[name]
