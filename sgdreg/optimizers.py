"""Update rules: how a mini-batch gradient g becomes a step of size eta.

============  =====================================================
name          step
============  =====================================================
``sgd``       w <- w - eta g
``momentum``  v <- momentum v + g;  w <- w - eta v
``nesterov``  v <- momentum v + g;  w <- w - eta (g + momentum v)
``svrg``      w <- w - eta (g(w) - g(anchor) + all rows' gradient there)
``cg``        p <- beta p - g;  w <- w + eta p, eta by line search
============  =====================================================

Every rule takes a `metric`: the inverse curvature that g is multiplied by first. None is
textbook (raw features). ``"diagonal"`` steps as if every feature had been centred and
scaled to unit spread; ``"sketch"`` as if the features had been made uncorrelated too, by
the curvature of the rows (beyond 2,000 features: by that of some strongest directions,
100 at most). Both leave X as it is and the coefficients in raw units.
"""

from numbers import Real

from sklearn.base import BaseEstimator

METRICS = (None, "diagonal", "sketch")


class Optimizer(BaseEstimator):
    """What all update rules have: ``momentum``, ``nesterov`` and ``metric``."""

    momentum = 0.0
    nesterov = False
    metric = None

    @property
    def slots(self):
        """How many arrays of the weights' shape it keeps between steps."""
        return int(self.momentum != 0)

    def check(self):
        """Raise ValueError where a parameter is out of its range; return self."""
        if not (isinstance(self.momentum, Real) and 0 <= self.momentum < 1):
            raise ValueError(
                f"momentum of {self!r} must be a number in [0, 1), got {self.momentum!r}."
            )
        if self.metric not in METRICS:
            raise ValueError(
                f"metric of {self!r} must be one of {METRICS}, got {self.metric!r}."
            )
        return self


class SGD(Optimizer):
    """w <- w - eta g: plain stochastic gradient descent [1]_.

    Parameters
    ----------
    metric : {None, 'diagonal', 'sketch'}, default=None
        What the gradient is multiplied by before the step; see the module.

    References
    ----------
    .. [1] H. Robbins, S. Monro, "A stochastic approximation method", Annals of
       Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import SGD
    >>> model = SGDLinearRegressor(optimizer=SGD(), learning_rate=0.1, batch_size="full")
    >>> model.set_params(max_iter=1, tol=None).fit([[1.0], [3.0]], [2.0, 6.0]).coef_
    array([1.])
    """

    def __init__(self, metric=None):
        self.metric = metric


class Momentum(Optimizer):
    """v <- momentum v + g;  w <- w - eta v: the heavy ball [1]_ (PyTorch's form).

    Parameters
    ----------
    momentum : float in [0, 1), default=0.9
    metric : {None, 'diagonal', 'sketch'}, default=None

    References
    ----------
    .. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration
       methods", USSR Computational Mathematics and Mathematical Physics 4 (1964).
    """

    def __init__(self, momentum=0.9, metric=None):
        self.momentum = momentum
        self.metric = metric


class Nesterov(Optimizer):
    """v <- momentum v + g;  w <- w - eta (g + momentum v): Nesterov's momentum [1]_.

    Parameters
    ----------
    momentum : float in [0, 1), default=0.9
    metric : {None, 'diagonal', 'sketch'}, default=None

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of
       initialization and momentum in deep learning", ICML 2013, in PyTorch's form.
    """

    nesterov = True

    def __init__(self, momentum=0.9, metric=None):
        self.momentum = momentum
        self.metric = metric


class SVRG(Optimizer):
    """w <- w - eta (g_B(w) - g_B(a) + g(a)): variance-reduced gradients [1]_.

    g_B is the gradient of a mini-batch, g that of all rows, a the anchor: the weights
    that an epoch begins with. An epoch is a pass of such steps (over `inner` of the
    rows), and one for the full gradient at the weights that it ends with: the average
    over the later half of the steps, or with ``average=False`` the last ones.

    Parameters
    ----------
    inner : float in (0, 1], default=1.0
        Share of the mini-batches that an epoch steps by, drawn as `shuffle` says.
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

    def __init__(self, inner=1.0, metric=None):
        self.inner = inner
        self.metric = metric

    def check(self):
        if not (isinstance(self.inner, Real) and 0 < self.inner <= 1):
            raise ValueError(
                f"inner of {self!r} must be a number in (0, 1], got {self.inner!r}."
            )
        return super().check()


class ConjugateGradient(Optimizer):
    """p <- beta p - g;  w <- w + eta p: conjugate gradients on all rows [1]_.

    beta = max(0, g·(g - g_before) / ‖g_before‖²) [2]_, and eta is where F is least along
    p, which the gradient at the end of p tells: one pass over the rows an epoch (one
    more to begin with). No learning rate, no mini-batches. `partial_fit` and
    `warm_start` begin anew, along the gradient.

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
    As many epochs as there are unknowns, but for rounding:

    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import ConjugateGradient
    >>> model = SGDLinearRegressor(optimizer=ConjugateGradient(), fit_intercept=False)
    >>> model.fit([[1.0, 2.0], [3.0, 4.0]], [5.0, 11.0]).coef_.round(9), model.n_iter_
    (array([1., 2.]), 2)
    """

    def __init__(self, metric=None):
        self.metric = metric


OPTIMIZERS = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "svrg": SVRG,
    "cg": ConjugateGradient,
}
NOT_BUILT_YET = ("adagrad", "rmsprop", "adam")


def get_optimizer(optimizer):
    """The update rule of a name (or the object itself), checked.

    Raises
    ------
    NotImplementedError
        For the rules that a later version brings, and for objects of one's own.
    """
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        return OPTIMIZERS[optimizer]()
    if isinstance(optimizer, Optimizer):
        return optimizer.check()
    raise NotImplementedError(
        f"optimizer={optimizer!r} is not built yet; this version has 'auto', 'sgd', "
        "'momentum', 'nesterov', 'svrg', 'cg' and the objects of sgdreg.optimizers."
    )
