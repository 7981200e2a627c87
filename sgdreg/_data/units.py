"""The unit of the targets: a power of two, where their squares would be no floats.

With y, coefficients and intercept divided by 2^e, an objective of squares is divided by
4^e, and every step is the same, bit for bit: only l1 and the loss's epsilon have to be
divided, too. So tiny targets are as good as others.
"""

import numpy as np

from sgdreg import optimizers
from sgdreg.losses import Huber, SquaredEpsilonInsensitive, is_squared

# Sizes within 2^±256 of one are reckoned with as they are: of those, even the squares of
# rounding errors are floats.
ORDINARY = 256
LEAST_SQUARE, MOST_SQUARE = 4.0**-ORDINARY, 4.0**ORDINARY
# Where the largest number of y is below this, digits of the coefficients are lost.
SMALLEST = -1000
# Outputs may differ by 2 to this, for the squares of all of them to be known.
APART = 400
# An epsilon so many times the largest target is as good as infinite.
ENDLESS = 2.0**40
# Losses of squares with an epsilon in the units of y.
IN_UNITS_OF_Y = (Huber, SquaredEpsilonInsensitive)


def exponent_of(data, optimizer, online=False):
    """e where the targets are to be divided by 2^e; 0: not at all; None: they are zero.

    Only squares need it: losses of degree one are what they are (but the weights of a
    stream's rows, one over their residuals, are not).
    """
    losses = data.zero_losses.tolist()
    least, most = min(losses), max(losses)
    if least > LEAST_SQUARE and most < MOST_SQUARE:
        return 0
    sizes = np.abs(data.targets).max(axis=0)
    size, loss = sizes.max(), data.loss
    if size == 0:
        return None
    if not _of_squares(loss) or not np.isfinite(most):
        if online and optimizer == "auto" and abs(np.frexp(size)[1]) > ORDINARY:
            raise ValueError(
                f"The numbers of y are about {size:.1e}: partial_fit with loss={loss!r} "
                "weighs rows by one over their residuals, which float64 cannot square. "
                "Rescale y."
            )
        return 0
    if np.isfinite(loss.below):  # beyond its epsilon it is of degree one
        size = min(size, loss.below)
    exponent = int(np.frexp(size)[1])
    exponent = exponent if abs(exponent) > ORDINARY else 0
    smallest = int(np.argmin(np.where(sizes > 0, sizes, np.inf)))
    if np.frexp(sizes[smallest])[1] < exponent - APART:
        raise ValueError(
            f"The numbers of output {smallest} of y are no larger than "
            f"{sizes[smallest]:.1e} where those of others reach {sizes.max():.1e}: float64 "
            "cannot hold the squares of both. Fit it by itself, or rescale it."
        )
    if exponent < SMALLEST:
        raise ValueError(
            f"The numbers of y are no larger than {size:.1e}, where float64 begins to lose "
            "digits. Rescale y."
        )
    refuse_unit(exponent, optimizer, loss)
    return exponent


def refuse_unit(exponent, optimizer, loss):
    """Raise for steps that are not the same in units of 2^exponent as in those of y."""
    if not exponent:
        return
    why = ""
    if not _of_squares(loss):
        why = f"rows of loss={loss!r} are weighed by one over their residuals"
    elif optimizer != "auto" and optimizers.get_optimizer(optimizer).kind != "plain":
        why = f"steps by {optimizer!r} have lengths in the units of y"
    if why:
        raise ValueError(
            "The squares of y (of this call, or of earlier ones that it goes on from), "
            f"whose numbers are about {np.ldexp(1.0, exponent - 1):.0e}, are beyond what "
            f"float64 can hold, and {why}: begin anew, or rescale y."
        )


def _of_squares(loss):
    return is_squared(loss) or type(loss) in IN_UNITS_OF_Y


def joined(before, exponent):
    """The exponent for a state and for new rows of such an exponent of their own."""
    if exponent is None:
        return before.exponent
    if not before.weights.any():
        return exponent
    near = abs(exponent - before.exponent) <= ORDINARY // 2
    if near and exponent and before.exponent:
        return before.exponent
    return max(exponent, before.exponent)


def loss_in_unit(loss, exponent):
    """The loss of targets divided by 2^exponent, divided by 4^exponent."""
    if is_squared(loss):
        return loss
    with np.errstate(over="ignore"):
        epsilon = np.ldexp(float(loss.epsilon), -exponent)
    return type(loss)(float(min(epsilon, ENDLESS)))


def within_reach(loss, data):
    """The loss, with a huber's epsilon that no residual reaches made one to reckon with."""
    if type(loss) is not Huber:
        return loss
    longest = ENDLESS * float(np.abs(data.targets).max())
    return Huber(longest) if 0 < longest < loss.epsilon else loss
