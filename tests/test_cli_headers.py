"""Lines of names: absent, lower than first, in part; and lines that are no rows."""

import pytest
from command_line import EXACT, as_json, predictions, refused, succeed

STREAMED = [[], ["--chunk-rows", "2"]]
HEADERLESS = "5,red,1.5,10\n6,blue,2.5,12\n7,red,3.5,15\n8,blue,1,17\n"
DOUBT = "The first line is taken as the header, but most of its cells are numbers"
TOWNS = "city,size,price\nOslo,50,310\nRome,60,330\nBonn,70,350\n"


@pytest.mark.parametrize("command", ["fit", "inspect"])
def test_a_first_row_of_numbers_is_doubted(write, command):
    assert (
        f"{DOUBT} (5, 1.5, 10): --no-header" in succeed(command, write(HEADERLESS)).stdout
    )
    for header in ("city,1990,1991,1992", "a,b,c,d", "a,2,b,d"):
        text = f"{header}\nA,1,2,3\nB,2,3,4.5\nC,9,1,2\n"
        assert DOUBT not in succeed(command, write(text)).stdout


def test_numbers_that_occur_twice_in_the_first_row(write):
    message = refused("fit", write("5,5,1\n6,7,2\n7,3,4\n"))
    assert "has 2 columns called 5" in message
    assert DOUBT in message


@pytest.mark.parametrize("streamed", STREAMED)
def test_no_header(write, tmp_path, streamed):
    path, model = write(HEADERLESS), tmp_path / "model.skops"
    found = as_json("fit", path, "--no-header", "--one-hot", "--save", model, *streamed)
    assert found["features"] == ["x0", "x1=blue", "x1=red", "x2"]
    assert (found["target"], found["data"]["rows"]) == ("x3", 4)
    assert not any(DOUBT in note for note in found["notes"])
    # Kept by the model, and undone by --header.
    result = succeed("predict", model, path)
    assert predictions(result.stdout) == pytest.approx([10, 12, 15, 17])
    named = write(f"x0,x1,x2,x3\n{HEADERLESS}", "named.csv")
    result = succeed("predict", model, named, "--header")
    assert predictions(result.stdout) == pytest.approx([10, 12, 15, 17])
    assert "first 'x0' in row 1" in succeed("predict", model, named).stderr


def test_no_header_in_other_formats_is_refused(write):
    message = refused("fit", write("1 1:2\n2 1:3\n", "d.svm"), "--no-header")
    assert "--no-header is for csv and tsv" in message


@pytest.mark.parametrize("streamed", STREAMED)
@pytest.mark.parametrize(
    ("above", "place"),
    [
        ("Sales of 2024\nall regions\n", 3),
        ("Sales of 2024,,\n,,\n", 3),
        ("Sales; of, 2024\n\n", 3),
        ("# made by hand\n# in, Oslo, today\n", 3),
        ("\n\nSales of 2024\n", 4),
        ('"Sales, of 2024"\n', 2),
    ],
)
def test_a_header_that_stands_lower(write, above, place, streamed):
    path = write(above + TOWNS)
    said = (
        f"Line {place} looks like the header (city, size, price): --skip-lines {place - 1}"
    )
    assert said in refused("fit", path)
    found = as_json("fit", path, "--skip-lines", place - 1, *streamed)
    assert found["coefficients"] == pytest.approx({"size": 2})
    columns = as_json("inspect", path, "--skip-lines", place - 1)["columns"]
    assert [column["name"] for column in columns] == ["city", "size", "price"]


@pytest.mark.parametrize(
    "text", [TOWNS, EXACT, HEADERLESS, f"\n\n{TOWNS}", "a,b\nu,1\nv,2\nw,3\n"]
)
def test_no_other_header_is_seen_where_it_is_first(write, text):
    assert "looks like the header" not in succeed("inspect", write(text)).stdout


def test_skipping_all_lines(write):
    path = write(EXACT)
    assert (
        refused("fit", path, "--skip-lines", 9)
        == f"{path} is empty but for --skip-lines 9."
    )
    assert "has a header but no rows" in refused("fit", path, "--skip-lines", 4)


@pytest.mark.parametrize("streamed", STREAMED)
@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Grand total", "Summe", "average"])
def test_rows_of_totals_are_named(write, word, streamed):
    notes = as_json("fit", write(f"{TOWNS}{word},180,990\n"), *streamed)["notes"]
    assert any(f"of column city says {word!r}, first in row 4" in note for note in notes)


