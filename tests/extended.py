"""Least squares in long double, or in fractions: how far a model is from the optimum."""

from fractions import Fraction

import numpy as np

LONG = np.longdouble


def missing(model, X, y, sample_weight=None, alpha=0.0, fit_intercept=True):
    """(F - F*) over F of the best constant (half the variance), of the model's numbers.

    Centred rows are projected on an orthonormal basis of the columns, which are taken from
    the longest to the shortest and orthogonalised twice.
    """
    s = np.ones(len(y)) if sample_weight is None else sample_weight
    s = s.astype(LONG) / s.astype(LONG).sum()
    X, y = X.astype(LONG), y.astype(LONG)
    coef, intercept = np.asarray(model.coef_, LONG), LONG(model.intercept_)
    middle, mean = np.zeros(X.shape[1], LONG), LONG(0)
    if fit_intercept:
        middle, mean = s @ X, s @ y
        middle = middle + s @ (X - middle)
    root = np.sqrt(s)
    rows, targets = (X - middle) * root[:, None], (y - mean) * root
    if alpha:
        rows = np.vstack([rows, np.sqrt(LONG(alpha)) * np.eye(X.shape[1], dtype=LONG)])
        targets = np.append(targets, np.zeros(X.shape[1], LONG))
    at_mean = intercept + middle @ coef  # about the mean, products lose no digits
    found = s @ ((X - middle) @ coef + at_mean - y) ** 2 + alpha * coef @ coef
    vectors, least = _basis(rows), targets
    for q in vectors * 2:
        least = least - q * (q @ least)
    return float((found - least @ least) / (s @ (y - mean) ** 2))


def _basis(A):
    sizes = np.sqrt((A**2).sum(axis=0))
    A, vectors = A[:, sizes > 0] / sizes[sizes > 0], []
    for _ in range(A.shape[1]):
        left = np.sqrt((A**2).sum(axis=0))
        longest = int(np.argmax(left))
        if left[longest] < 1e-16:
            break
        q = A[:, longest]
        for p in vectors * 2:
            q = q - p * (p @ q)
        q = q / np.sqrt(q @ q)
        vectors.append(q)
        A = A - np.outer(q, q @ A)
    return vectors


def missing_exactly(model, X, y):
    """The same without weights and penalty, of two or three columns, in fractions."""
    A = [[*map(Fraction, row), Fraction(1)] for row in X.tolist()]
    y, size = [*map(Fraction, y.tolist())], X.shape[1] + 1
    M = [[sum(r[i] * r[j] for r in A) for j in range(size)] for i in range(size)]
    for row, i in zip(M, range(size), strict=True):
        row.append(sum(r[i] * t for r, t in zip(A, y, strict=True)))
    for i in range(size):  # Gauss, Jordan
        M[i] = [number / M[i][i] for number in M[i]]
        for j in set(range(size)) - {i}:
            M[j] = [a - M[j][i] * b for a, b in zip(M[j], M[i], strict=True)]

    def squares(w):
        errors = (sum(map(Fraction.__mul__, r, w)) - t for r, t in zip(A, y, strict=True))
        return sum(e * e for e in errors)

    mean = [Fraction(0)] * (size - 1) + [sum(y) / len(y)]
    mine = [Fraction(float(w)) for w in (*model.coef_, model.intercept_)]
    best = squares([row[-1] for row in M])
    return float((squares(mine) - best) / squares(mean))
