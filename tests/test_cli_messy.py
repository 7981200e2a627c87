"""Files as programs and people write them: read, or refused with a remedy that works."""

import gzip
import re

import numpy as np
import pyarrow as pa
import pytest
from command_line import EXACT, as_json, refused
from pyarrow import parquet

ROWS = [(1, 2, 9), (2, 1, 8), (3, 5, 22), (4, -1, 6)]  # of EXACT


def table(header, form, mark=","):
    """Those rows, each cell in some form."""
    lines = [mark.join(form.format(cell) for cell in row) for row in ROWS]
    return "\n".join([header, *lines]) + "\n"


def test_a_header_without_an_end(write):
    why = refused("fit", write(EXACT.replace("b,", '"b,')))
    assert why.startswith("A quotation mark is left open in the header of ")


# ------------------------------------------------------------ sentences that end as they do


@pytest.mark.parametrize("streamed", [(), ("--chunk-rows", "2")])
@pytest.mark.parametrize(
    ("text", "end"),
    [
        (f"c,a,y\n{'x' * 3_000_000},1,2\nz,2,3\n", "where a quotation mark is left open."),
        ('c,a,y\n"x,1,2\n' + "z,2,3\n" * 30, " …. A quotation mark is left open."),
        ("a,b,y\n1,2,3,\n4,5,6,\n", "with a comma; let the header end so, too."),
    ],
)
def test_rows_that_are_no_rows(write, text, end, streamed):
    assert refused("fit", write(text), *streamed).endswith(end)


# ------------------------------------------------------------------ advice that is followed


def test_every_text_that_is_in_the_way_is_told(write):
    path = write(EXACT + "5,#DIV/0!,3\n6,#REF!,3\n7,8,\n")
    (note,) = (n for n in as_json("fit", path)["notes"] if "column b" in n)
    assert note.endswith("or add --missing '#DIV/0!' --missing '#REF!').")
    found = as_json("fit", path, "--missing", "#DIV/0!", "--missing", "#REF!")
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})


def test_no_advice_that_cannot_be_typed(write):
    notes = as_json("fit", write("a,b,y\n" + "1,2,3\n2,2,5\n" * 9 + "3,\x1a4,4\n"))["notes"]
    assert "--missing" not in " ".join(notes)


def test_a_second_row_of_the_header(write):
    for above, below in (("Size,,Price", "a,b,y"), ("a,b,y", "m,kg,EUR")):
        why = refused("fit", write(f"{above}\n{below}\n" + table("", "{}").lstrip()))
        assert "delete row 1 if it belongs to the header" in why


@pytest.mark.parametrize("mark", list(":^~#"))
def test_other_marks_between_columns(write, mark):
    path = write(table(mark.join("aby"), "{}", mark))
    assert f"--delimiter '{mark}'" in refused("fit", path)
    found = as_json("fit", path, "--delimiter", mark)["coefficients"]
    assert found == pytest.approx({"a": 2, "b": 3})


def test_single_quotation_marks_are_named(write):
    assert "without the quotation marks" in refused("fit", write(table("a,b,y", "'{}'")))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_named(write, encoding):
    path = write(EXACT.encode(encoding))
    assert f"(--encoding {encoding})" in refused("fit", path)
    found = as_json("fit", path, "--encoding", encoding)["coefficients"]
    assert found == pytest.approx({"a": 2, "b": 3})


@pytest.mark.parametrize("day", ["1{}.03.2024", "3/1{}/2024", "2024/03/1{} 12:30"])
def test_dates_of_other_forms(write, day):
    rows = [f"{day.format(k)},{a},{b},{y}" for k, (a, b, y) in enumerate(ROWS)]
    found = as_json("fit", write("\n".join(["day,a,b,y", *rows])), "--one-hot")
    assert "Dropped column day: it holds dates." in found["notes"]
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})


def test_a_name_with_a_line_break_is_no_title(write):
    notes = as_json("fit", write(EXACT.replace("a,", '"a\n(m)",')))["notes"]
    assert "--skip-lines" not in " ".join(notes)


