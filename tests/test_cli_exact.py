"""R² of exact least squares, beside that of the fit: against bases that are independent."""

import numpy as np
import pytest
from command_line import as_json

from sgdreg.cli import _scores


def dependent(seed):
    """(X with columns that depend on each other, a basis of the same span, y, weights)."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 400))
    columns, basis = [], [np.ones((n, 1))]
    for _ in range(rng.integers(0, 4)):  # one-hot
        group = rng.integers(0, rng.integers(2, 8), n)
        hot = (group[:, None] == np.unique(group)).astype(float)
        columns.append(hot)
        basis.append(hot[:, 1:])
    some = rng.standard_normal((n, 1)) * 10.0 ** rng.integers(-3, 4)
    some += np.ptp(some, axis=0) * rng.choice([0, 10, 1e4, 1e6])
    whole = rng.integers(0, 50, (n, 2)).astype(float)  # whose sums have no rounding
    columns += [some, 2 * some]
    basis.append((some - some.mean(0)) / some.std(0))
    if seed % 2:
        columns += [whole, whole.sum(1, keepdims=True)]
        basis.append(whole - whole.mean(0))
    X, B = np.column_stack(columns), np.column_stack(basis)
    y = B @ rng.standard_normal(B.shape[1]) * rng.choice([0, 1]) + rng.standard_normal(n)
    weights = rng.integers(0, 4, n) * 1e-6 if seed % 3 == 0 else np.ones(n)
    return X, B, y + rng.choice([0, 1e3]), weights


def r2_of(residual, y, weights):
    mean = weights @ y / weights.sum()
    return 1 - weights @ residual**2 / (weights @ (y - mean) ** 2)


def best_r2(B, y, weights):
    root = np.sqrt(weights)
    best = np.linalg.lstsq(root[:, None] * B, root * y, rcond=None)[0]
    return r2_of(y - B @ best, y, weights)


def test_dependent_columns():
    """A cut-off below the rounding of n rows missed 12 of 300 of them by up to 1e-5."""
    for seed in range(200):
        X, B, y, weights = dependent(seed)
        residual = _scores.exact_residual(X, y, 0.0, True, weights)
        found = r2_of(residual, y, weights)
        assert found == pytest.approx(best_r2(B, y, weights), abs=1e-11), seed


@pytest.mark.parametrize("options", [[], ["--chunk-rows", "37"]])
@pytest.mark.parametrize("seed", range(4))
def test_files_with_categories(write, seed, options):
    rng = np.random.default_rng(seed)
    n = 150
    towns, kinds = rng.integers(0, 5, n), rng.integers(0, 3, n)
    x = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4) + 1e4
    y = rng.standard_normal(n) + towns
    rows = zip(towns, kinds, x.tolist(), y.tolist(), strict=True)
    text = "town,kind,x,y\n" + "".join(f"t{a},k{b},{c!r},{d!r}\n" for a, b, c, d in rows)
    found = as_json("fit", write(text), "--one-hot", *options)["scores"]
    B = np.column_stack(
        [
            np.ones(n),
            (x - x.mean()) / x.std(),
            towns[:, None] == range(1, 5),
            kinds[:, None] == range(1, 3),
        ]
    )
    best = best_r2(B, y, np.ones(n))
    assert found["r2"] == pytest.approx(best, abs=1e-9)
    if not options:
        assert found["r2_least_squares"] == pytest.approx(best, abs=1e-11)


@pytest.mark.parametrize("size", [1e-150, 1e-200, 1e-290, 1e200, 1e300])
def test_targets_whose_squares_are_no_floats(size):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 2)), rng.standard_normal(30)

    class Model:
        loss, penalty, positive, fit_intercept = "squared_error", None, False, True

        def predict(self, _):
            return size * np.full(30, y.mean())

    class Rows:
        weights = None

        def __init__(self, y):
            self.X, self.y = X, y

        def __len__(self):
            return 30

    found = _scores.scores(Model(), Rows(size * y))
    best = best_r2(np.column_stack([np.ones(30), X]), y, np.ones(30))
    assert found["r2"] == pytest.approx(0, abs=1e-12)
    assert found["r2_least_squares"] == pytest.approx(best, rel=1e-9)


def test_rows_in_blocks_are_those_at_once():
    X, B, y, weights = dependent(1)
    times = -(-(2**23) // X.nbytes)  # more than are factorised at once
    X, B, y, weights = (np.concatenate([part] * times) for part in (X, B, y, weights))
    residual = _scores.exact_residual(X, y, 0.0, True, weights)
    assert r2_of(residual, y, weights) == pytest.approx(best_r2(B, y, weights), abs=1e-11)
