"""Linear regression by mini-batch stochastic gradient descent, for scikit-learn."""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING


def _compiled(folder):
    """Whether a package folder holds the compiled modules."""
    return PathFinder.find_spec("descent", [f"{folder}/_kernels"]) is not None


# In a clone of the project Python finds this source folder, without compiled modules,
# before the installed package. Hand over to that one, if there is one.
if not _compiled(__path__[0]):
    __path__ = [f for e in sys.path if _compiled(f := f"{e or '.'}/sgdreg")] + __path__

from sgdreg._version import __version__  # noqa: E402

if TYPE_CHECKING:
    from sgdreg._checkpoint import Checkpoint
    from sgdreg._regressor import SGDLinearRegressor
    from sgdreg._trajectory import TrajectoryRecorder

__all__ = ["Checkpoint", "SGDLinearRegressor", "TrajectoryRecorder", "__version__"]

# Imported when they are asked for: the command line has a say in what that imports.
_PARTS = {
    "Checkpoint": "_checkpoint",
    "SGDLinearRegressor": "_regressor",
    "TrajectoryRecorder": "_trajectory",
}
_MODULES = ("losses", "optimizers", "penalties", "schedules")


def __getattr__(name):
    if name in _PARTS:
        found = getattr(import_module(f"{__name__}.{_PARTS[name]}"), name)
    elif name in _MODULES:
        found = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *_PARTS, *_MODULES})
