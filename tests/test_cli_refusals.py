"""Bad input and bad ends of the command line: one sentence each, and an exit code."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_line import EXACT, refused, run, succeed

from sgdreg import SGDLinearRegressor
from sgdreg.cli import _plot

LINE = "a,y\n1,2\n2,4\n3,7\n"


# ----------------------------------------------------------------------------- files


@pytest.mark.parametrize("command", ["fit", "inspect"])
def test_missing_file(tmp_path, command):
    path = tmp_path / "absent.csv"
    assert refused(command, path) == f"There is no file {path}."


@pytest.mark.parametrize("command", ["fit", "inspect"])
def test_directory(tmp_path, command):
    assert f"{tmp_path} is a directory" in refused(command, tmp_path, "--format", "csv")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read all")
def test_no_permission(write):
    path = write(LINE)
    path.chmod(0)
    assert refused("fit", path) == f"{path} cannot be read: Permission denied."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty."),
        ("\n\n", "is empty."),
        ("a,b\n", "has a header but no rows."),
        ("a,b", "has a header but no rows."),
        ("a,b\nx,y\nz,w\n", "has no numeric columns: a, b."),
        ("a,b\nx,1\nz,2\n", "has no numeric column besides the target b"),
        ("a,b\nx,1\nz,2\n", "--one-hot makes features of text columns."),
        ("y\n1\n2\n", "has no numeric column besides the target y"),
        ("a,b\n1,2\n", "has only one row to fit"),
        ("a,b\n1,2\n,3\n4,\n", "has only one row to fit"),
        ("a,b\n1,\n,3\n", "No rows are left: each of the 2 rows"),
        ("a,b\nnan,nan\nNaN,NaN\n", "has no numeric columns: a, b."),
        ("a,b\n1,2\ninf,3\n4,5\n", "contains infinity"),
        ("a,b\n1,2\n3,4\n1e999,5\n", "too large for float64, in row 3; make the cell"),
        (
            "a,b\n1,2\n\n3\n",
            "read as CSV: in row 2: expected 2 columns, got 1: 3.",
        ),
        ("a,b\n1,2,\n3,4,\n", "in row 1: expected 2 columns, got 3: 1,2,."),
        (
            'a,b\n1,"' + "2,3\n" * 600_000,
            "MB, as rows are where a quotation mark is",
        ),
        (b"\xe9,b\n1,2\n3,4\n", "is not UTF-8 text, in its header; --encoding latin-1"),
        (b"a,b\n1,2\n3,\xe9\n", "is not UTF-8 text, in row 2; --encoding latin-1"),
        (b"\xff\xfea\x00,\x00", "is not CSV but UTF-16 text (--encoding utf-16)"),
        (b"PAR1...", "is not CSV but a Parquet file (--format parquet)"),
        (b"PK\x03\x04...", "is not CSV but a zip archive"),
        (b"a,b\n1,\x002\n", "is not text: it has bytes of zero"),
        ("a b y\n1 2 3\n2 3 4\n", "--delimiter space reads columns that spaces separate"),
        ("a;y\n1,5;2,5\n2,5;3,5\n", "(add --decimal , if they are decimal commas)"),
        (
            'a,y\n"1,500",1\n"2,000",2\n',
            "(add --thousands , if commas separate thousands, or add --decimal ,",
        ),
        ("a,y\n5%,1\n10 %,2\n", "without the percent sign"),
        ("a,y\n$5,1\n$10,2\n", "without the currency"),
    ],
)
def test_unusable_files(write, text, why):
    path = write(text)
    message = refused("fit", path)
    assert why in message
    assert str(path) in message


def test_column_spoilt_by_a_few_texts_is_named(write):
    text = "a,b,y\n1,2,9\n2,?,9\n3,5,22\n4,-1,6\n5,5,26\n"
    output = succeed("fit", write(text)).stdout
    assert (
        "Dropped column b: 1 of its 5 cells is text, such as '?' (make them empty to use "
        "the column, or add --missing '?')." in output.splitlines()
    )
    output = succeed("fit", write(text), "--missing", "?").stdout
    assert "Dropped 1 of 5 rows for empty cells, in: b (1)." in output.splitlines()


def test_no_rows_left_names_the_emptiest_columns(write):
    message = refused("fit", write("a,b,c\n1,,3\n,,4\n5,6,\n"))
    assert message.endswith(
        "in a used column: b (2), a (1), c (1); --ignore b leaves the emptiest column out."
    )


def test_header_of_numbers_is_doubted(write):
    doubt = "The first line is taken as the header, but most of its cells are numbers"
    assert doubt in succeed("fit", write("1,2\n2,4\n3,6\n")).stdout
    assert doubt not in succeed("fit", write(EXACT)).stdout


def test_unknown_ending(write):
    message = refused("fit", write(LINE, "data.xyz"))
    assert "does not say its format" in message
    assert "--format" in message
    assert (
        "5 features" not in succeed("fit", write(LINE, "d.xyz"), "--format", "csv").stdout
    )


def test_packed_file_that_is_damaged(write):
    path = write(b"\x1f\x8bnonsense", "data.csv.gz")
    assert refused("fit", path).startswith(f"{path} cannot be unpacked: ")


# --------------------------------------------------------------------------- columns


def test_unknown_target(write):
    message = refused("fit", write(EXACT), "--target", "PRISE")
    assert "has no column PRISE. Did you mean price?" in message
    assert message.endswith("Its columns are: a, b, price.")
    assert "Did you mean" not in refused("fit", write(EXACT), "--target", "xyzuvw")


@pytest.mark.parametrize("role", ["target", "weights"])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("city", "it is text."),
        ("empty", "it is empty."),
        ("power", "1 of its 3 cells is text, such as '?'"),
    ],
)
def test_target_or_weights_not_numeric(write, role, name, why):
    path = write("city,empty,power,y\nRome,,1,2\nOslo,,?,4\nBonn,,3,5\n")
    message = refused("fit", path, f"--{role}", name)
    assert f"The {role} {name} of {path} is not numeric: {why}" in message


def test_name_that_occurs_twice(write):
    path = write("a,y,y\n1,2,3\n2,3,4\n")
    for options in ([], ["--target", "a"]):
        assert "has 2 columns called y" in refused("fit", path, *options)


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ([1, -0.5, 1], "Column w of {} has a negative weight, -0.5 in row 2;"),
        ([0, 0, 0], "All weights in column w of {} are 0."),
    ],
)
def test_unusable_weights(write, weights, why):
    rows = [f"{j},{j * j},{w}" for j, w in enumerate(weights)]
    path = write("\n".join(["a,y,w", *rows]))
    message = refused("fit", path, "--target", "y", "--weights", "w")
    assert why.format(path) in message


def test_weights_of_a_stream_that_are_all_zero(write):
    path = write("a,y,w\n1,2,0\n2,3,0\n")
    options = ["--target", "y", "--weights", "w", "--chunk-rows", 1]
    result = run("fit", path, *options)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: All weights in column w of {path} are 0.\n")


def test_category_named_as_another_column(write):
    path = write("t,t=a,y\na,1,2\nb,2,3\na,3,5\n")
    assert "makes 2 columns called t=a" in refused("fit", path, "--one-hot")


def test_files_are_not_written_over_each_other(write, tmp_path):
    path, model = write(LINE), tmp_path / "model.skops"
    picture = tmp_path / "line.png"
    overwritten = "would overwrite a file that this command reads or writes"
    assert overwritten in refused("fit", path, "--save", path)
    assert overwritten in refused("fit", path, "--save", picture, "--plot", picture)
    succeed("fit", path, "--save", model)
    for output in (model, path):
        assert overwritten in refused("predict", model, path, "--output", output)
    assert path.read_text() == LINE


def test_target_as_weights(write):
    message = refused("fit", write(LINE), "--target", "y", "--weights", "y")
    assert message == "y cannot be both the target and the weights."


# --------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--alpha", "nan"], "'alpha' parameter .* Got nan"),
        (["--max-iter", "0"], "'max_iter' parameter .* Got 0"),
        (["--batch-size", "some"], "'batch_size' parameter .* Got 'some'"),
        (["--optimizer", "lbfgs"], "'optimizer' parameter .* Got 'lbfgs'"),
        (["--target", "bmi"], "give the file, too"),
        (["--max-categories", "1"], "--max-categories must be from 2 to 1,000, got 1"),
        (["--format", "xls"], "There is no format 'xls'; it is one of csv, tsv,"),
        (["--delimiter", "ab"], "--delimiter must be one ASCII character, .* got 'ab'"),
        (["--delimiter", "ü"], "--delimiter must be one ASCII character, .* got 'ü'"),
        (["--delimiter", '"'], "neither a quotation mark nor a line break"),
        (["--decimal", ";"], "--decimal must be . or , and not ;"),
        (["--encoding", "klingon"], "There is no encoding 'klingon'"),
        (["--encoding", "idna"], "There is no encoding 'idna'"),
        (["--plot", "out.gif"], "out.gif must end with .png, .pdf, .svg"),
        (["--learning-rate", "pa1"], "pa1"),
    ],
)
def test_unusable_options(arguments, why):
    assert re.search(why, refused("fit", *arguments, code=1 if "pa1" in why else 2))


@pytest.mark.parametrize("option", ["--save", "--plot", "--output"])
def test_unwritable_files_are_noticed_before_the_work(tmp_path, monkeypatch, option):
    def never(*_):
        raise AssertionError("It was fitted first.")

    model = tmp_path / "model.skops"
    succeed("fit", "--save", model)
    command = ["fit"] if option != "--output" else ["predict", model, tmp_path / "no.csv"]
    monkeypatch.setattr(SGDLinearRegressor, "fit", never)
    ending = "x.png" if option == "--plot" else "x.npz"
    absent = tmp_path / "absent" / ending
    message = refused(*command, option, absent)
    assert message == f"There is no folder {absent.parent} for {option} {absent}."
    folder = tmp_path / ending
    folder.mkdir()
    assert "is a directory" in refused(*command, option, folder)


def test_unknown_ending_of_predictions(tmp_path):
    model = tmp_path / "model.skops"
    succeed("fit", "--save", model)
    message = refused("predict", model, "x.csv", "--output", tmp_path / "out.xls")
    assert "out.xls must end with .csv" in message


def test_plot_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"pip install 'sgdreg\[plot\]'"):
        _plot.check(tmp_path / "out.png")


# ------------------------------------------------------------------------------ ends


def test_diverging_learning_rate():
    message = refused("fit", "--learning-rate", 0.1, code=1)
    assert re.match(r"Diverged at epoch 1, step \d+: ", message)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (MemoryError(), 1, "Error: The memory does not suffice for these data."),
        (NotImplementedError("Not yet."), 2, "Error: Not yet."),
        (OSError(28, "No space left on device", "x.csv"), 2, "Error: x.csv: No space left "
         "on device."),
    ],
)  # fmt: skip
def test_other_ends(monkeypatch, tmp_path, error, code, line):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(SGDLinearRegressor, "fit", fail)
    result = run("fit", "--save", tmp_path / "model.skops")
    assert (result.exit_code, result.stderr) == (code, f"{line}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_replaced_as_a_whole(monkeypatch, tmp_path):
    path = tmp_path / "model.skops"
    succeed("fit", "--save", path)
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    assert run("fit", "--save", path, "--no-intercept").exit_code == 130
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.skops"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_devices_and_pipes_are_written_to_not_replaced(write, tmp_path, ending):
    model, pipe = tmp_path / "model.skops", tmp_path / f"pipe.{ending}"
    path = write(LINE)
    succeed("fit", path, "--save", model)
    os.mkfifo(pipe)
    # As a reader on the other end, which must be there before.
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        succeed("predict", model, path, "--output", pipe)
    assert pipe.is_fifo()
    assert len(read.result()) > len(LINE)
