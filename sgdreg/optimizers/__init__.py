"""Update rules: how a mini-batch gradient g becomes a step of size eta.

==================  ======================================================================
name                step
==================  ======================================================================
``sgd``             w <- w - eta g
``momentum``        v <- momentum v + g;  w <- w - eta v
``nesterov``        v <- momentum v + g;  w <- w - eta (g + momentum v)
``adagrad``         s <- s + g²;  w <- w - eta g / (√s + epsilon)
``rmsprop``         s <- rho s + (1 - rho) g²;  w <- w - eta g / (√s + epsilon)
``adam``            m, v <- unbiased means of g, g²;  w <- w - eta m / (√v + epsilon)
``svrg``            w <- w - eta (g(w) - g(anchor) + all rows' gradient there)
``cg``              p <- beta p - g;  w <- w + eta p, eta by line search
``interior_point``  Newton steps on the optimality conditions
``newton``          w <- argmin of a model: a sample's curvature, all rows' gradient
==================  ======================================================================

Rules have a `metric`: an inverse curvature by which g is multiplied first. None is the
textbook rule on raw features. ``"diagonal"`` makes the steps that features of mean zero and
unit standard deviation would have; ``"sketch"`` those of features that are uncorrelated,
too, by the curvature of the rows (beyond 2,000 features, 10,000 for conjugate gradients: by
at most 100 directions of largest curvature). Neither changes X, and the coefficients are in
raw units.

A custom rule is a class derived from :class:`Optimizer` with a method `direction`, which
the same loop calls once a step.
"""

from sgdreg.optimizers import _full_gradient, _minibatch
from sgdreg.optimizers._base import Optimizer
from sgdreg.optimizers._full_gradient import *  # noqa: F403 (the names in __all__)
from sgdreg.optimizers._minibatch import *  # noqa: F403

__all__ = ["Optimizer", *_minibatch.__all__, *_full_gradient.__all__]  # noqa: PLE0604

# {name: class}
OPTIMIZERS = {
    vars(module)[kind].name: vars(module)[kind]
    for module in (_minibatch, _full_gradient)
    for kind in module.__all__
}


def get_optimizer(optimizer):
    """The update rule of a name (or the object itself), checked."""
    if isinstance(optimizer, str):
        return OPTIMIZERS[optimizer]()
    if isinstance(optimizer, Optimizer):
        if optimizer.kind == "custom" and type(optimizer).direction is Optimizer.direction:
            raise TypeError(
                f"The optimizer {optimizer!r} has no direction(gradient, memory, t): see "
                "sgdreg.optimizers.Optimizer, which says what a custom rule needs."
            )
        return optimizer.check()
    raise TypeError(
        f"The optimizer {optimizer!r} is not an optimizer: use a name or an object of "
        "sgdreg.optimizers, or derive a class from sgdreg.optimizers.Optimizer."
    )
