"""Rows of terms that are CSR rows: products and Gram matrix at the cost of non-zeros."""

import numpy as np

from sgdreg._curvature.sparse_products import NEAR, by_nonzeros, rows_times

# The number of entries of X whose products are taken at a time.
PIECE_NUMBERS = 2**20


def are_near(data, metric):
    """Whether products of rows may be centred afterwards, and are few by non-zeros."""
    if not by_nonzeros(data):
        return False
    centre, scale = metric.centre, metric.scale
    return centre is None or bool((np.abs(centre) <= NEAR * scale).all())


def are_stored(data, frame):
    """Whether rows in a frame are best left as they are, without losing digits."""
    well = frame.is_diagonal or frame.is_well_conditioned
    return well and are_near(data, frame.metric)


class Sparse:
    """The rows of a band in a frame, as `Dense`: A = [X / scale, 1] T with sparse X.

    Parameters
    ----------
    data : Data
        With CSR rows.
    frame : Frame
    at : ndarray of intp
        Positions of the rows, in their order.
    which : ndarray of intp or None
        The row of each term; None: one term a row.
    """

    def __init__(self, data, frame, at, which=None):
        X, self.frame, self.which = data.rows.canonical, frame, which
        self.X = X if len(at) == data.n_rows else X[at]
        self.size = max(1, int(PIECE_NUMBERS / data.row_size))
        scale, rank = frame.metric.scale, frame.coef.shape[1]
        self.T = np.zeros((len(scale) + 1, frame.size))
        self.T[:-1, :rank] = frame.coef * scale[:, None]
        self.T[-1, rank:] = 1.0
        if frame.metric.centre is not None:
            self.T[-1, :rank] = -frame.metric.centre @ frame.coef

    def __len__(self):
        return self.X.shape[0] if self.which is None else len(self.which)

    def rows(self, at):
        X = self.X[at if self.which is None else self.which[at]]
        return self.frame.rows(X.toarray().astype(np.float64, copy=False))

    def products(self, p):
        weights = self.T @ p
        x = self.X @ (weights[:-1] / self.frame.metric.scale) + weights[-1]
        return x if self.which is None else x[self.which]

    def sums(self, a):
        a = self._of_rows(a)
        return np.append((self.X.T @ a) / self.frame.metric.scale, a.sum()) @ self.T

    def add_gram(self, curvatures, C):
        curvatures, scale = self._of_rows(curvatures), self.frame.metric.scale
        S = np.zeros((len(self.T), len(self.T)))
        for start in range(0, self.X.shape[0], self.size):
            some = slice(start, start + self.size)
            rows = rows_times(self.X[some], np.sqrt(curvatures[some]))
            S[:-1, :-1] += (rows.T @ rows).toarray()
        S[:-1, -1] = S[-1, :-1] = self.X.T @ curvatures
        S[-1, -1] = curvatures.sum()
        S[:-1] /= scale[:, None]
        S[:, :-1] /= scale
        C += self._turned(S)
        return C

    def _turned(self, S):
        """Tᵀ S T."""
        if not self.frame.is_diagonal:
            return self.T.T @ S @ self.T
        rank = self.frame.coef.shape[1]
        kept, centre = ~self.frame.metric.constant, self.T[-1, :rank]
        C = np.empty((self.frame.size, self.frame.size))
        across = S[:-1, -1][kept]
        C[:rank, :rank] = S[np.ix_(np.append(kept, False), np.append(kept, False))]
        C[:rank, :rank] += np.outer(across + 0.5 * S[-1, -1] * centre, centre)
        C[:rank, :rank] += np.outer(centre, across + 0.5 * S[-1, -1] * centre)
        C[:rank, rank:] = (across + S[-1, -1] * centre)[:, None]
        C[rank:, :rank] = C[:rank, rank:].T
        C[rank:, rank:] = S[-1, -1]
        return C

    def _of_rows(self, a):
        if self.which is None:
            return a
        return np.bincount(self.which, a, minlength=self.X.shape[0])
