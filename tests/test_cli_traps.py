"""Files that are made to do harm, or are larger than anybody thought: one sentence each."""

import bz2
import gzip
import io
import os
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from command_line import EXACT, as_json, refused, run, succeed
from pyarrow import parquet

from sgdreg.cli import _delimited, _input, _memory


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="symbolic links")
def test_links_in_a_circle(write, tmp_path):
    data, loop = write(EXACT), tmp_path / "loop.csv"
    loop.symlink_to(tmp_path / "back.csv")
    (tmp_path / "back.csv").symlink_to(loop)
    why = "Too many levels of symbolic links."
    for command in (
        ["fit", loop],
        ["fit", loop, "--chunk-rows", 2],
        ["fit", data, "--validation", loop],
        ["inspect", loop],
        ["predict", loop, data],
    ):
        assert refused(*command) == f"{loop} cannot be read: {why}"
    picture = tmp_path / "loop.png"
    picture.symlink_to(picture)
    for option, path in (("--save", loop), ("--plot", picture)):
        assert (
            refused("fit", data, option, path)
            == f"{option} {path} cannot be written: {why}"
        )
    # One that leads to nothing yet is a file to come.
    later = tmp_path / "later.skops"
    later.symlink_to(tmp_path / "there.skops")
    succeed("fit", data, "--save", later)


# ---------------------------------------------------------------------------- many columns


@pytest.mark.parametrize("name", ["wide.csv", "wide.csv.gz"])
def test_headers_longer_than_the_first_bytes(write, monkeypatch, name):
    monkeypatch.setattr(_input, "HEAD", 1000)
    monkeypatch.setattr(_delimited, "BLOCK", 1000)
    d = 400
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, row)) for row in rng.integers(0, 99, (5, d)).tolist()]
    text = "\n".join([",".join(f"ü{j}" for j in range(d)), *rows]).encode()
    path = write(gzip.compress(text) if name.endswith(".gz") else text, name)
    found = as_json("fit", path)
    assert found["features"] == [f"ü{j}" for j in range(d - 1)]
    assert found["target"] == f"ü{d - 1}"
    assert found["data"]["rows"] == 5
    monkeypatch.setattr(_delimited, "MOST_HEADER", 2000)
    assert "does not end within" in refused("fit", path)
    monkeypatch.setattr(_memory, "available", lambda: 0)
    assert "too long to be held" in refused("fit", "-", stdin=text * 2)


def test_header_that_is_cut_within_a_character(write, monkeypatch):
    text = "a" * 10 + "ü" * 60 + ",y\n1,2\n2,4\n3,5\n"
    for head in range(20, 40):
        monkeypatch.setattr(_input, "HEAD", head)
        assert as_json("fit", write(text))["features"] == ["a" * 10 + "ü" * 60]


# ---------------------------------------------------------------------------- packed files


@pytest.fixture
def small(monkeypatch):
    """As if half a megabyte were no longer harmless."""
    monkeypatch.setattr(_input, "HARMLESS", 2**19)
    monkeypatch.setattr(_input, "HEAD", 2**16)


TEXT = b"a,y\n1,2\n2,3\n3,5\n" + b"1,2\n" * 150_000


@pytest.mark.parametrize(
    ("pack", "options"),
    [(gzip.compress, []), (bz2.compress, ["--encoding", "latin-1"])],
)
def test_packed_too_tightly(write, small, pack, options):
    path = write(pack(TEXT), "data.csv.gz")
    why = (
        "over 100 times its size, as files do that are made to fill a computer; --max-bytes"
    )
    for command in (["fit", path], ["inspect", path], ["fit", path, "--chunk-rows", 1000]):
        assert why in refused(*command, *options)
    assert why in refused("fit", "-", *options, stdin=pack(TEXT))
    found = as_json("fit", path, "--max-bytes", len(TEXT), *options)
    assert found["data"]["rows"] == 150_003


def test_packed_as_data_are(write, small):
    digits = np.random.default_rng(0).integers(0, 10, 280_000).astype("S1")
    rows = b"".join(map(b"%b,%b\n".__mod__, zip(digits[::2], digits[1::2], strict=True)))
    packed = gzip.compress(b"a,y\n" + rows, 1)
    assert len(rows) > 2**19
    assert as_json("fit", write(packed, "data.csv.gz"))["data"]["rows"] == 140_000


@pytest.mark.parametrize(
    "name", ["d.csv", "d.csv.gz", "d.tsv", "d.svm", "d.npz", "d.parquet"]
)
def test_max_bytes_in_every_format(write, name):
    n = 2000
    if name.endswith("npz"):
        sink = io.BytesIO()
        np.savez_compressed(sink, x=np.arange(n), y=np.arange(n))
        content = sink.getvalue()
    elif name.endswith("parquet"):
        sink = io.BytesIO()
        parquet.write_table(pa.table({"x": np.arange(n), "y": np.arange(n)}), sink)
        content = sink.getvalue()
    else:
        mark = {"d.tsv": "\t", "d.svm": " 1:"}.get(name, ",")
        head = "" if name == "d.svm" else f"x{mark}y\n"
        content = (head + f"1{mark}2\n2{mark}5\n" * (n // 2)).encode()
        content = gzip.compress(content) if name.endswith("gz") else content
    path = write(content, name)
    said = f"{path} holds more than the 2,000 bytes of --max-bytes."
    assert refused("fit", path, "--max-bytes", 2000) == said
    assert as_json("fit", path, "--max-bytes", 40_000)["data"]["rows"] == n
    assert run("fit", path, "--max-bytes", 0).exit_code == 2


def test_archives_packed_too_tightly(tmp_path, small):
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, X=np.zeros((10**6, 2)), y=np.zeros(10**6))
    assert refused("fit", path).startswith(f"{path} unpacks to ")
    model = tmp_path / "model.skops"
    with zipfile.ZipFile(model, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 10**7)
    for command in (["inspect", model], ["predict", model, path]):
        assert refused(*command).endswith("made to fill a computer; it is not read.")