# ------------------------------------------------------------------------------ other kinds


def test_the_index_of_pandas_is_no_target(tmp_path):
    path = tmp_path / "data.parquet"
    a, b, y = zip(*ROWS, strict=True)
    parquet.write_table(pa.table({"a": a, "b": b, "y": y, "__index_level_0__": b}), path)
    found = as_json("fit", path)
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})
    assert "Left out __index_level_0__, the index of a pandas data frame." in found["notes"]


def test_files_that_are_packed_twice(write):
    path = write(gzip.compress(gzip.compress(EXACT.encode())))
    assert refused("fit", path).endswith("is not CSV but packed twice; unpack it once.")


@pytest.mark.parametrize(
    ("X", "why"),
    [
        (np.zeros((3, 2, 2)), "X of .* is of shape 3 × 2 × 2; features are a matrix"),
        (np.array([[1, "a"]] * 3, dtype=object), "holds arrays of Python's objects"),
    ],
)
def test_arrays_that_are_no_matrices(tmp_path, X, why):
    np.savez(tmp_path / "data.npz", X=X, y=np.arange(3.0))
    assert re.search(why, refused("fit", tmp_path / "data.npz"))


# ----------------------------------------------------------------------------- long numbers


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("first", "told"), [(10**18, True), (10**17, True), (10**15, False)]
)
def test_ids_that_are_one_number(write, tmp_path, ending, first, told):
    ids = [first + k % 30 for k in range(60)]
    a, y = [k * k % 7 for k in range(60)], [k % 5 for k in range(60)]
    path = tmp_path / f"ids.{ending}"
    if ending == "csv":
        rows = (",".join(map(str, row)) for row in zip(ids, a, y, strict=True))
        path.write_text("\n".join(["id,a,y", *rows]))
    else:
        parquet.write_table(pa.table({"id": ids, "a": a, "y": y}), path)
    notes = as_json("fit", path)["notes"]
    assert any("id holds numbers that differ by less" in note for note in notes) is told
    ignored = as_json("fit", path, "--ignore", "id")["notes"]
    assert not any("differ by less" in note for note in ignored)


@pytest.mark.parametrize("streamed", [(), ("--chunk-rows", "30")])
def test_columns_in_warnings_have_their_names(write, streamed):
    rows = [f"{k % 7},{10**15 + k % 30},{10**15 + k % 9},{k % 5}" for k in range(60)]
    path = write("\n".join(["a,id,code,y", *rows]))
    (warning,) = as_json("fit", path, *streamed)["warnings"]
    assert warning.startswith("Columns id, code: the numbers differ by less")


def test_long_numbers_that_are_all_the_same(write):
    notes = as_json(
        "fit", write("id,a,y\n" + "".join(f"{10**18},{k},1\n" for k in range(4)))
    )
    assert not any("differ by less" in note for note in notes["notes"])


# ------------------------------------------------------------------------------- other rows


@pytest.mark.parametrize("streamed", [(), ("--chunk-rows", "2")])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b,price\n", "has a header but no rows"),
        ("a,b,b,price\n1,2,3,4\n5,6,7,8\n", "has 2 columns called b"),
        ("a,b,price\n1,two,3\n5,6,7\n", "'two' in row 1"),
    ],
)
def test_useless_validation_is_noticed_before_the_fit(write, tmp_path, text, why, streamed):
    path = tmp_path / "other.csv"
    path.write_text(text)
    # One line on stderr: no stream has been announced.
    assert why in refused("fit", write(EXACT), "--validation", path, *streamed)


def test_columns_that_occur_twice_are_not_predicted_from(write, tmp_path):
    model = tmp_path / "model.skops"
    as_json("fit", write(EXACT), "--save", model)
    path = tmp_path / "twice.csv"
    path.write_text("a,b,a\n1,2,3\n")
    assert "has 2 columns called a" in refused("predict", model, path)


def test_categories_without_one_hot(write):
    why = refused("fit", write(EXACT), "--max-categories", "5")
    assert why == "--max-categories is for --one-hot; give both, or none."
