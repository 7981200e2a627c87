"""Update rules of mini-batches: plain steps, momentum, and adaptive rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgdreg.optimizers._base import Adaptive, Numbers, Plain, in_range

__all__ = ["SGD", "AdaGrad", "Adam", "Momentum", "Nesterov", "RMSprop"]

if TYPE_CHECKING:
    from typing import Self

    from sgdreg._typing import Array


class SGD(Plain):
    """w <- w - eta g: plain stochastic gradient descent [1]_.

    Parameters
    ----------
    metric : {None, 'diagonal', 'sketch'}, default=None
        The inverse curvature by which the gradient is multiplied; see the module.

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

    name = "sgd"

    def __init__(self, metric: str | None = None) -> None:
        self.metric = metric


class Momentum(Plain):
    """v <- momentum v + g;  w <- w - eta v: the heavy ball [1]_ (PyTorch's form).

    Parameters
    ----------
    momentum : float in [0, 1), default=0.9
    nesterov : bool, default=False
        Whether to step as :class:`Nesterov` does.
    metric : {None, 'diagonal', 'sketch'}, default=None

    References
    ----------
    .. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration
       methods", USSR Computational Mathematics and Mathematical Physics 4 (1964).
    """

    name = "momentum"

    def __init__(
        self, momentum: float = 0.9, nesterov: bool = False, metric: str | None = None
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.metric = metric


class Nesterov(Plain):
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

    name = "nesterov"

    nesterov = True

    def __init__(self, momentum: float = 0.9, metric: str | None = None) -> None:
        self.momentum = momentum
        self.metric = metric


class AdaGrad(Adaptive):
    """s <- s + g²;  w <- w - eta g / (√s + epsilon) [1]_.

    Steps shrink where gradients have been large; rare features keep long steps. A step on
    sparse rows costs their non-zeros (with penalty None or 'l1').

    Parameters
    ----------
    epsilon : float > 0, default=1e-10
    initial : float >= 0, default=0.0
        The initial value of s.
    metric : {None, 'diagonal'}, default=None

    References
    ----------
    .. [1] J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online
       learning and stochastic optimization", JMLR 12 (2011). The defaults are PyTorch's.

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import AdaGrad
    >>> model = SGDLinearRegressor(optimizer=AdaGrad(), learning_rate=0.5)
    >>> model.partial_fit([[10.0, 0.1]], [3.0]).coef_.round(6)  # 0.5 sign(g) at first
    array([0.5, 0.5])
    """

    name = "adagrad"

    kind, slots, usual_step = "adagrad", 1, 0.01

    def __init__(
        self, epsilon: float = 1e-10, initial: float = 0.0, metric: str | None = None
    ) -> None:
        self.epsilon = epsilon
        self.initial = initial
        self.metric = metric

    def _numbers(self) -> Numbers:
        return Numbers(epsilon=self.epsilon)

    def memory_at_start(self, shape: tuple[int, ...]) -> Array:
        return np.full((1, *shape), float(self.initial))

    def check(self) -> Self:
        in_range(self, "initial", self.initial)
        return super().check()


class RMSprop(Adaptive):
    """s <- rho s + (1 - rho) g²;  v <- momentum v + g / (√s + epsilon);  w <- w - eta v.

    AdaGrad with an exponential mean of g² in place of its sum [1]_.

    Parameters
    ----------
    rho : float in [0, 1), default=0.99
    momentum : float in [0, 1), default=0.0
    epsilon : float > 0, default=1e-8
    metric : {None, 'diagonal'}, default=None

    References
    ----------
    .. [1] T. Tieleman, G. Hinton, "RMSprop: divide the gradient by a running average of
       its recent magnitude", Neural networks for machine learning, lecture 6.5 (2012).
       The form and the defaults are PyTorch's.
    """

    name = "rmsprop"

    kind, usual_step = "rmsprop", 0.01

    def __init__(
        self,
        rho: float = 0.99,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        metric: str | None = None,
    ) -> None:
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.metric = metric

    @property
    def slots(self) -> int:
        return 1 + (self.momentum != 0)

    def _numbers(self) -> Numbers:
        return Numbers(momentum=self.momentum, epsilon=self.epsilon, square_decay=self.rho)

    def check(self) -> Self:
        in_range(self, "rho", self.rho, below=1)
        return super().check()


class Adam(Adaptive):
    """Steps along the running mean of g, divided by the root of that of g² [1]_.

        m <- beta_1 m + (1 - beta_1) g,      v <- beta_2 v + (1 - beta_2) g²,
        w <- (1 - eta weight_decay) w - eta m̂ / (√v̂ + epsilon),
        m̂ = m / (1 - beta_1^t),   v̂ = v / (1 - beta_2^t)

    Parameters
    ----------
    beta_1, beta_2 : float in [0, 1), default=0.9, 0.999
    epsilon : float > 0, default=1e-8
    weight_decay : float >= 0, default=0.0
        Decoupled from the gradient (AdamW [2]_); the intercept does not decay. It is not
        a penalty: the objective does not contain it.
    metric : {None, 'diagonal'}, default=None

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015,
       algorithm 1 and its defaults.
    .. [2] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> from sgdreg.optimizers import Adam
    >>> model = SGDLinearRegressor(optimizer=Adam(), learning_rate=0.5)
    >>> model.partial_fit([[10.0, 0.1]], [3.0]).coef_.round(6)  # 0.5 sign(g) at first
    array([0.5, 0.5])
    """

    name = "adam"

    kind, slots, usual_step = "adam", 2, 0.001

    def __init__(
        self,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        metric: str | None = None,
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.metric = metric

    def _numbers(self) -> Numbers:
        return Numbers(
            epsilon=self.epsilon,
            mean_decay=self.beta_1,
            square_decay=self.beta_2,
            weight_decay=self.weight_decay,
        )

    def check(self) -> Self:
        in_range(self, "beta_1", self.beta_1, below=1)
        in_range(self, "beta_2", self.beta_2, below=1)
        in_range(self, "weight_decay", self.weight_decay)
        return super().check()
