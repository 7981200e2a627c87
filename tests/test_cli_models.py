"""Models in files: `--save`, `sgdreg predict`, `sgdreg inspect`, and files not to trust."""

import builtins
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from command_line import (
    EXACT,
    as_json,
    coefficients,
    csv_of,
    predictions,
    refused,
    succeed,
    value,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet
from sklearn.datasets import dump_svmlight_file
from sklearn.linear_model import LinearRegression
from skops import io

from sgdreg import SGDLinearRegressor, __version__
from sgdreg.cli import _model


@pytest.fixture
def saved(write, tmp_path):
    """A function: fit to a text, and return the model's path."""

    def fit(text, *options, name="fitted.csv"):
        path = tmp_path / "model.skops"
        succeed("fit", write(text, name), *options, "--save", path)
        return path

    return fit


# --------------------------------------------------------------------- fit and predict


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 30), d=st.integers(1, 4))
def test_predict_is_the_models(tmp_path_factory, seed, n, d):
    folder = tmp_path_factory.mktemp("model")
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    names = [f"x{j}" for j in range(d)]
    (folder / "data.csv").write_text(csv_of([*names, "y"], np.column_stack([X, y])))
    options = ["--loss", "huber"] if seed % 2 else ["--penalty", "l2", "--alpha", 0.1]
    succeed("fit", folder / "data.csv", *options, "--save", folder / "m.skops")
    model = SGDLinearRegressor(
        **({"loss": "huber"} if seed % 2 else {"penalty": "l2", "alpha": 0.1})
    ).fit(X, y)
    result = succeed("predict", folder / "m.skops", folder / "data.csv")
    np.testing.assert_allclose(predictions(result.stdout), model.predict(X), rtol=1e-12)
    said = f"R² of y: {model.score(X, y):.6f} on {n} rows.\n"
    assert result.stderr == said
    # Other columns, in another order: by name.
    moved = csv_of([*names[::-1], "extra"], np.column_stack([X[:, ::-1], y]))
    (folder / "moved.csv").write_text(moved)
    other = succeed("predict", folder / "m.skops", folder / "moved.csv")
    assert other.stdout == result.stdout
    assert other.stderr == "Ignored the column that the model does not take: extra.\n"


def test_rows_that_cannot_be_predicted_stay_empty(saved, write):
    model = saved(EXACT, "--target", "price")
    path = write("b,a\n2,1\n,1\n1,many\n1,inf\n5,3\n")
    result = succeed("predict", model, path)
    assert result.stdout.splitlines()[2] == '""'
    np.testing.assert_allclose(
        predictions(result.stdout), [9, np.nan, np.nan, np.nan, 22], rtol=1e-12
    )
    assert result.stderr.splitlines() == [
        "Column a has 1 cell of text, first 'many' in row 3: taken as empty.",
        "No prediction for 3 of 5 rows, first row 2: a cell is empty or not finite.",
    ]
    # Who reads CSV finds as many rows, and the empty ones.
    output = path.with_name("out.csv")
    succeed("predict", model, path, "--output", output)
    read = csv.read_csv(output)
    assert read.column("prediction").null_count == 3
    assert len(read) == 5


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_predictions_in_every_format(saved, write, tmp_path, ending):
    model, path = saved(EXACT, "--target", "price"), write("a,b\n1,2\n,1\n3,5\n")
    output = tmp_path / f"out.{ending}"
    result = succeed("predict", model, path, "--output", output)
    assert result.stdout == ""
    found = {
        "csv": lambda path: predictions(path.read_text()),
        "parquet": lambda path: parquet.read_table(path)["prediction"].to_numpy(),
        "npz": lambda path: np.load(path)["prediction"],
    }[ending](output)
    np.testing.assert_allclose(found, [9, np.nan, 22], rtol=1e-12)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["data.csv", "fitted.csv", "model.skops", output.name]
    )


def test_predictions_as_json(saved, write, tmp_path):
    model, path = (
        saved(EXACT, "--target", "price"),
        write("a,b,price\n1,2,9\n,1,3\n3,5,20\n"),
    )
    found = as_json("predict", model, path)
    assert found["predictions"] == pytest.approx([9, None, 22])
    assert found["rows"] == 3
    assert found["r2"] == pytest.approx(1 - 4 / (2 * 5.5**2))  # of rows 1 and 3
    assert found["notes"] == [
        "No prediction for 1 of 3 rows, first row 2: a cell is empty or not finite."
    ]
    output = tmp_path / "out.npz"
    found = as_json("predict", model, path, "--output", output)
    assert "predictions" not in found
    assert found["output"] == str(output)


def test_standard_input_is_predicted_by_the_chunk(saved):
    model = saved(EXACT, "--target", "price")
    rows = "".join(f"{j},{j % 7}\n" for j in range(200_000))  # more than a block
    result = succeed("predict", model, "-", stdin=f"a,b\n{rows}")
    j = np.arange(200_000)
    np.testing.assert_allclose(predictions(result.stdout), 1 + 2 * j + 3 * (j % 7))


