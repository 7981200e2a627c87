"""Models in files: plain documents in the skops format, which holds no code.

``skops.io.load`` returns the document as a dict in Python; `document` lists its entries.
"""

import platform
import zipfile
from pathlib import Path

import numpy as np
import scipy
import sklearn

from sgdreg._persistence.files import load, skops_io, write
from sgdreg._persistence.format import plain
from sgdreg._version import __version__
from sgdreg.cli._input import check_archive
from sgdreg.cli._messages import Unusable, one_line
from sgdreg.cli._output import check_writable
from sgdreg.cli._wanted import Wanted

FORMAT = 1
KIND = "sgdreg model"
# Characters of an error of skops that a message shows.
SHOWN = 200
# The entries that predictions and reports need, by type.
PARTS = {
    np.ndarray: ("columns", "categories", "one_hot", "coef", "std"),
    str: ("target", "unscored", "stop_reason", "sgdreg"),
    (str, type(None)): ("weights",),
    (int, float): ("intercept", "epochs", "seconds", "converged"),
    dict: ("data", "scores", "plan", "parameters", "history", "versions"),
    list: ("notes",),
}


def is_model(path):
    """Whether a file seems to have the skops format."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def check(path):
    """Raise before the fit where its model could not be saved."""
    check_writable(path, "--save")
    skops_io()


def save(document, path):
    """Write the document of a fit; the file is replaced as a whole."""
    write(document, path)


def read(path):
    """The document in a file; nothing of the file is executed.

    Raises
    ------
    Unusable
        Where the file is not a model.
    """
    path = Path(path)
    if path.is_dir():
        raise Unusable(f"{path} is a directory; give a model that sgdreg fit --save wrote.")
    check_archive(path, str(path))
    try:
        document = load(path)
    except FileNotFoundError:
        raise Unusable(f"There is no file {path}.") from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # a damaged file may raise anything in skops
        raise Unusable(_refusal(path, error)) from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise Unusable(
            f"{path} is of the skops format, but no model that sgdreg fit --save wrote."
        )
    number = document.get("format")
    if not isinstance(number, int) or number > FORMAT:
        raise Unusable(
            f"{path} is a model of sgdreg {document.get('sgdreg')}, of format {number}; "
            f"sgdreg {__version__} reads up to format {FORMAT}: install that version or a "
            "later one."
        )
    _check(document, path)
    return document


def _refusal(path, error):
    name = type(error).__name__
    if name == "UntrustedTypesFoundException" or isinstance(error, TypeError):
        return (
            f"{path} holds objects that are not trusted, and is no model that sgdreg fit "
            f"--save wrote; nothing of it was run ({one_line(error)[:SHOWN]})."
        )
    if not is_model(path):
        return f"{path} is no model that sgdreg fit --save wrote (nothing of it was run)."
    return f"{path} is damaged ({name}: {one_line(error)})."


def _check(document, path):
    """Raise where entries of a document are missing or contradict each other."""
    fits = all(
        isinstance(document.get(name, ...), kind) for kind in PARTS for name in PARTS[kind]
    )
    shapes = {np.shape(document.get(name)) for name in PARTS[np.ndarray]}
    if (
        not fits
        or len(shapes) != 1
        or len(shapes.pop()) != 1
        or not all(document[name].dtype.kind == "f" for name in ("coef", "std"))
        or not document["data"].keys() >= {"file", "rows", "dropped"}
        or not isinstance(document.get("missing", []), list)
        or not all(isinstance(text, str) for text in document.get("missing", []))
        or not isinstance(document.get("ignored", []), list)
        or not _is_reading(document.get("reading", {}))
        or not isinstance(document.get("scale", 0.0), float)
        or not isinstance(document.get("outliers", 0), int)
    ):
        raise Unusable(f"{path} is damaged: its parts do not hold together.")


def _is_reading(found):
    """Whether this can be the entry "reading" of a document."""
    return isinstance(found, dict) and all(
        isinstance(value, bool if name == "header" else str)
        for name, value in found.items()
    )


def wanted(document):
    """The columns that a model takes."""
    columns = zip(
        document["columns"], document["one_hot"], document["categories"], strict=True
    )
    features = tuple((str(c), str(k) if hot else None) for c, hot, k in columns)
    return Wanted(
        features,
        document["target"],
        document["weights"],
        tuple(document.get("ignored", ())),
    )


def reading(document):
    """The reading options of the fit, which are the defaults for other files."""
    return {"missing": document.get("missing", []), **document.get("reading", {})}


def predictions(document, X):
    """X·coef + intercept."""
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e300
        return X @ document["coef"] + document["intercept"]


def document(model, wanted, facts):
    """A fit as a dict of plain values, to be saved and reported.

    Parameters
    ----------
    model : SGDLinearRegressor
        Fitted.
    wanted : Wanted
    facts : dict
        Entries that the model does not hold: "data" (file, rows, dropped), "std" of the
        features, "scores", "seconds", "parameters", "missing" (cells that mean empty),
        "reading" (the format of cells), "notes", "warnings"; where rows were streamed,
        also "converged", "stop_reason", "epochs" and "history".

    Returns
    -------
    dict
        These entries are arrays with one element per feature: "columns", "one_hot"
        (whether a feature is a category of its column), "categories", "coef" (in the
        units of the file), "std". "history" is a dict of arrays, one element per epoch.
        With epsilon="auto" there are "scale", that of the residuals, and "outliers", the
        number of rows beyond epsilon.
    """
    content = {
        "kind": KIND,
        "format": FORMAT,
        "sgdreg": __version__,
        "versions": _versions(),
        "columns": np.array([c for c, _ in wanted.features], dtype=np.str_),
        "one_hot": np.array([k is not None for _, k in wanted.features]),
        "categories": np.array([k or "" for _, k in wanted.features], dtype=np.str_),
        "target": wanted.target,
        "weights": wanted.weights,
        "ignored": list(wanted.ignored),
        "coef": np.array(model.coef_),
        "intercept": float(model.intercept_),
        "plan": model.plan_.slots,
        "converged": bool(model.converged_),
        "stop_reason": model.stop_reason_,
        "epochs": int(model.n_iter_),
        "history": model.history_,
        **_of_scale(model),
        **facts,
    }
    return plain({**content, "history": by_column(content["history"])})


def _of_scale(model):
    if not hasattr(model, "scale_"):
        return {}
    return {"scale": float(model.scale_), "outliers": int(model.outliers_.sum())}


def by_column(history):
    """A history as one array per quantity; NaN where an epoch lacks the quantity."""
    names = dict.fromkeys(name for entry in history for name in entry)
    return {
        name: np.array([entry.get(name, np.nan) for entry in history], dtype=float)
        for name in names
    }


def by_epoch(history):
    """The inverse of `by_column`: a list of one dict per epoch."""
    rows = zip(*(values.tolist() for values in history.values()), strict=True)
    entries = [dict(zip(history, row, strict=True)) for row in rows]
    return [
        {n: int(v) if n == "epoch" else v for n, v in entry.items() if not np.isnan(v)}
        for entry in entries
    ]


def _versions():
    modules = {"numpy": np, "scipy": scipy, "scikit-learn": sklearn}
    found = {name: module.__version__ for name, module in modules.items()}
    return {"python": platform.python_version(), **found}
