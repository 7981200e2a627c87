"""Write models and checkpoints of this version, which later ones must read.

models/ has those of format 1 of both, checkpoints_2/ a checkpoint of format 2 for each
solver. Run by hand, from the root of the repository, where a new format or a new solver
has been brought in (with a new folder; the files of before stay as they are):

    python tests/golden/write_models.py FOLDER

test_compatibility.py reads them.
"""

import pickle
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from skops import io

from sgdreg import Checkpoint, SGDLinearRegressor
from sgdreg.losses import Huber
from sgdreg.optimizers import SVRG, ConjugateGradient, InteriorPoint, Momentum

FOLDER = Path(__file__).parent / "models"
CHECKPOINTS = Path(__file__).parent / "checkpoints_2"
TEXTBOOK = {"optimizer": Momentum(0.9), "learning_rate": 0.01, "batch_size": 8}
# What each model is made by, and whether by `fit`; it goes on by partial_fit.
MODELS = {
    "default": ({}, True),
    "huber": ({"loss": Huber(0.5), "alpha": 1e-3, "penalty": "l1"}, True),
    "textbook": (TEXTBOOK | {"average": "tail", "shuffle": False, "max_iter": 5}, False),
    "stream": ({"loss": "quantile", "quantile": 0.75}, False),
}
# Fits of one solver each, which is named, since "auto" may choose another one later.
SOLVERS = {
    "conjugate_gradient": {"optimizer": ConjugateGradient(metric="diagonal")},
    "svrg": {"optimizer": SVRG(metric="diagonal")},
    "interior_point": {"optimizer": InteriorPoint(), "loss": "quantile", "quantile": 0.75},
    "minibatch": {"optimizer": Momentum(0.9), "batch_size": 8},
    "shrinking": {"loss": "absolute_error", "batch_size": 8, "shuffle": False},
}
# Epochs of the fits that checkpoints are of: they are not over.
EPOCHS = 3
PARTS = 4


def rows():
    """120 rows of 4 features, the last of them constant, by no generator of NumPy's."""
    n = np.arange(120.0)
    X = np.column_stack([np.sin(n), np.cos(1.7 * n), (n * 7919) % 101 / 50 - 1, n * 0 + 1])
    return X, X @ [1.0, -2.0, 0.5, 3.0] + 0.3 * np.sin(13 * n * n)


def parts():
    """The rows in pieces."""
    return zip(*(np.array_split(part, PARTS) for part in rows()), strict=True)


def model(name):
    """The model of a name, and what it is after going on."""
    settings, fitted = MODELS[name]
    made = SGDLinearRegressor(random_state=0, **settings)
    if fitted:
        return made.fit(*rows())
    for X, y in parts():
        made.partial_fit(X, y)
    return made


def gone_on(made):
    """Predictions after one more call with some of the rows."""
    X, y = next(parts())
    return made.partial_fit(X, -y).predict(rows()[0])


def resumed(path):
    """Predictions of the fit of a checkpoint, which goes on to its end."""
    return SGDLinearRegressor.resume(path, *rows(), max_iter=50).predict(rows()[0])


def interrupted(settings, path):
    """Leave the checkpoint of a fit after some epochs."""
    settings = settings | {"max_iter": EPOCHS, "tol": None}
    made = SGDLinearRegressor(random_state=0, **settings)
    made.set_callbacks(Checkpoint(path)).fit(*rows())
    with ZipFile(path) as archive:
        files = {part: archive.read(part) for part in archive.namelist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for part, content in files.items():
            archive.writestr(part, content)


def write(folder):
    """All files, and what they must predict."""
    expected = {}
    for name in MODELS:
        made = model(name)
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(made, protocol=4))
        io.dump(made, folder / f"{name}.skops", compression=ZIP_DEFLATED)
        path = folder / f"{name}.checkpoint"
        interrupted(MODELS[name][0], path)
        expected[f"{name}_predictions"] = made.predict(rows()[0])
        expected[f"{name}_gone_on"] = gone_on(made)
        expected[f"{name}_resumed"] = resumed(path)
    np.savez_compressed(folder / "expected.npz", **expected)


def write_checkpoints(folder):
    """Checkpoints of each solver, and what their fits predict at their ends."""
    expected = {}
    for name, settings in SOLVERS.items():
        path = folder / f"{name}.checkpoint"
        interrupted(settings, path)
        expected[name] = resumed(path)
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    new = Path(sys.argv[1])
    new.mkdir()
    write(new)
    write_checkpoints(new)
