"""Files that are of another kind than their name says, and targets of several columns."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from command_line import as_json, refused, succeed

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
ARFF = (
    b"% of\n@RELATION r\n\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE y NUMERIC\n@DATA\n"
    b"1,2\n?,4\n2,4\n3,7\n"
)


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    return file.getvalue()


def saved(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


CONTENTS = [
    (b'[{"a": 1}, {"a": 2}]', "JSON; save it as CSV, in Python: pandas.read_json"),
    (b'\n{"a": [1, 2]}', "JSON"),
    (b"[[1, 2], [3, 4]]", "JSON"),
    (gzip.compress(b'{"a": 1}'), "JSON"),
    (
        LFS,
        "a pointer of Git LFS, which stands for a file that is not here; git lfs pull",
    ),
    (ARFF, "an ARFF file, whose rows are CSV: --format csv --skip-lines 6 --no-header"),
    (b"@relation r\n@data\n{0 1}\n", "an ARFF file; save its rows as CSV"),
    (zipped("data.csv"), "a zip archive; unpack it"),
    (zipped("[Content_Types].xml"), "a spreadsheet; save it as CSV"),
    (saved(np.savez, X=np.ones((3, 2))), "an archive of arrays (--format npz)"),
    (
        saved(np.save, np.ones((3, 2))),
        "a single array of NumPy; save it with the target",
    ),
    (b"PAR1...", "a Parquet file (--format parquet)"),
    (b"<!DOCTYPE html><html>", "a web page"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x80\x04\x95", "a pickle of Python"),
]


@pytest.mark.parametrize("name", ["data.csv", "data.other"])
@pytest.mark.parametrize("k", range(len(CONTENTS)))  # not by content, which holds the time
def test_what_a_file_is(write, name, k):
    content, what = CONTENTS[k]
    path = write(content, name)
    message = refused("fit", path)
    assert message.startswith(f"{path} is ")
    assert what in message


def test_the_same_in_other_formats(write):
    for name in ("data.parquet", "data.npz", "data.svm"):
        assert "a pointer of Git LFS" in refused("fit", write(LFS, name))
        assert "but JSON; save it" in refused("fit", write(b'{"a": 1}', name))


@pytest.mark.parametrize("ending", ["json", "xlsx", "npy", "zip", "dta", "h5"])
def test_endings_of_formats_that_are_not_read(write, ending):
    message = refused("fit", write(b"??", f"data.{ending}"))
    assert "is of a format that is not read; " in message
    assert "--format" not in message


def test_the_advice_on_arff_works(write):
    options = ["--format", "csv", "--skip-lines", "6", "--no-header", "--missing", "?"]
    found = as_json("fit", write(ARFF, "data.arff"), *options)
    assert found["coefficients"] == pytest.approx({"x0": 2.5})
    assert found["data"]["rows"] == 3


def test_names_that_begin_as_other_kinds_do(write):
    for name in ("[bold]a[/bold]", "(a)", "[a]", "{a}", "@a"):
        assert as_json("fit", write(f"{name},y\n1,2\n2,4\n3,7\n"))["features"] == [name]


@pytest.mark.parametrize("streamed", [[], ["--chunk-rows", "7"]])
@pytest.mark.parametrize("name", ["y", "Y", "targets", "other"])
def test_targets_of_several_columns(tmp_path, name, streamed):
    r = np.random.default_rng(0)
    X = r.standard_normal((30, 3))
    Y = X @ r.standard_normal((3, 2)) + [1.0, 2.0]
    path, model = tmp_path / "data.npz", tmp_path / "model.skops"
    np.savez(path, X=X, **{name: Y})
    message = refused("fit", path, *streamed)
    assert (
        f"has several targets: --target {name}0 chooses one of {name}0, {name}1." in message
    )
    found = as_json("fit", path, "--target", f"{name}1", "--save", model, *streamed)
    A = np.column_stack([X, np.ones(30)])
    exact = np.linalg.lstsq(A, Y[:, 1], rcond=None)[0]
    assert list(found["coefficients"]) == ["x0", "x1", "x2"]
    assert list(found["coefficients"].values()) == pytest.approx(exact[:3])
    assert f"R² of {name}1: 1.000000 on 30 rows." in succeed("predict", model, path).stderr


def test_targets_of_more_dimensions(tmp_path):
    np.savez(tmp_path / "data.npz", X=np.ones((5, 2)), y=np.ones((5, 2, 2)))
    assert "y of " in refused("fit", tmp_path / "data.npz")
    assert "is of shape 5 × 2 × 2" in refused("fit", tmp_path / "data.npz")
