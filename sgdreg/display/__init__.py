"""Pictures of a fit: how it converged, its path, its line, its learning rate.

=====================  ==================================================================
display                shows
=====================  ==================================================================
`ConvergenceDisplay`   objective, optimality gap, validation score or learning rate, by
                       epochs or passes over the data, of one model or several
`LossSurfaceDisplay`   the objective over two coefficients, and the path of a fit
`FitDisplay`           one feature: the data, the line, and fainter lines of earlier epochs
`ScheduleDisplay`      learning rates by the step number
=====================  ==================================================================

They follow scikit-learn's displays: ``from_estimator`` computes and draws, the object keeps
the numbers, ``plot(ax=...)`` draws them again, `ax_` and `figure_` are matplotlib's. Paths
come from a :class:`sgdreg.TrajectoryRecorder`. matplotlib is needed only to draw:
``pip install 'sgdreg[plot]'``.
"""

from sgdreg.display._convergence import ConvergenceDisplay
from sgdreg.display._fit import FitDisplay
from sgdreg.display._schedule import ScheduleDisplay
from sgdreg.display._surface import LossSurfaceDisplay

__all__ = ["ConvergenceDisplay", "FitDisplay", "LossSurfaceDisplay", "ScheduleDisplay"]
