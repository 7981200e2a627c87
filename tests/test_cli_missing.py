"""`--missing`, and options of reading that cannot apply."""

import io

import numpy as np
import pyarrow as pa
import pytest
from command_line import EXACT, as_json, predictions, refused, succeed, value
from pyarrow import parquet
from skops.io import dump, load

# y = 1 + 2a + 3b in the rows that have all of their cells.
A = [1, 2, -9999, 3, 4, 5, 6]
B = [2, 1, 4, 5, -1, -9999, 3]
Y = [9, 8, 7, 22, 6, 5, -9999]
NOTE = "Dropped 3 of 7 rows for empty cells, in: a (1), b (1), y (1)."


def parquet_of(types, columns=(A, B, Y)):
    sink = io.BytesIO()
    arrays = [
        pa.array(c).cast(kind) if kind != "codes" else pa.array(c).dictionary_encode()
        for c, kind in zip(columns, types, strict=True)
    ]
    parquet.write_table(pa.table(dict(zip("aby", arrays, strict=True))), sink)
    return sink.getvalue()


def npz_of(**arrays):
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return sink.getvalue()


def text_of(*forms):
    """CSV that writes the marker in some forms, one after another."""
    cells = [str(v) for row in zip(A, B, Y, strict=True) for v in row]
    forms = iter(forms)
    cells = [next(forms) if cell == "-9999" else cell for cell in cells]
    return "a,b,y\n" + "".join(",".join(cells[j : j + 3]) + "\n" for j in range(0, 21, 3))


FILES = {
    "same.csv": text_of("-9999", "-9999", "-9999"),
    "forms.csv": text_of("-9999.0", " -9.999e3 ", '"-9999.00"'),
    "tabs.tsv": text_of("-9999.0", "-9999.", "-09999").replace(",", "\t"),
    "whole.parquet": parquet_of(["int32", "int64", "int16"]),
    "floats.parquet": parquet_of(["float", "double", "codes"]),
    "text.parquet": parquet_of(["string", "large_string", "float"]),
    "decimal.parquet": parquet_of(["float", pa.decimal128(25, 2), "int64"]),
    "single.npz": npz_of(a=np.array(A, "f4"), b=np.array(B, "i2"), y=np.array(Y, float)),
    "matrix.npz": npz_of(X=np.column_stack([A, B]), y=Y, feature_names=["a", "b"]),
}


@pytest.mark.parametrize("chunks", [[], ["--chunk-rows", 2]])
@pytest.mark.parametrize("name", FILES)
def test_numbers_by_value_in_every_format(write, name, chunks):
    path = write(FILES[name], name)
    for marker in ("-9999", "-9999.0", "-9.999e3"):
        options = ["--target", "y"] if path.suffix != ".npz" else []
        found = as_json("fit", path, f"--missing={marker}", *options, *chunks)
        assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})
        assert found["notes"][-1:] == [NOTE]
        if chunks:
            break


def test_numbers_of_svmlight(write):
    rows = zip(A, B, Y, strict=True)
    text = "".join(f"{y} 1:{a} 2:{b}\n" for a, b, y in rows)
    path = write(text, "data.svm")
    for chunks in ([], ["--chunk-rows", 3]):
        found = as_json("fit", path, "--missing", "-9999.0", *chunks)
        assert found["coefficients"] == pytest.approx({"1": 2, "2": 3})
        assert found["data"]["dropped"] == 3
    (first, *_) = as_json("inspect", path, "--missing=-9999")["columns"]
    there = [a for a in A if a != -9999]
    assert first["empty"] == pytest.approx(1 / 7)
    assert first["mean"] == pytest.approx(np.mean(there))
    assert first["std"] == pytest.approx(np.std(there))
    assert "is no number, and svmlight" in refused("fit", path, "--missing", "?")
    assert "cannot be told from an absent index" in refused("fit", path, "--missing", "0")


def test_single_precision_in_its_own_digits(write):
    """1e20 and -9999.9 are no float32, but their roundings mark empty cells."""
    a, b = [1, 2, 1e20, 3, 4], [2, 1, 4, 5, -9999.9]
    y = [9, 8, 7, 22, 6]
    content = parquet_of(["float", "float", "double"], (a, b, y))
    options = ["--missing=1e20", "--missing=-9999.9"]
    found = as_json("fit", write(content, "data.parquet"), *options)
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3}, rel=1e-6)


def test_text_by_its_letters(write):
    path = write("a,b,y\n1,2,9\n2,1,8\n? ,1,7\n3,5,22\n4,-1,6\n1,none,7\n")
    options = ["--missing", "?", "--missing", " none"]
    found = as_json("fit", path, *options)
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})
    assert found["data"]["dropped"] == 2
    # Other letters, and other numbers, are other cells.
    text = "a,t,y\n1,7,1\n2,NONE,3\n3,u,4\n4,007,5\n5,u,6\n6,70,7\n7,NONE,8\n"
    found = as_json("fit", write(text), *options, "--missing", "7.0", "--one-hot")
    assert found["features"] == ["a", "t=70", "t=NONE", "t=u"]


def test_true_is_no_number(write):
    path = write("a,b,y\ntrue,2,8\nfalse,1,4\n1,5,22\ntrue,-1,0\nfalse,-1,-2\n")
    found = as_json("fit", path, "--missing", "1", "--target", "y")
    assert found["notes"] == ["Dropped 2 of 5 rows for empty cells, in: a (1), b (1)."]


