"""Reference solutions that the solvers are measured against: slow and accurate."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

EPS = np.finfo(np.float64).eps
# Singular values below this multiple of EPS √n times the largest are rounding errors.
ROUNDING = 10
# Relative residual at which conjugate gradients end, and their most iterations.
PRECISION, MOST_STEPS = 1e-12, 20_000


def chunks(n, d):
    """Slices of rows: few enough for the cache, and many more than the features."""
    size = max(2**13, 4 * d)
    return [slice(start, start + size) for start in range(0, n, size)]


class LeastSquares:
    """Exact least squares of dense rows, centred and scaled.

    QR chunk by chunk gives a triangle (a Gram matrix would lose half of the digits), and
    the corrected semi-normal equations the solution: A. Björck, Linear Algebra and its
    Applications 88/89 (1987). Directions that are only rounding errors get no weight.
    """

    def fit(self, X, y, rounds=3):
        n, d = X.shape
        parts = chunks(n, d)
        centre = X.mean(axis=0)
        centre += sum((X[part] - centre).sum(axis=0) for part in parts) / n
        scale = np.sqrt(sum(((X[part] - centre) ** 2).sum(axis=0) for part in parts) / n)
        triangle = np.zeros((0, d))
        for part in parts:
            Z = (X[part] - centre) / scale
            triangle = np.linalg.qr(np.vstack([triangle, Z]), mode="r")
        _, s, Vt = np.linalg.svd(triangle, full_matrices=False)
        seen = s > ROUNDING * EPS * np.sqrt(n) * s[0]
        s, Vt = s[seen], Vt[seen]
        weights, level = np.zeros(d), y.mean()
        for _ in range(rounds):
            gradient, drift = np.zeros(d), 0.0
            for part in parts:
                Z = (X[part] - centre) / scale
                residual = y[part] - level - Z @ weights
                gradient += residual @ Z
                drift += residual.sum()
            weights += Vt.T @ (Vt @ gradient / s**2)
            level += drift / n
        self.coef_ = weights / scale
        self.intercept_ = level - centre @ self.coef_
        return self

    def predict(self, X):
        return X @ self.coef_ + self.intercept_

    def r2_lost(self, model, X, y):
        """R² on these training rows that another model lacks, compared with this one.

        It is the mean squared difference of their predictions over the variance of y,
        because the residuals here are orthogonal to all columns. This is not a difference
        of large sums, so rounding does not hide it.
        """
        squares = 0.0
        for part in chunks(*X.shape):
            squares += np.sum((model.predict(X[part]) - self.predict(X[part])) ** 2)
        return float(squares / np.sum((y - y.mean()) ** 2))


class SparseRidge:
    """The optimum of ½ Σ (y - x·w - b)² + ½ penalty ‖w‖² for CSR rows.

    Conjugate gradients on the normal equations of the centred columns, with their
    diagonal as preconditioner, to the relative residual PRECISION.
    """

    def __init__(self, X, y, penalty):
        self.X, self.y, self.penalty = X, y, penalty
        n, d = X.shape
        centre, transposed = np.asarray(X.mean(axis=0)).ravel(), X.T.tocsr()
        squares = np.asarray(X.multiply(X).sum(axis=0)).ravel() - n * centre**2

        def product(w):
            p = X @ w - centre @ w
            return transposed @ p - centre * p.sum() + penalty * w

        operator = LinearOperator((d, d), matvec=product, dtype=np.float64)
        diagonal = 1 / (squares + penalty)
        inverse = LinearOperator((d, d), matvec=lambda g: g * diagonal, dtype=np.float64)
        right = transposed @ (y - y.mean())
        coef, failed = cg(operator, right, rtol=PRECISION, maxiter=MOST_STEPS, M=inverse)
        if failed:
            raise RuntimeError("Conjugate gradients did not reach the optimum.")
        self.best = self.objective(coef, y.mean() - centre @ coef)

    def objective(self, coef, intercept):
        residual = self.y - self.X @ coef - intercept
        return 0.5 * (residual @ residual + self.penalty * (coef @ coef))

    def lost(self, model):
        """(objective - optimum) / objective of the best constant."""
        constant = 0.5 * np.sum((self.y - self.y.mean()) ** 2)
        excess = self.objective(model.coef_, model.intercept_) - self.best
        return float(excess / constant)
