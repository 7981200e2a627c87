"""Conjugate gradients for the linear equations of a Newton step."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

# The largest number of products with the matrix for one step.
MOST = 500
TINY = np.finfo(np.float64).tiny


class Solved(NamedTuple):
    """An approximate solution of H v = g.

    Attributes
    ----------
    v : ndarray of shape (r,)
    promise : float
        ½ gᵀ v: how far a quadratic function with this H falls.
    least : float
        The least curvature along the steps: an eigenvalue of their Lanczos matrix (Golub,
        Van Loan, Matrix Computations, 4th edition, section 11.3).
    """

    v: np.ndarray
    promise: float
    least: float


def solved(product, g, share, most=MOST):
    """The solution by conjugate gradients, from zero.

    Parameters
    ----------
    product : callable
        v (r,) -> H v.
    g : ndarray of shape (r,)
    share : callable
        The promise so far -> the largest length of the residual, as a share of that of g.
    most : int
    """
    v, promise, left, p = np.zeros_like(g), 0.0, g.copy(), g
    start = square = float(left @ left)
    steps, betas = [], []
    while len(steps) < most and square > TINY:
        image = product(p)
        curvature = float(p @ image)
        if not curvature > TINY:
            break  # a direction in which no row is curved
        step = square / curvature
        v, left = v + step * p, left - step * image
        before, square = square, float(left @ left)
        promise += 0.5 * step * before
        steps.append(step)
        if not square > share(promise) ** 2 * start:
            break
        betas.append(square / before)
        p = left + betas[-1] * p
    return Solved(v, promise, _least(np.array(steps), np.array(betas)))


def _least(steps, betas):
    """The least eigenvalue of the Lanczos matrix of these steps."""
    if not len(steps):
        return 0.0
    inverse, betas = 1.0 / steps, betas[: len(steps) - 1]
    if len(steps) == 1:  # SciPy 1.10 refuses a matrix of one number
        return float(inverse[0])
    middle, side = inverse.copy(), np.sqrt(betas) * inverse[:-1]
    middle[1:] += betas * inverse[:-1]
    if not np.isfinite(middle).all():
        return 0.0
    return float(eigvalsh_tridiagonal(middle, side, select="i", select_range=(0, 0))[0])
