"""Linear regression by mini-batch stochastic gradient descent, for scikit-learn."""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING

# In a clone of the project Python finds this source folder, which has no compiled modules,
# before the installed package, which has them: search that package too.
__path__ = extend_path(__path__, __name__)

from sgdreg._version import __version__

if TYPE_CHECKING:
    from sgdreg._callbacks.checkpoint import Checkpoint
    from sgdreg._callbacks.trajectory import TrajectoryRecorder
    from sgdreg._estimator.regressor import SGDLinearRegressor
    from sgdreg._sources.chunks import chunks

__all__ = [
    "Checkpoint",
    "SGDLinearRegressor",
    "TrajectoryRecorder",
    "__version__",
    "chunks",
]

# Imported at first use: the command line starts faster without them.
_PARTS = {
    "Checkpoint": "_callbacks.checkpoint",
    "SGDLinearRegressor": "_estimator.regressor",
    "TrajectoryRecorder": "_callbacks.trajectory",
    "chunks": "_sources.chunks",
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