def test_missing_columns_are_named_with_the_nearest(saved, write):
    model = saved(EXACT, "--target", "price")
    path = write("A,c\n1,2\n")
    message = refused("predict", model, path)
    assert message == (f"{path} lacks the columns a (is it A?), b of the model {model}.")


def test_weights_count_in_r2(saved, write):
    text = "a,w,y\n1,1,2\n2,3,3\n4,1,9\n5,2,9\n"
    model = saved(text, "--weights", "w")
    table = np.array([[1, 1, 2], [2, 3, 3], [4, 1, 9], [5, 2, 9.0]])
    exact = LinearRegression().fit(table[:, :1], table[:, 2], table[:, 1])
    score = exact.score(table[:, :1], table[:, 2], table[:, 1])
    assert as_json("predict", model, write(text))["r2"] == pytest.approx(score)


TOWNS = "town,size,price\nRome,10,35\nOslo,20,40\nRome,30,75\nOslo,5,10\nBonn,7,14\n"


def test_unknown_categories_are_none_of_them(saved, write):
    model = saved(TOWNS, "--one-hot")
    path = write("size,town\n10,Oslo\n10,Kiel\n1,\n10, Rome \n2,Lyon\n")
    result = succeed("predict", model, path)
    found = as_json("inspect", model)
    coef, intercept = found["coefficients"], found["intercept"]
    np.testing.assert_allclose(
        predictions(result.stdout),
        [
            20,
            10 * coef["size"] + intercept,
            np.nan,
            35,
            2 * coef["size"] + intercept,
        ],
        rtol=1e-9,
    )
    assert result.stderr.splitlines() == [
        f"{path}: 2 cells of column town are no category of the model, first 'Kiel' in "
        "row 2: taken as none of them.",
        "No prediction for 1 of 5 rows, first row 3: a cell is empty or not finite.",
    ]


def test_svmlight_models(tmp_path, write):
    X = np.array([[1.0, 0, 2], [0, 3, 1], [2, 2, 0], [0, 0, 5], [1, 1, 1]])
    y = X @ [1, -2, 3] + 4
    dump_svmlight_file(X, y, str(tmp_path / "data.svm"), zero_based=False)
    model = tmp_path / "model.skops"
    succeed("fit", tmp_path / "data.svm", "--save", model)
    result = succeed("predict", model, tmp_path / "data.svm")
    np.testing.assert_allclose(predictions(result.stdout), y)
    assert result.stderr == "R² of target: 1.000000 on 5 rows.\n"
    # Absent indices are zeros, unknown ones are ignored; and by name in a table.
    few = write("0 2:1 9:1\n0\n", "few.svm")
    np.testing.assert_allclose(predictions(succeed("predict", model, few).stdout), [2, 4])
    table = write("3,2,1\n1,2,3\n", "table.csv")
    assert predictions(succeed("predict", model, table).stdout) == pytest.approx([6])
    named = tmp_path / "named.skops"
    succeed("fit", write(EXACT), "--save", named)
    assert "lacks the columns a, b of" in refused("predict", named, few)


# ------------------------------------------------------------------------- the document


def test_the_document_in_python(saved):
    document = io.load(saved(TOWNS, "--one-hot", "--alpha", 0.5, "--penalty", "l2"))
    assert document["columns"].tolist() == ["town", "town", "town", "size"]
    assert document["categories"].tolist() == ["Bonn", "Oslo", "Rome", ""]
    assert document["one_hot"].tolist() == [True, True, True, False]
    assert document["target"] == "price"
    assert document["parameters"] == {"alpha": 0.5, "penalty": "l2"}
    assert document["sgdreg"] == __version__
    X = np.array(
        [[0, 0, 1, 10], [0, 1, 0, 20], [0, 0, 1, 30], [0, 1, 0, 5], [1, 0, 0, 7.0]]
    )
    model = SGDLinearRegressor(penalty="l2", alpha=0.5).fit(X, [35, 40, 75, 10, 14])
    np.testing.assert_allclose(
        X @ document["coef"] + document["intercept"], model.predict(X), rtol=1e-12
    )
    assert document["history"]["objective"].tolist() == model.loss_curve_


def test_inspect_of_a_model_is_what_fit_has_shown(saved, write, tmp_path):
    text = "a,b,name,y\n1,2,u,9\n2,1,v,8\n3,5,w,22\n4,-1,x,6.5\n,1,,2\n"
    path, model = write(text), tmp_path / "m.skops"
    shown = succeed("fit", path, "--max-iter", 50, "--save", model).stdout
    again = succeed("inspect", model).stdout
    assert again.startswith(shown)
    assert value(again, "Parameter: max_iter") == "50"
    assert value(again, "Written by").startswith(f"sgdreg {__version__}, python 3.")
    assert coefficients(again) == coefficients(shown)
    fitted, read = as_json("fit", path, "--max-iter", 50), as_json("inspect", model)
    for document in (fitted, read):
        document.pop("seconds")
        for entry in document["history"]:
            entry.pop("seconds")
    assert fitted == read


