"""Settings of the solvers that use the gradient of all rows: see `sgdreg.optimizers`."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

from sgdreg.optimizers._base import Plain, Serves

__all__ = ["SVRG", "ConjugateGradient", "InteriorPoint", "Newton"]

if TYPE_CHECKING:
    from typing import Self


class SVRG(Plain):
    """w <- w - eta (g_B(w) - g_B(a) + g(a)): variance-reduced gradients [1]_.

    g_B is the gradient of a mini-batch, g that of all rows, a the anchor: the weights at
    the start of the epoch. An epoch is one pass of such steps (over the share `inner` of
    the batches) and one pass for the full gradient at the final weights: the average over
    the later half of the steps, or with ``average=False`` the last weights. For least
    squares with up to 2,000 features the curvature of all rows gives the optimality gap,
    which ends the fit.

    Parameters
    ----------
    inner : float in (0, 1], default=1.0
        Share of the mini-batches that an epoch uses, drawn as `shuffle` says.
    metric : {None, 'diagonal', 'sketch'}, default=None

    References
    ----------
    .. [1] R. Johnson, T. Zhang, "Accelerating stochastic gradient descent using
       predictive variance reduction", NeurIPS 2013.

    Examples
    --------
    Constant steps reach least squares, where those of SGD would hover around it:

    >>> from sklearn.datasets import load_diabetes
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import SVRG
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = SGDLinearRegressor(optimizer=SVRG(metric="sketch"), random_state=0)
    >>> round(model.fit(X, y).score(X, y), 6), model.converged_
    (0.517748, True)
    """

    name = "svrg"
    serves = Serves(certifies=True)

    def __init__(self, inner: float = 1.0, metric: str | None = None) -> None:
        self.inner = inner
        self.metric = metric

    def check(self) -> Self:
        if not (isinstance(self.inner, Real) and 0 < self.inner <= 1):
            raise ValueError(
                f"optimizer: inner of {self!r} must be a number in (0, 1], got "
                f"{self.inner!r}."
            )
        return super().check()


class ConjugateGradient(Plain):
    """p <- beta p - g;  w <- w + eta p: conjugate gradients on all rows [1]_.

    beta = max(0, g·(g - g_before) / ‖g_before‖²) [2]_, and eta minimises F along p, from
    the gradient at the end of p: one pass over the rows an epoch, one more at the start,
    and one for the curvature of all rows, which gives the optimality gap. There is no
    learning rate and there are no mini-batches. `partial_fit` and `warm_start` start
    again along the gradient.

    Parameters
    ----------
    metric : {None, 'diagonal', 'sketch'}, default=None

    References
    ----------
    .. [1] M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear
       systems", Journal of Research of the National Bureau of Standards 49 (1952).
    .. [2] E. Polak, G. Ribière, "Note sur la convergence de méthodes de directions
       conjuguées", Revue française d'informatique et de recherche opérationnelle 3
       (1969).

    Examples
    --------
    Up to rounding, as many epochs as there are unknowns:

    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import ConjugateGradient
    >>> model = SGDLinearRegressor(optimizer=ConjugateGradient(), fit_intercept=False)
    >>> model.fit([[1.0, 2.0], [3.0, 4.0]], [5.0, 11.0]).coef_.round(9), model.n_iter_
    (array([1., 2.]), 2)
    """

    name = "cg"
    serves = Serves(
        losses="squared",
        penalties="l2",
        finds_steps=True,
        certifies=True,
        by_rough_curvature=True,
        step="to where the objective is least along each direction",
    )

    def __init__(self, metric: str | None = None) -> None:
        self.metric = metric


class InteriorPoint(Plain):
    """Newton steps on the optimality conditions, strictly inside their bounds [1]_.

    For smooth losses and the named ones with kinks, with l1 and ``positive=True`` too.
    "auto" chooses it for the squared error with ``positive=True`` alone, where rows are
    sparse and have many columns (up to 2,000). Each step solves a weighted least-squares
    problem of all rows; a fit takes some ten to fifty steps. There is no learning rate and
    there are no mini-batches.

    References
    ----------
    .. [1] S. Mehrotra, "On the implementation of a primal-dual interior point method",
       SIAM Journal on Optimization 2 (1992).

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0, 99.0]
    >>> model = SGDLinearRegressor(loss="absolute_error", optimizer="interior_point")
    >>> model.fit(X, y).coef_.round(6)
    array([2.])
    """

    metric = "diagonal"
    name = "interior_point"
    serves = Serves(
        losses="modelled",
        penalties="norms",
        finds_steps=True,
        certifies=True,
        usable_iterates=False,
        step="Newton's, as far as the bounds",
    )


class Newton(Plain):
    """w <- argmin_u g·(u - w) + ½ (u - w)ᵀ H (u - w) + R(u): proximal Newton steps [1]_.

    H is the curvature of all rows or of a sample, g the gradient of all rows, and R(u) the
    terms that are not smooth. The minimum is computed without the rows, in n_features
    dimensions; a pass over the rows then gives the next g. A fit takes some three to ten
    passes. For losses with kinks the steps narrow a band around the model, and the rows in
    it are solved by an interior point. "auto" chooses it for the squared error with l1 or
    ``positive=True``, and for other losses. Of too many features for H its products with
    vectors give the step, by conjugate gradients; for losses with kinks (and l2) between
    updates of multipliers. There is no learning rate and there are no mini-batches.

    References
    ----------
    .. [1] J. D. Lee, Y. Sun, M. A. Saunders, "Proximal Newton-type methods for minimizing
       composite functions", SIAM Journal on Optimization 24 (2014).

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0, 99.0]
    >>> model = SGDLinearRegressor(loss="absolute_error", optimizer="newton")
    >>> model.fit(X, y).coef_.round(6)
    array([2.])
    """

    metric = "sketch"
    name = "newton"
    serves = Serves(
        losses="modelled",
        penalties="norms",
        finds_steps=True,
        certifies=True,
        by_model=True,
        step="to the minimum of a model in feature space",
    )
