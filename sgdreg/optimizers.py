"""Update rules: how a mini-batch gradient g becomes a step of size eta.

============  =====================================================
name          step
============  =====================================================
``sgd``       w <- w - eta g
``momentum``  v <- momentum v + g;  w <- w - eta v
``nesterov``  v <- momentum v + g;  w <- w - eta (g + momentum v)
============  =====================================================

Every rule takes a `metric`: the inverse curvature that g is multiplied by first. None is
textbook (raw features). ``"diagonal"`` steps as if every feature had been centred and
scaled to unit spread; ``"sketch"`` as if the features had been made uncorrelated too, by
the curvature of the rows. Both leave X as it is and the coefficients in raw units.
"""

from numbers import Real

from sklearn.base import BaseEstimator

METRICS = (None, "diagonal", "sketch")


class Optimizer(BaseEstimator):
    """What all update rules have: ``momentum``, ``nesterov`` and ``metric``."""

    momentum = 0.0
    nesterov = False
    metric = None

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


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "nesterov": Nesterov}
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
        "'momentum', 'nesterov' and the objects of sgdreg.optimizers."
    )
