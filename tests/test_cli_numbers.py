"""How cells write numbers: decimal commas, thousands, signs, exponents."""

import json

import numpy as np
import pyarrow as pa
import pytest
from command_line import EXACT, as_json, predictions, refused, succeed

from sgdreg.cli import _cells
from sgdreg.cli._numerals import Numerals

STREAMED = [[], ["--chunk-rows", "2"]]


def read(cells, *marks):
    """The numbers of cells; None where there is none."""
    x, wrong = _cells.numbers(pa.array(cells, pa.string()), Numerals(*marks))
    wrong = np.zeros(len(x), bool) if wrong is None else wrong.to_numpy(False)
    return [None if no else float(value) for value, no in zip(x, wrong, strict=True)]


@pytest.mark.parametrize(
    ("marks", "cells"),
    [
        ((".",), {"1.25": 1.25, "1,25": None, "1,250": None, "1.250,5": None, "+5": 5}),
        ((",",), {"1,25": 1.25, "1.25": None, "1.250": None, "1.250,5": None, "5": 5}),
        ((",", "."), {"1.250": 1250, "1.250,5": 1250.5, "1,5": 1.5, "1.25": None, "1.2.3":
         None, "1.250.000": 1250000, "12.50": None}),
        ((".", ","), {"1,250": 1250, "1,250.5": 1250.5, "1.5": 1.5, "4,20": None,
         "12,34,567": 1234567, "1,924.00": 1924, "1,,250": None, ",250": None}),
        ((".", " "), {"1 250": 1250, "1 25": None, "-1 250.5": -1250.5}),
        ((".", "_"), {"1_250": 1250, "_1": None}),
        ((".", "'"), {"1'250": 1250, "1\N{RIGHT SINGLE QUOTATION MARK}250": 1250}),
        # Unambiguous, and read without an option.
        ((".",), {"1'234": 1234, "1\N{RIGHT SINGLE QUOTATION MARK}234'567.5": None,
         "1'234'567.5": 1234567.5, "5'11": None, "1 234": None, "1_234": None}),
        ((".",), {"12\N{NARROW NO-BREAK SPACE}345": 12345, "1\N{THIN SPACE}234": 1234,
         "1\N{NO-BREAK SPACE}234.5": 1234.5, "1\N{NO-BREAK SPACE}23": None}),
        ((",",), {"1\N{NO-BREAK SPACE}234,5": 1234.5, "1\N{NO-BREAK SPACE}234.5": None}),
        ((".",), {"\N{MINUS SIGN}5": -5, "1e\N{MINUS SIGN}3": 1e-3, "\N{EN DASH}5": None}),
        ((".",), {"1.0D+02": 100, "-.5d1": -5, "1D+2": 100, "1D2": None, "D2": None}),
        ((",",), {"1,0D+02": 100, "1.0D+02": None}),
        ((".",), {"5\x1a": 5, "": float("nan"), "nan": float("nan"), "true": 1}),
    ],
)  # fmt: skip
def test_cells(marks, cells):
    together = read(list(cells), *marks)
    for cell, value, found in zip(cells, cells.values(), together, strict=True):
        assert found == pytest.approx(value, nan_ok=True), cell
        # A cell is what it is whatever stands beside it.
        assert read([cell], *marks) == pytest.approx([value], nan_ok=True), cell


@pytest.mark.parametrize("streamed", STREAMED)
def test_a_point_is_no_decimal_comma(write, streamed):
    path = write("x;y\n1;1.250\n2;2.250\n3;3.250\n4;975")
    message = refused("fit", path, "--decimal", ",", *streamed)
    assert "Dropped column y: 3 of its 4 cells are text, such as '1.250'" in message
    assert "add --thousands . if points separate thousands" in message
    options = ["--decimal", ",", "--thousands", ".", *streamed]
    found = as_json("fit", path, *options)["coefficients"]
    slope, _ = np.polyfit([1, 2, 3, 4], [1250, 2250, 3250, 975], 1)
    assert found["x"] == pytest.approx(slope)


