"""Tables of noisy targets for losses and penalties of all kinds: (X, y) by name."""

import numpy as np
from scipy import sparse

# Share of the coefficients that are not zero.
NON_ZERO = 0.4
# Correlation of neighbouring columns; number of common factors and what else columns hold.
NEIGHBOURS, FACTORS, OWN_SHARE = 0.9, 5, 0.3


def features(kind, n, d, rng):
    """Rows of a kind, dense."""
    X = rng.standard_normal((n, d))
    if kind == "correlated":
        for j in range(1, d):
            X[:, j] *= np.sqrt(1 - NEIGHBOURS**2)
            X[:, j] += NEIGHBOURS * X[:, j - 1]
    elif kind == "factors":
        X *= OWN_SHARE
        X += rng.standard_normal((n, FACTORS)) @ rng.standard_normal((FACTORS, d))
    elif kind == "raw scales":
        X += 10 * rng.standard_normal(d)
        X *= 10.0 ** rng.uniform(-2, 2, d)
    elif kind == "heavy tails":
        X = rng.standard_t(1.5, (n, d))
    elif kind == "leverage":
        X[rng.choice(n, n // 1000, replace=False)] *= 1000
    elif kind == "near copies":
        X[:, -3:] = X[:, :3] + 1e-6 * rng.standard_normal((n, 3))
    elif kind == "rare columns":
        X[:, :5] = 0.0
        X[rng.choice(n, 20, replace=False), np.arange(20) % 5] = 1.0
    elif kind == "integers":
        X = np.round(X)
    return X


def targets(signal, noise, rng):
    """Targets of a signal, scaled to a median of one, and noise of a kind."""
    n = len(signal)
    signal = signal - np.median(signal)
    size = np.median(np.abs(signal)) or 1.0
    e = {
        "normal": rng.standard_normal,
        "Cauchy": rng.standard_cauchy,
        "none": np.zeros,
    }.get(noise, lambda n: rng.standard_t(2, n))(n)
    y = 3 + signal / size + 0.5 * e
    if noise == "outliers":
        y[rng.random(n) < 0.1] += 50
    elif noise == "integers":
        y = np.round(2 * y)
    elif noise == "counts":
        y = rng.poisson(np.exp(np.clip(0.5 * signal / size, -5, 3))).astype(float)
    elif noise == "0/1":
        y = (y > 3).astype(float)
    elif noise == "70 % zeros":
        y[rng.random(n) < 0.7] = 0.0
    return y


def table(n, d, kind="normal", noise="normal", seed=0):
    """X and y of n rows and d columns."""
    rng = np.random.default_rng(seed)
    X = features(kind, n, d, rng)
    coef = np.where(rng.random(d) < NON_ZERO, rng.standard_normal(d), 0.0)
    coef /= np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    return X, targets(X @ coef, noise, rng)


def with_spectrum(n, d, power, seed=0):
    """Rows whose covariance has eigenvalues j^(-2 power), in turned directions."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -float(power)
    X = X @ turn
    y = X @ rng.standard_normal(d) / np.sqrt(d) + 0.1 * rng.standard_normal(n)
    return X, y


def few_rows(n, d, is_sparse, seed=0, support=50):
    """More columns than rows; of CSR one number in a thousand is stored."""
    rng = np.random.default_rng(seed)
    if is_sparse:
        X = sparse.random_array((n, d), density=1e-3, format="csr", rng=rng)
        X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
        X = sparse.csr_matrix(X)
    else:
        X = rng.standard_normal((n, d))
    coef = np.zeros(d)
    coef[rng.choice(d, support, replace=False)] = rng.standard_normal(support)
    signal = X @ coef
    return X, signal + 0.5 * signal.std() * rng.standard_normal(n)


def steepest(X, y):
    """The l1 penalty from which on all coefficients are zero."""
    residuals = y - y.mean()
    return float(np.abs(X.T @ residuals).max() / len(y))