def test_no_total_is_seen_in_other_words(write):
    text = TOWNS.replace("Oslo", "Totally").replace("Rome", "Sumatra")
    assert not any("sums up" in note for note in as_json("fit", write(text))["notes"])


def test_footnotes_are_named(write):
    message = refused("fit", write(f"{TOWNS}* provisional\n"))
    assert (
        "in row 4: expected 3 columns, got 1: * provisional. If it is a footnote" in message
    )


def test_a_header_that_is_repeated(write):
    message = refused("fit", write("a,y\n1,2\na,y\n2,4\n3,7\n"))
    assert "such as 'a' (the header occurs again; delete that line)" in message


def test_a_header_without_a_name_for_names_of_rows(write):
    message = refused("fit", write('x,y\n"a",2,3\n"b",4,5\n"c",9,8\n'))
    assert "expected 2 columns, got 3" in message
    assert "If rows begin with a name, which the header does not have" in message


@pytest.mark.parametrize("streamed", STREAMED)
def test_unnamed_columns_that_hold_data_are_said(write, streamed):
    path = write('"",x,y\n"1",2,3\n"2",4,5\n"3",9,8\n')
    notes = as_json("fit", path, *streamed)["notes"]
    assert any("(column 1) has no name in the header" in note for note in notes)
    found = as_json("fit", path, "--ignore", "(column 1)", *streamed)
    assert found["features"] == ["x"]
    assert not any("(column 1)" in note for note in found["notes"])


@pytest.mark.parametrize("end", ["\x1a", "   \n\x1a", " \t \n  \n"])
@pytest.mark.parametrize("streamed", STREAMED)
def test_lines_of_spaces_and_ctrl_z(write, streamed, end):
    path = write(EXACT.replace("3,5", "  \n3,5") + end)
    found = as_json("fit", path, *streamed)
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})
    assert found["data"]["rows"] == 4
    assert as_json("fit", write(EXACT.rstrip() + end), *streamed)["data"]["rows"] == 4


@pytest.mark.parametrize("streamed", STREAMED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_spaces_before_quotation_marks(write, streamed, encoding):
    text = (
        '"x", "zé", "k", "y"\n"1", 2, "a, ""b""", "4"\n'
        ' 2, "3" , "c\n d", 5\n3, 1, "u", "6"\n'
    )
    path = write(text.encode(encoding))
    options = ["--one-hot", "--max-categories", "3", "--encoding", encoding, *streamed]
    found = as_json("fit", path, *options)
    assert found["features"][:2] == ["x", "zé"]
    assert found["target"] == "y"
    text = text.replace('"u"', '"c\n d"').replace('"zé"', "z")
    found = as_json("fit", write(text.encode(encoding)), *options)
    assert found["features"] == ["x", "z", 'k=a, "b"', "k=c\n d"]


def test_bytes_that_are_not_text_behind_a_space_and_a_quotation_mark(write):
    message = refused("fit", write(b'x, "y"\n1, "2"\n2, "\xe9"\n'))
    assert "is not UTF-8 text, in row 2; --encoding latin-1" in message


@pytest.mark.parametrize("streamed", STREAMED)
def test_runs_of_spaces(write, tmp_path, streamed):
    path = write("  a  b\tprice\n 1   2 9 \n2 1\t\t8\r\n\n3 5  22\n   4 -1 6")
    model = tmp_path / "model.skops"
    found = as_json("fit", path, "--delimiter", "space", "--save", model, *streamed)
    assert found["coefficients"] == pytest.approx({"a": 2, "b": 3})
    result = succeed("predict", model, write("b    a\n1  0\n", "new.txt"))
    assert predictions(result.stdout) == pytest.approx([4])  # the model keeps it
    text = 'a  "b c"   k\n1   2    "u  v"\n2  3  "u  v"\n4 1    w\n'
    columns = as_json("inspect", write(text), "--delimiter", "space")["columns"]
    assert [column["name"] for column in columns] == ["a", "b c", "k"]
    assert columns[2]["categories"] == 2


def test_quoted_cells_across_blocks(write, monkeypatch):
    monkeypatch.setattr("sgdreg.cli._lines.BLOCK", 7)
    text = 'x, "k", y\n' + "".join(f'{k}, "a\n{k % 2}", {2 * k}\n' for k in range(9))
    found = as_json("fit", write(text), "--one-hot")
    assert found["features"] == ["x", "k=a\n0", "k=a\n1"]
    assert found["data"]["rows"] == 9