def test_the_scale_of_the_residuals_and_the_outliers_are_shown(write, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 2)), rng.standard_t(2, 200)
    path = write(csv_of(["a", "b", "y"], np.column_stack([X, y])))
    options = [path, "--loss", "huber", "--epsilon", "auto"]
    model, saved = SGDLinearRegressor("huber", epsilon="auto").fit(X, y), tmp_path / "m"
    shown = succeed("fit", *options, "--save", saved).stdout
    for text in (shown, succeed("inspect", saved).stdout):
        scale = float(value(text, "Scale of the residuals"))
        np.testing.assert_allclose(scale, model.scale_, rtol=1e-5)
        assert value(text, "Outliers") == f"{model.outliers_.sum()} rows"
    for found in (as_json("fit", *options), as_json("inspect", saved)):
        np.testing.assert_allclose(found["scale"], model.scale_, rtol=1e-9)
        assert found["outliers"] == model.outliers_.sum()
    other = succeed("fit", path, "--loss", "huber").stdout
    assert "Scale" not in other
    assert "Outliers" not in other


def test_history_is_the_same_by_column_and_by_epoch():
    history = [
        {"epoch": 1, "objective": 2.0},
        {"epoch": 2, "objective": 1.0, "validation_score": 0.5},
    ]
    assert _model.by_epoch(_model.by_column(history)) == history
    assert _model.by_epoch(_model.by_column([])) == []


# ------------------------------------------------------------------- files not to trust


class Trap:
    """Pickled, it would call `open` when it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return builtins.open, (self.path, "w")


class Mine:
    def __init__(self):
        self.a = 1


def test_nothing_of_a_strange_file_is_run(write, tmp_path):
    sprung, data = tmp_path / "sprung", write(EXACT)
    trap = pickle.dumps(Trap(sprung))
    pickle.loads(trap).close()
    assert sprung.exists()  # so it works
    sprung.unlink()
    write(trap, "pickle.skops")
    with zipfile.ZipFile(tmp_path / "zip.skops", "w") as archive:
        archive.writestr("schema.json", trap)
        archive.writestr("model.pkl", trap)
    io.dump(Mine(), tmp_path / "mine.skops")
    io.dump(Trap, tmp_path / "type.skops")
    io.dump(LinearRegression().fit([[1.0], [2.0]], [1, 2]), tmp_path / "estimator.skops")
    io.dump({"kind": "sgdreg model", "coef": Mine()}, tmp_path / "inside.skops")
    why = {
        "pickle": "is no model that sgdreg fit --save wrote (nothing of it was run).",
        "zip": "is damaged (UnicodeDecodeError",
        "mine": "holds objects that are not trusted",
        "type": "holds objects that are not trusted",
        "estimator": "holds objects that are not trusted",
        "inside": "holds objects that are not trusted",
    }
    for name, reason in why.items():
        path = tmp_path / f"{name}.skops"
        for command in (["predict", path, data], ["inspect", path]):
            message = refused(*command)
            assert message.startswith(f"{path} ")
            assert reason in message
    assert not sprung.exists()


def test_files_of_other_kinds(saved, write, tmp_path):
    model, data = saved(EXACT), write(EXACT)
    np.savez(tmp_path / "data.npz", X=np.ones((2, 2)))
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "data.parquet")
    for path in (data, tmp_path / "data.npz", tmp_path / "data.parquet"):
        assert "is no model that sgdreg fit --save wrote" in refused("predict", path, data)
    assert refused("predict", tmp_path / "no.skops", data) == (
        f"There is no file {tmp_path / 'no.skops'}."
    )
    assert "is a directory" in refused("predict", tmp_path, data)
    content = model.read_bytes()
    model.write_bytes(content[: len(content) // 2])
    assert "is no model that" in refused("inspect", model)


def test_documents_that_do_not_hold_together(saved, tmp_path):
    document = io.load(saved(EXACT))
    path = tmp_path / "changed.skops"

    def changed(**parts):
        io.dump({**document, **parts}, path)
        return refused("inspect", path)

    assert "no model that sgdreg fit --save wrote" in changed(kind="checkpoint")
    assert "of sgdreg 9.0, of format 9; sgdreg" in changed(format=9, sgdreg="9.0")
    assert "parts do not hold together" in changed(coef=np.ones(7))
    for parts in (
        {"columns": None},
        {"coef": np.array(["a"] * len(document["coef"]))},
        {"intercept": "1"},
        {"history": 3},
        {"plan": None},
        {"data": {}},
        {"parameters": [1]},
    ):
        assert "parts do not hold together" in changed(**parts)
    document.pop("intercept")
    assert "parts do not hold together" in changed()


def test_targets_whose_squares_overflow_have_no_r2(saved, write):
    model = saved(EXACT)
    names = list(dict.fromkeys(io.load(model)["columns"].tolist()))
    header = ",".join([*names, str(io.load(model)["target"])])
    rows = [",".join(["1"] * len(names) + [y]) for y in ("1e300", "-1e300")]
    path = write("\n".join([header, *rows]), "huge.csv")
    result = succeed("predict", model, path)
    assert "R²" not in result.stderr
    assert len(predictions(result.stdout)) == 2
