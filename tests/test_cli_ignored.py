"""`--ignore`, empty cells as a category, and files of which little is left."""

import numpy as np
import pytest
from command_line import EXACT, as_json, predictions, refused, run, succeed

STREAMED = [[], ["--chunk-rows", "3"]]
TEXTS = (
    "id,a,k,l,y\n1,2,u,,3\n2,5,,p,5\n3,3,,q,8\n4,1,v,,8\n"
    "5,2,u,,11\n6,0,,p,1\n7,4,,q,2\n8,1,v,,6\n"
)


@pytest.mark.parametrize("streamed", STREAMED)
def test_ignored_columns(write, streamed):
    text = "id,a,b,key,price\n7,1,2,3,9\n9,2,1,4,8\n1,3,5,5,22\n3,4,-1,9,6\n"
    options = ["--ignore", "id", "--ignore", "key", *streamed]
    assert as_json("fit", write(text), *options)["coefficients"] == pytest.approx(
        {"a": 2, "b": 3}
    )
    # An empty cell of an ignored column drops no row, and it is no target.
    text = "a,b,price,z\n1,2,9,\n2,1,8,1\n3,5,22,\n4,-1,6,2\n"
    found = as_json("fit", write(text), "--ignore", "z", *streamed)
    assert (found["target"], found["data"]["rows"]) == ("price", 4)


def test_unusable_ignores(write):
    path = write(EXACT)
    assert "has no column A. Did you mean a?" in refused("fit", path, "--ignore", "A")
    message = refused("fit", path, "--ignore", "a", "--target", "a")
    assert message == "a cannot be both the target and ignored."
    message = refused("fit", path, "--ignore", "a", "--weights", "a")
    assert message == "a cannot be both the weights and ignored."
    message = refused("fit", path, "--ignore", "a", "--ignore", "b")
    assert "has no numeric column besides the target price" in message


@pytest.mark.parametrize("streamed", STREAMED)
def test_empty_cells_as_a_category(write, tmp_path, streamed):
    path, model = write(TEXTS), tmp_path / "model.skops"
    result = run("fit", path, "--one-hot", "--ignore", "id", *streamed)
    assert result.exit_code == 2
    assert "No rows are left" in result.stderr
    assert "--keep-missing-category makes its empty cells a category." in result.stderr
    options = ["--one-hot", "--ignore", "id", "--keep-missing-category", *streamed]
    found = as_json(
        "fit", path, *options, "--penalty", "l2", "--alpha", 0.1, "--save", model
    )
    names = ["a", "k=(empty)", "k=u", "k=v", "l=(empty)", "l=p", "l=q"]
    assert (found["features"], found["data"]["rows"]) == (names, 8)
    rows = [line.split(",") for line in TEXTS.splitlines()[1:]]
    X = np.array(
        [
            [float(a), k == "", k == "u", k == "v", m == "", m == "p", m == "q"]
            for _, a, k, m, _ in rows
        ]
    )
    y = np.array([float(row[-1]) for row in rows])
    Z = X - X.mean(axis=0)
    exact = np.linalg.solve(Z.T @ Z + 8 * 0.1 * np.eye(7), Z.T @ (y - y.mean()))
    assert list(found["coefficients"].values()) == pytest.approx(exact, abs=1e-4)
    new = write("a,k,l\n2,,p\n2,z,\n", "new.csv")
    result = succeed("predict", model, new)
    coef, base = np.array(list(found["coefficients"].values())), found["intercept"]
    expected = [base + coef @ [2, 1, 0, 0, 0, 1, 0], base + coef @ [2, 0, 0, 0, 1, 0, 0]]
    assert predictions(result.stdout) == pytest.approx(expected)
    assert "first 'z' in row 2" in result.stderr


def test_one_category_and_empty_cells(write):
    text = "k,y\nu,1\n,2\nu,1\n,2\n"
    assert "--one-hot" in refused("fit", write(text))
    found = as_json("fit", write(text), "--one-hot", "--keep-missing-category")
    assert found["coefficients"] == pytest.approx({"k=(empty)": 0.5, "k=u": -0.5})
    message = refused("fit", write(text), "--keep-missing-category")
    assert message == "--keep-missing-category is for --one-hot; give both, or none."


@pytest.mark.parametrize("streamed", STREAMED)
def test_files_of_which_little_is_left(write, streamed):
    rows = [f"{k},{k * k % 7},{k if k % 20 == 0 else ''},{k * 3 % 11}\n" for k in range(60)]
    path = write("a,b,cabin,y\n" + "".join(rows))
    notes = as_json("fit", path, *streamed)["notes"]
    said = (
        f"Only 3 rows of 60 of {path} are left, no more than there are features (3): "
        "--ignore cabin leaves the emptiest column out."
    )
    assert said in notes
    (*_, note) = as_json("inspect", path)["notes"]
    assert note.startswith(
        "sgdreg fit would drop 57 of 60 rows or more: the cells of column"
    )
    found = as_json("fit", path, "--ignore", "cabin", *streamed)
    assert found["data"]["rows"] == 60
    assert not any("are left" in note for note in found["notes"])


def test_few_rows_without_empty_cells_are_no_surprise(write):
    assert as_json("fit", write("a,b,c,y\n1,2,3,4\n2,1,1,2\n"))["notes"] == [
        "The target is y, the last numeric column; --target NAME chooses another."
    ]
