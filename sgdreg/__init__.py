"""Linear regression by mini-batch stochastic gradient descent, for scikit-learn."""

from pkgutil import extend_path

# In a clone of the project Python finds this source folder, without compiled modules,
# before the installed package, which has them: they are looked for there too.
__path__ = extend_path(__path__, __name__)

from sgdreg._callbacks.checkpoint import Checkpoint
from sgdreg._callbacks.trajectory import TrajectoryRecorder
from sgdreg._estimator.regressor import SGDLinearRegressor
from sgdreg._version import __version__

__all__ = ["Checkpoint", "SGDLinearRegressor", "TrajectoryRecorder", "__version__"]