@pytest.mark.parametrize("streamed", STREAMED)
def test_what_is_clear_is_read_in_any_file(write, streamed):
    text = "x,y\n1,1'234\n2,2\u202f345.5\n3,\u22123\n4,1.0D+02\n"
    found = as_json("fit", write(text), *streamed)
    slope, intercept = np.polyfit([1, 2, 3, 4], [1234, 2345.5, -3, 100], 1)
    assert found["coefficients"]["x"] == pytest.approx(slope)
    assert found["intercept"] == pytest.approx(intercept)
    assert found["data"]["rows"] == 4


@pytest.mark.parametrize(
    ("cells", "advice", "options"),
    [
        (["1,924.00", "35.5", "2,000.25"], "--thousands ,", ["--thousands", ","]),
        (["1,5", "2,25", "12,0"], "--decimal ,", ["--decimal", ","]),
        (["1.924,5", "35,5", "2.000,0"], "--decimal , --thousands .",
         ["--decimal", ",", "--thousands", "."]),
        (["1 924", "35", "2 000"], "--thousands space", ["--thousands", "space"]),
        (["1_924", "35.5", "2_000"], "--thousands _", ["--thousands", "_"]),
    ],
)  # fmt: skip
def test_advice_works(write, cells, advice, options):
    path = write("x;y\n" + "".join(f'{k * k};"{cell}"\n' for k, cell in enumerate(cells)))
    assert f"(add {advice} if " in refused("fit", path)
    assert as_json("fit", path, *options)["target"] == "y"


def test_advice_names_what_is_ambiguous_and_nothing_that_does_not_work(write):
    message = refused("fit", write('x;y\n1;"1,500"\n2;"2,000"\n3;7\n'))
    assert "add --thousands , if commas separate thousands, or add --decimal ," in message
    message = refused("fit", write('x;y\n1;"1,500"\n2;"1.5"\n3;"3,5"\n'))  # of both kinds
    assert "(write numbers as 1234.5 to use the column)" in message
    for cell, what in {
        "(5)": "with a sign before",
        "5-": "with a sign",
        "–5": "as -",
    }.items():
        assert what in refused("fit", write(f"x,y\n1,{cell}\n2,{cell}\n3,4\n"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--thousands", "x"], "--thousands must be one of , . ' _ and space, and not x."),
        (["--thousands", "."], "--thousands and --decimal cannot both be .;"),
        (["--thousands", ",", "--decimal", ","], "cannot both be ,;"),
    ],
)
def test_unusable_marks(write, options, why):
    assert why in refused("fit", write(EXACT), *options)


def test_the_model_keeps_how_numbers_are_written(write, tmp_path):
    model = tmp_path / "model.skops"
    path = write("x;y\n1.000;1,5\n2.000;2,5\n3.000;3,5\n")
    succeed("fit", path, "--decimal", ",", "--thousands", ".", "--save", model)
    kept = json.loads(succeed("inspect", model, "--json").stdout)["reading"]
    assert kept == {"decimal": ",", "thousands": "."}
    new = write("x;z\n1.500;1\n2500,0;2\n1.5;3\n", "new.csv")
    result = succeed("predict", model, new)
    assert predictions(result.stdout) == pytest.approx([2, 3, np.nan], nan_ok=True)
    assert "Column x has 1 cell of text, first '1.5' in row 3" in result.stderr
    new = write('x,z\n"1,500",1\n2500.0,2\n', "other.csv")
    options = ["--decimal", ".", "--thousands", ","]
    assert predictions(succeed("predict", model, new, *options).stdout) == pytest.approx(
        [2, 3]
    )


def test_missing_markers_are_numbers_of_the_file(write):
    text = "x;y\n1;2,5\n2;3,5\n3;-9.999,0\n4;5,5\n"
    options = ["--decimal", ",", "--thousands", ".", "--missing=-9.999"]
    found = as_json("fit", write(text), *options)
    assert found["coefficients"]["x"] == pytest.approx(1)
    assert found["data"] == {"file": found["data"]["file"], "rows": 3, "dropped": 1}


def test_inspect_reads_numbers_as_fit_does(write):
    path = write("x;y\n1;1.250\n2;2,5\n")
    options = ["--decimal", ",", "--thousands", "."]
    _, column = as_json("inspect", path, *options)["columns"]
    assert (column["type"], column["max"]) == ("numbers", 1250)
    _, column = as_json("inspect", path, "--decimal", ",")["columns"]
    assert column["type"] == "text"
