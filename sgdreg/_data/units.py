"""The unit of the targets: a power of two, used if their squares overflow or underflow.

With y, coefficients and intercept divided by 2^e, an objective of squares is divided by
4^e, and every step is the same, bit for bit: only l1 and the loss's epsilon have to be
divided, too. So tiny and huge targets are solved as well as others.
"""

import numpy as np

from sgdreg import optimizers
from sgdreg.losses import Huber, SquaredEpsilonInsensitive, is_squared

# Targets between 2^-256 and 2^256 are used as they are: even the squares of their rounding
# errors are floats.
ORDINARY = 256
# A stream keeps its exponent for rows whose exponent differs by this at most: in this unit
# they are far from the ends of the range of ordinary targets.
NEAR = ORDINARY // 2
LEAST_SQUARE, MOST_SQUARE = 4.0**-ORDINARY, 4.0**ORDINARY
# The least exponent: below, coefficients are so near to the smallest floats (2^-1022) that
# they lose digits.
SMALLEST = -1000
# The largest difference of the outputs' exponents at which float64 holds all squares.
APART = 400
# An epsilon of ENDLESS times the largest target has the same effect as an infinite one.
ENDLESS = 2.0**40
# Losses of squares that have an epsilon in the units of y.
IN_UNITS_OF_Y = (Huber, SquaredEpsilonInsensitive)


def exponent_of(data, optimizer, online=False):
    """The e for which the targets are divided by 2^e; 0: not divided; None: all are zero.

    Only losses of squares need it, not losses of degree one (except in streams, which
    weight rows by one over their residuals).
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
                "weights rows by one over their residuals, which float64 cannot square. "
                "Rescale y."
            )
        return 0
    if np.isfinite(loss.below):  # Huber: beyond its epsilon it is of degree one
        size = min(size, loss.below)
    exponent = int(np.frexp(size)[1])
    exponent = exponent if abs(exponent) > ORDINARY else 0
    smallest = int(np.argmin(np.where(sizes > 0, sizes, np.inf)))
    if np.frexp(sizes[smallest])[1] < exponent - APART:
        raise ValueError(
            f"The numbers of output {smallest} of y are no larger than "
            f"{sizes[smallest]:.1e} where those of others reach {sizes.max():.1e}: float64 "
            "cannot hold the squares of both. Fit this output by itself, or rescale it."
        )
    if exponent < SMALLEST:
        raise ValueError(
            f"The numbers of y are no larger than {size:.1e}, where float64 begins to lose "
            "digits. Rescale y."
        )
    refuse_unit(exponent, optimizer, loss)
    return exponent


def refuse_unit(exponent, optimizer, loss):
    """Raise if steps in units of 2^exponent would differ from those in the units of y."""
    if not exponent:
        return
    why = ""
    if not _of_squares(loss):
        why = f"rows of loss={loss!r} are weighted by one over their residuals"
    elif optimizer != "auto" and optimizers.get_optimizer(optimizer).kind != "plain":
        why = f"steps by {optimizer!r} have lengths in the units of y"
    if why:
        raise ValueError(
            "The squares of y (of this call, or of earlier ones that it goes on from), "
            f"whose numbers are about {np.ldexp(1.0, exponent - 1):.0e}, are beyond what "
            f"float64 can hold, and {why}: start again, or rescale y."
        )


def _of_squares(loss):
    return is_squared(loss) or type(loss) in IN_UNITS_OF_Y


def joined(before, exponent):
    """The common exponent of a state and of new rows with this exponent."""
    if exponent is None:
        return before.exponent
    if not before.weights.any():
        return exponent
    near = abs(exponent - before.exponent) <= NEAR
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
    """The loss; a Huber epsilon that no residual reaches is reduced to a usable number."""
    if type(loss) is not Huber:
        return loss
    longest = ENDLESS * float(np.abs(data.targets).max())
    return Huber(longest) if 0 < longest < loss.epsilon else loss
