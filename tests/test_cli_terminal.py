"""Names and cells of files act on no terminal."""

import gzip
import json
import re
import sys
import time
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from command_line import refused, run, succeed
from pyarrow import parquet
from sklearn.datasets import dump_svmlight_file

from sgdreg import cli
from sgdreg.cli import _progress, _source, _visible
from sgdreg.cli._delimited import Dialect
from sgdreg.cli._formats import Reading
from sgdreg.cli._missing import Markers

# Clears the screen, sets the title, hides text, the same in C1, turns text around, breaks
# lines, has no width.
EVIL = {
    "screen": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "hidden": "\x1b[8m",
    "C1": "\x9b2J\x85\x90",
    "bidi": "\u202e\u2066\u200f\u061c",
    "lines": "\u2028\u2029\x0b\x0c\x1c",
    "width": "\u200b\u2060\ufeff\U000e0041",
    "erased": "\b\b\x7f",
}
RICH = re.compile(r"\x1b\[[0-9;]*m")  # what rich colours with


def acting(text):
    """The characters of a text that a terminal acts on, but for line breaks."""
    return {
        c
        for c in text
        if c != "\n"
        and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")
        and c not in "\u200c\u200d\xad"
    }


def file_of(evil):
    rows = [f"{i},{i * i % 7},k{evil}{i % 2},s{i % 3},{i * 3 % 5}" for i in range(9)]
    return "\n".join([f"a{evil},b,c{evil},d,y{evil}", *rows]) + "\n"


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_nothing_of_a_file_acts(write, tmp_path, monkeypatch, evil, colour):
    if colour:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    path = write(file_of(evil), f"d{evil}.csv")
    other = write(file_of(evil).replace("k", "new"), "other.csv")
    model = tmp_path / f"m{evil}.skops"
    commands = [
        ["fit", path, "--one-hot", "--save", model, "--validation", other],
        ["fit", path, "--chunk-rows", 4],
        ["fit", path, "--target", "nothing"],
        ["fit", path, "--target", evil],
        ["fit", path, "--target", f"c{evil}".strip()],
        ["fit", path, "--missing", evil, "--loss", evil],
        ["fit", write("x\n", f"{evil}.csv")],
        ["fit", write(f"{evil}{evil},y\n1,2\n1\n")],
        ["inspect", path],
        ["inspect", model],
        ["predict", model, other],
        ["predict", model, write(f"q{evil},y\n1,2\n", "q.csv")],
        ["predict", path, model],
        ["fit", path, f"--no{evil}"],
        ["fit", path, evil, evil],
        ["fit", path, "--chunk-rows", evil],
        [f"f{evil}"],
    ]
    for command in commands:
        result = run(*command)
        assert not isinstance(result.exception, ValueError | KeyError | UnicodeError)
        output = result.stdout + result.stderr
        assert len(output) > 20
        assert acting(RICH.sub("", output) if colour else output) == set(), command
        assert "\x1b[8m" not in output


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_json_keeps_the_names(write, tmp_path, evil):
    path, model = write(file_of(evil), f"d{evil}.csv"), tmp_path / "m.skops"
    name = f"a{evil}".strip()
    text = succeed("fit", path, "--one-hot", "--save", model, "--json").stdout
    assert acting(text) == set()
    assert name in json.loads(text)["features"]
    assert json.loads(text)["data"]["file"] == str(path)
    text = succeed("inspect", path, "--json").stdout
    assert acting(text) == set()
    assert json.loads(text)["columns"][0]["name"] == name
    text = succeed("inspect", model, "--json").stdout
    assert acting(text) == set()
    assert name in json.loads(text)["coefficients"]


def test_what_stands_in_their_place(write):
    text = '"a\x1b[31m\nb",y\n1,2\n2,3\n3,5\n'
    assert " a\\x1b[31m\\nb " in succeed("fit", write(text)).stdout
    message = refused("fit", write("x,y\n1,2\n", "a\u202egnp.csv"))
    assert "a\\u202egnp.csv has only one row" in message


def test_every_character_that_acts():
    harmless = [" "]
    for c in map(chr, range(sys.maxunicode + 1)):
        kind = unicodedata.category(c)
        if kind in ("Cc", "Zl", "Zp", "Cs") or unicodedata.bidirectional(c) in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        ):
            assert _visible.visible(c).isascii(), hex(ord(c))
        if kind[0] in "LNM":
            harmless.append(c)
    assert _visible.visible("".join(harmless)) == "".join(harmless)


