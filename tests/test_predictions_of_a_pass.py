"""The predictions that a pass over the rows writes down beside losses and gradients."""

import numpy as np
import pytest
from scipy import sparse

from sgdreg._data.dataset import Data
from sgdreg._data.threads import ALONE
from sgdreg.losses import get_loss

N, D, K = 3000, 12, 2


def matrix(kind, rng):
    """Rows of one of the formats that kernels take."""
    X = rng.normal(size=(N, D)) + 5
    if kind == "csr":
        return sparse.csr_array(np.where(rng.random((N, D)) < 0.3, X, 0.0))
    return X.astype(kind)


@pytest.mark.parametrize("kind", ["float64", "float32", "csr"])
@pytest.mark.parametrize("name", ["squared_error", "huber", "quantile"])
@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_are_written_and_nothing_else_changes(kind, name, weighted):
    rng = np.random.default_rng(0)
    X, y = matrix(kind, rng), rng.normal(size=(N, K))
    weights = rng.integers(0, 3, N).astype(float) if weighted else None
    loss = get_loss(name, epsilon=0.3, quantile=0.2)
    data = Data.build(X, y, weights, loss=loss, team=ALONE)
    at, centre = rng.normal(size=(K, D + 1)), rng.normal(size=D)
    written = np.full((K, data.n_rows), np.nan)
    with_them, without = data.evaluate(at, centre, written), data.evaluate(at, centre)
    for one, other in zip(with_them, without, strict=True):
        np.testing.assert_array_equal(one, other)
    dense = X.toarray() if kind == "csr" else X
    taking_part = slice(None) if weights is None else weights > 0
    expected = (dense[taking_part] - centre) @ at[:, :-1].T + at[:, -1]
    np.testing.assert_allclose(written, expected.T, rtol=1e-9, atol=1e-9)


def test_an_array_of_another_shape_is_refused():
    data = Data.build(np.ones((N, D)), np.ones((N, 1)), loss=get_loss("huber"), team=ALONE)
    with pytest.raises(ValueError, match="of shape"):
        data.evaluate(np.zeros((1, D + 1)), None, np.empty((1, N - 1)))
