"""Linear regression by mini-batch stochastic gradient descent, for scikit-learn."""

import sys
from importlib.machinery import PathFinder


def _compiled(folder):
    """Whether a package folder holds the compiled modules."""
    return PathFinder.find_spec("descent", [f"{folder}/_kernels"]) is not None


# In a clone of the project Python finds this source folder, without compiled modules,
# before the installed package. Hand over to that one, if there is one.
if not _compiled(__path__[0]):
    __path__ = [f for e in sys.path if _compiled(f := f"{e or '.'}/sgdreg")] + __path__

from sgdreg._checkpoint import Checkpoint  # noqa: E402
from sgdreg._regressor import SGDLinearRegressor  # noqa: E402
from sgdreg._trajectory import TrajectoryRecorder  # noqa: E402
from sgdreg._version import __version__  # noqa: E402

__all__ = ["Checkpoint", "SGDLinearRegressor", "TrajectoryRecorder", "__version__"]