def test_letters_of_all_scripts_stay(write):
    names = "größe,价格,נדל\u05b7ן,می\u200cخواهم,👩\u200d🔬"
    rows = "".join(f"{i},{i * i},{i % 3},{i % 4},{i % 5}\n" for i in range(9))
    output = succeed("fit", write(f"{names}\n{rows}")).stdout
    for name in names.split(",")[:-1]:
        assert f" {name} " in output


def be_terminal(monkeypatch):
    """Make stderr a terminal, from within a test: capsys replaces it before."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


def bars(capsys):
    """The lines that bars have shown, without colours."""
    return re.split(r"[\r\n]+", RICH.sub("", capsys.readouterr().err))


@pytest.mark.parametrize("packing", ["csv", "csv.gz", "parquet", "svm", "stream"])
def test_rows_bytes_and_time_left(tmp_path, monkeypatch, capsys, packing):
    be_terminal(monkeypatch)
    n = 20_000
    rows = np.random.default_rng(0).normal(size=(n, 3))
    text = ("\n".join(["a,b,y", *(",".join(map(repr, r)) for r in rows.tolist())])).encode()
    path = tmp_path / f"data.{packing}"
    if packing == "parquet":
        columns = dict(zip("aby", rows.T, strict=True))
        parquet.write_table(pa.table(columns), path, row_group_size=n // 4)
    elif packing == "svm":
        dump_svmlight_file(rows[:, :2], rows[:, 2], str(path))
    else:
        path.write_bytes(gzip.compress(text) if packing == "csv.gz" else text)
    kind = {"stream": "csv"}.get(packing)
    source = Reading(kind, Dialect(), Markers(())).source(path)
    size, is_stream = path.stat().st_size, packing == "stream"
    if is_stream:
        source.place.size = None
    seen = []
    with _progress.watching("Reading", source) as watched:
        for _ in watched(source.pieces(None)):
            seen.append(source.place.now)
    assert source.place.now is None
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= size
    (last,) = [line for line in bars(capsys) if "20,000 rows" in line][-1:]
    end = "" if is_stream else f" of {size / 1e6:.1f}"
    assert f"Reading: 20,000 rows, {seen[-1] / 1e6:.1f}{end} MB" in last
    assert re.search(r"\d:\d\d:\d\d +(\d|-):(\d\d|--):(\d\d|--) left", last) or is_stream


def test_bytes_of_later_reads_are_in_proportion_to_the_rows(write, monkeypatch, capsys):
    be_terminal(monkeypatch)
    monkeypatch.setattr(_source, "KEPT", 0)
    path = write("\n".join(["a,y", *(f"{j},{j % 7}" for j in range(40_000))]))
    _, source = Reading(None, Dialect(), Markers(())).source(path).surveyed()
    size = path.stat().st_size / 1e6
    pieces = [range(10_000)] * 4
    capsys.readouterr()
    with _progress.watching("Fitting", source) as watched:
        for _ in watched(pieces):
            time.sleep(0.15)  # a bar is drawn ten times a second
    shown = bars(capsys)
    for rows in (20_000, 40_000):
        text = f"Fitting: {rows:,} rows, {size * rows / 40_000:.1f} of {size:.1f} MB"
        assert any(text in line for line in shown)


def test_progress_bars(monkeypatch, capsys):
    be_terminal(monkeypatch)
    with _progress.watching("\x1b]0;\x07[bold]\u202e.csv") as watched:
        assert list(watched([[1], [2]])) == [[1], [2]]
    shown = capsys.readouterr().err
    assert "\\x1b]0;\\x07[bold]\\u202e.csv" in shown
    assert "\x1b]" not in shown
    assert "\u202e" not in shown


def test_tracebacks(monkeypatch, capsys):
    def broken():
        raise RuntimeError("a\x1b[2J")

    monkeypatch.setattr(cli, "make_app", broken)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which main replaces
    with pytest.raises(RuntimeError) as caught:
        cli.main()
    sys.excepthook(caught.type, caught.value, caught.tb)
    assert capsys.readouterr().err.endswith("RuntimeError: a\\x1b[2J\n")
