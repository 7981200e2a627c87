"""Random problems of every loss, penalty and kind of columns, and the judge of their fits.

A problem is drawn from a seed (`draw`): sizes, container, columns, targets, weights, loss,
penalty and, for some, constants that send so small a problem down a path of large ones
(`paths`). Its fit is compared with the lowest objective that any other method has found
(`references`), all of them evaluated in long double: each of these is a point, so a model
that is proven to be too high is too high, however good the methods are. From the folder
tests/:

    python -m every_problem 1000 2000       the problems of these seeds; what fails, shrunk
    python -m every_problem 0 400 largest=3000 loss=huber,quantile penalty=None path=sampled
"""

from every_problem.draw import draw
from every_problem.paths import PATHS, forced
from every_problem.problem import FORMS, LOSSES, PENALTIES, Problem
from every_problem.verdict import Verdict, fitted, judge

__all__ = [
    "FORMS",
    "LOSSES",
    "PATHS",
    "PENALTIES",
    "Problem",
    "Verdict",
    "draw",
    "fitted",
    "forced",
    "judge",
]