def test_marker_with_a_decimal_comma(write):
    text = text_of("-9999_5", "-9999_50", "-9999_500").replace(",", ";").replace("_", ",")
    path = write(text)
    options = ["--decimal", ",", "--missing", "-9999,5", "--target", "y"]
    found = as_json("fit", path, *options)
    assert found["notes"][-1:] == [NOTE]
    # With points, a comma is no part of a number.
    found = as_json("fit", write(EXACT), "--missing", "1,000")
    assert found["data"]["dropped"] == 0


def test_the_model_knows_its_markers(write, tmp_path):
    model = tmp_path / "model.skops"
    path = write(text_of("-9999", "-9999.0", "?"))
    fitted = as_json(
        *("fit", path, "--missing=-9999", "--missing", "?", "--save", model),
        *("--target", "y"),
    )
    assert fitted["missing"] == as_json("inspect", model)["missing"] == ["-9999", "?"]
    assert value(succeed("inspect", model).stdout, "Empty cells") == "'-9999', '?'"
    new = "a,b\n1,2\n-9999.00,1\n?,1\n2,n\n"
    result = succeed("predict", model, write(new), "--missing", "n")
    nan = np.nan
    np.testing.assert_allclose(
        predictions(result.stdout), [9, nan, nan, nan], equal_nan=True
    )
    assert result.stderr.endswith(
        "No prediction for 3 of 4 rows, first row 2: a cell is empty or not finite.\n"
    )
    assert "--missing" not in result.stderr
    table = write(parquet_of(["int32", "float", "double"]), "new.parquet")
    found = predictions(succeed("predict", model, table).stdout)
    np.testing.assert_allclose(found, [9, 8, nan, 22, 6, nan, 22], equal_nan=True)


def test_models_without_markers_and_damaged_ones(write, tmp_path):
    model = tmp_path / "model.skops"
    succeed("fit", write(EXACT), "--save", model)
    document = load(model)
    document.pop("missing")  # as earlier versions wrote them
    dump(document, model)
    assert len(predictions(succeed("predict", model, write(EXACT)).stdout)) == 4
    for wrong in ("?", [1], {"?": 1}):
        dump({**document, "missing": wrong}, model)
        assert "parts do not hold together" in refused("inspect", model)


@pytest.mark.parametrize("chunks", [[], ["--chunk-rows", 2]])
def test_a_marker_that_occurs_nowhere_is_said(write, chunks):
    path = write(EXACT)
    options = ["--missing=-9", "--missing", "?", "--missing", "NA", "--missing", "6"]
    said = f"--missing: '-9', '?' occur nowhere in {path}."
    assert said in as_json("fit", path, *options, *chunks)["notes"]
    assert said in succeed("fit", path, *options, *chunks).stdout.splitlines()
    assert said in succeed("inspect", path, *options).stdout.splitlines()
    # Two files are looked at together.
    others = write(EXACT.replace("22", "?"), "others.csv")
    options = ["--missing", "?", "--validation", others]
    notes = as_json("fit", path, *options, *chunks)["notes"]
    assert not any("--missing" in note for note in notes)


def test_predict_says_it_of_its_own_markers(write, tmp_path):
    model, path = tmp_path / "model.skops", write(EXACT)
    succeed("fit", path, "--save", model)
    result = succeed("predict", model, path, "--missing", "?")
    said = f"--missing: '?' occurs nowhere in the model's columns of {path}."
    assert said in result.stderr.splitlines()


# ------------------------------------------------------------ options that cannot apply


@pytest.mark.parametrize(
    "option", [["--decimal", ","], ["--delimiter", ";"], ["--encoding", "latin-1"]]
)
@pytest.mark.parametrize("name", ["single.npz", "whole.parquet", "data.svm"])
@pytest.mark.parametrize("command", ["fit", "inspect", "predict"])
def test_what_cannot_apply_is_refused(write, tmp_path, option, name, command):
    path, model = write(FILES.get(name, "1 1:2\n2 1:3\n"), name), tmp_path / "m.skops"
    if command == "predict":
        succeed("fit", path, "--save", model)
    arguments = [command, *([model] if command == "predict" else []), path]
    kind = {".npz": "npz", ".svm": "svmlight"}.get(path.suffix, "parquet")
    assert refused(*arguments, *option) == (
        f"{option[0]} is for csv and tsv, and {path} is read as {kind}; leave it out."
    )


def test_an_option_for_one_of_two_files(write):
    path = write(EXACT.replace(",", ";"))
    others = write(parquet_of(["int64"] * 3, ([1, 2], [2, 5], [3, 4])), "o.parquet")
    text = EXACT.replace("price", "y").replace(",", ";")
    path = write(text)
    options = ["--validation", others, "--delimiter", ";", "--target", "y"]
    assert "r2_validation" in as_json("fit", path, *options)["scores"]


@pytest.mark.parametrize(
    "option",
    [["--decimal", ","], ["--delimiter", ";"], ["--encoding", "latin-1"],
     ["--missing", "?"], ["--format", "csv"]],
)  # fmt: skip
def test_options_of_files_where_there_is_none(tmp_path, option):
    assert refused("fit", *option) == (
        f"{option[0]} says how a file is read: give the file, too."
    )
    model = tmp_path / "model.skops"
    succeed("fit", "--save", model)
    assert refused("inspect", model, *option) == (
        f"{option[0]} says how data are read, and {model} is a model; leave it out."
    )
