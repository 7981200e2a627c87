"""The defaults are least squares: on raw features, to the digits that there are.

Problems are drawn with singular values, scales and offsets as raw data have them; an exact
reference says how far the fitted model is from the optimum.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from problems import BOOLEANS, Drawn
from reference import Reference, designs, excess_by_gram, raw_problems, seeds
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sgdreg import SGDLinearRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
often = settings(max_examples=5 * settings.default.max_examples)
mild = raw_problems(
    rows=120,
    digits=3.0,
    offsets=(0.0, 1e2),
    penalised=st.just(False),
    dtypes=st.just(np.float64),
    csr=st.just(False),
)


def estimator(problem, **parameters):
    return SGDLinearRegressor(
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha or 1e-4,
        fit_intercept=problem.fit_intercept,
        random_state=0,
        **parameters,
    )


def judge(model, reference, tol=1e-8):
    """Within tol of the optimum; the gap tells the truth; no worse than a constant."""
    lost = reference.excess(model.coef_, model.intercept_)
    rounding = reference.rounding(model.coef_, model.intercept_)
    gap = model.history_[-1]["optimality_gap"]
    assert model.converged_ or rounding.max() > 0.1 * tol
    if model.converged_:
        assert np.all(lost <= tol + rounding)
        assert gap <= tol
    assert np.all(gap >= 0.3 * lost - rounding)
    assert np.all(lost <= (1 + 1e-9) * reference.excess_of_constant() + rounding)


@often
@quiet  # where offsets make rounding errors larger than tol
@given(raw_problems(), st.sampled_from((1e-8, 1e-8, 1e-14)))
def test_the_optimum_and_an_honest_gap(problem, tol):
    model = estimator(problem, tol=tol)
    model.fit(problem.X, problem.y, problem.sample_weight)
    judge(model, Reference(**vars(problem)), tol)


@often
@quiet
@given(raw_problems(dtypes=st.just(np.float64)))
def test_the_coefficients_of_the_optimum(problem):
    """Where X determines them to 1e-6: a change of X by rounding moves them by less.

    tol is a share of R², of which a direction κ times weaker than others hardly has any:
    1e-14 leaves errors of κ·1e-7. So the fit goes on to the limit of arithmetic. Of
    several optima it is the shortest, in the scaled features.
    """
    model = estimator(problem, tol=0.0)
    model.fit(problem.X, problem.y, problem.sample_weight)
    reference = Reference(**vars(problem))
    assume(len(reference.svd[0]))
    w, error, outside = reference.coefficients(model.coef_, model.intercept_)
    size = np.linalg.norm(w, axis=1)
    change = reference.perturbation(model.coef_, model.intercept_)
    known = (size > 0) & (10 * change <= 1e-6)
    assert np.all(np.linalg.norm(error, axis=1)[known] <= 1e-6 * size[known])
    if not problem.alpha:
        assert np.all(np.linalg.norm(outside, axis=1)[known] <= 1e-6 * size[known])


@pytest.mark.filterwarnings("ignore:Stopped .* at the limit of float32")  # it is
@given(raw_problems(csr=st.just(False), penalised=st.just(True), offsets=(0.0, 1.0)))
def test_a_penalty_on_features_of_every_size(problem):
    """alpha may dwarf the one column's spread and be dwarfed by the next one's."""
    X, sizes = problem.X, np.logspace(-12, 12, problem.X.shape[1])
    X = X / np.maximum(np.abs(X).max(axis=0), 1e-30) * sizes
    problem.X = X.astype(problem.X.dtype)
    model = estimator(problem).fit(problem.X, problem.y, problem.sample_weight)
    judge(model, Reference(**vars(problem)))


# ------------------------------------------------------------------ designs like NIST's


@quiet
@pytest.mark.parametrize(("name", "X", "y", "digits"), designs())
def test_designs_like_those_of_nist(name, X, y, digits):
    reference = Reference(X, y)
    judge(SGDLinearRegressor().fit(X, y), reference)
    model = SGDLinearRegressor(tol=0.0).fit(X, y)
    w, error, _ = reference.coefficients(model.coef_, model.intercept_)
    assert np.all(np.abs(error) <= 10.0**-digits * np.abs(w))
    if name == "Wampler1":
        assert_allclose(model.coef_, 1, rtol=1e-9)
    if name == "Wampler2":
        assert_allclose(model.coef_, 10.0 ** -np.arange(1, 6), rtol=1e-9)


# ------------------------------------------------------------------------ odd columns


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
@pytest.mark.parametrize("size", [1e6, 1e12])
def test_a_huge_column_beside_a_tiny_one(size, alpha):
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((50, 3)) @ [[1, 0.9, 0], [0, 0.1, 0], [0, 0, 1]] + [3, -5, 0]
    y = Z.sum(axis=1) + rng.standard_normal(50)
    problem = Drawn(Z * [size, 1 / size, 1.0], y, None, alpha, True)
    judge(estimator(problem).fit(problem.X, y), Reference(**vars(problem)))


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e12, 1e-12])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_constant_column_changes_nothing(value, dtype):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((90, 4)).astype(dtype)
    y = X.sum(axis=1) + rng.standard_normal(90)
    more = np.insert(X, 2, dtype(value), axis=1)
    a, b = (SGDLinearRegressor(tol=1e-14).fit(A, y) for A in (X, more))
    assert b.coef_[2] == 0
    assert_allclose(b.predict(more), a.predict(X), atol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e6])
@pytest.mark.parametrize("by", [1.0, 1e-3, -1e9])
@pytest.mark.parametrize("row", [0, 299])
def test_a_column_constant_but_for_one_row(value, by, row):
    """The row is fitted exactly, and the others as if it were not there."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((300, 4))
    X[:, 1] = value
    X[row, 1] += by
    y = X[:, 0] + rng.standard_normal(300)
    model = SGDLinearRegressor(tol=1e-10).fit(X, y)
    judge(model, Reference(X, y), 1e-10)
    assert_allclose(model.predict(X)[row], y[row], atol=1e-5)
    rest, X_rest = np.arange(300) != row, np.delete(X, 1, axis=1)
    without = SGDLinearRegressor(tol=1e-10).fit(X_rest[rest], y[rest])
    assert_allclose(model.predict(X[rest]), without.predict(X_rest[rest]), atol=1e-5)


def test_targets_without_any_variance():
    X = np.random.default_rng(4).standard_normal((20, 3)) + 100
    for y in (np.zeros(20), np.full(20, 0.1), np.full((20, 2), -1e9)):
        model = SGDLinearRegressor().fit(X, y)
        assert model.converged_
        assert_allclose(model.predict(X), y, rtol=1e-12, atol=0)


# -------------------------------------------------------------------------- many rows


KINDS = ("plain", "weights", "outputs", "ridge", "float32", "CSR", "wide CSR", "CSR twins")


def many_rows(kind):
    """X, y, weights and alpha of a problem worth sampling, or of many features."""
    rng, alphas = (
        np.random.default_rng(5),
        {"ridge": 0.1, "wide CSR": 1e-3, "CSR twins": 1e-7},
    )
    alpha, noise = alphas.get(kind, 0.0), 0.2 if kind == "CSR twins" else 1.0
    n, d = (20_000, 3000) if kind in ("wide CSR", "CSR twins") else (60_000, 60)
    if "CSR" in kind:
        columns = d // 2 if kind == "CSR twins" else d
        at = np.repeat(np.arange(n), 10), rng.integers(0, columns, 10 * n)
        values = rng.standard_normal(10 * n)
        X = sparse.csr_array((values, at), shape=(n, columns))
        if kind == "CSR twins":  # each column has another one that is nearly the same
            values += 1e-3 * rng.standard_normal(10 * n)
            twins = sparse.csr_array((values, at), shape=X.shape)
            X = sparse.csr_array(sparse.hstack([X, twins]))  # SciPy 1.10: of a matrix
    else:
        offset = 10.0 if kind == "float32" else 1e4
        X = (rng.standard_normal((n, d)) + offset) * np.logspace(-4, 4, d)
    y = X @ (rng.standard_normal((d, 2)) / np.abs(X).mean(axis=0)[:, None])
    y = y / y.std(axis=0) + noise * rng.standard_normal((n, 2))
    y = y if kind == "outputs" else y[:, 0]
    X = X.astype(np.float32) if kind == "float32" else X
    weights = rng.integers(0, 5, n).astype(float) if kind == "weights" else None
    return X, y, weights, alpha


@pytest.mark.parametrize("kind", KINDS)
def test_many_rows(kind):
    """The optimum, an honest gap, and the same bits with any number of threads."""
    X, y, weights, alpha = many_rows(kind)
    problem = Drawn(X, y, weights, alpha, True)
    model, *others = (estimator(problem, n_jobs=n).fit(X, y, weights) for n in (None, 1, 2))
    assert model.converged_
    lost, gap = excess_by_gram(model, X, y, weights, alpha), model.history_[-1]
    rounding = 1e-9 if kind == "float32" else 1e-14
    assert np.all(lost <= 1e-8 + rounding)
    assert np.all(gap["optimality_gap"] >= 0.3 * lost - rounding)
    for other in others:
        assert_array_equal(other.coef_, model.coef_)
        assert_array_equal(other.intercept_, model.intercept_)
        assert other.loss_curve_ == model.loss_curve_


def test_max_iter_and_what_is_left():
    X, y, *_ = many_rows("plain")
    model = SGDLinearRegressor(max_iter=1, tol=1e-25, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter.*optimality gap is") as caught:
        model.fit(X, y)
    assert f"{model.history_[-1]['optimality_gap']:.1e}" in str(caught[0].message)
    assert not model.converged_
    assert excess_by_gram(model, X, y).max() < 1


@given(mild)
def test_held_out_rows_choose_a_sane_model(problem):
    assume(problem.sample_weight is None and len(problem.X) >= 20)
    X, y = problem.X, problem.y
    model = estimator(problem, early_stopping=True).fit(X, y)
    reference = Reference(**vars(problem))
    lost = reference.excess(model.coef_, model.intercept_)
    assert np.isfinite(lost).all()
    if problem.fit_intercept and len(X) >= 10 * X.shape[1]:
        assert np.all(lost <= 0.5 + reference.excess_of_constant())
    model.set_params(early_stopping=False)
    model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    best = max(model.validation_scores_)
    assert model.validation_scores_[model.best_iteration_ - 1] == best
    assert_allclose(model.score(X[1::2], y[1::2]), best, rtol=1e-8, atol=1e-8)


# ---------------------------------------------------------------------------- streams


@settings(max_examples=2 * settings.default.max_examples)  # of some dozens of chunks each
@given(raw_problems(rows=150), BOOLEANS, seeds)
def test_a_stream_is_least_squares_of_the_rows_seen(problem, sort, seed):
    """Whatever the chunks; sorted by y, the first ones are all alike."""
    rng = np.random.default_rng(seed)
    X, y, s = problem.X, problem.y, problem.sample_weight
    s = None if s is None else np.maximum(s, 0.5)
    order = np.argsort(problem.targets[:, 0]) if sort else np.arange(len(y))
    X, y = X[order], y[order]
    model = estimator(problem)
    ends = np.cumsum(rng.integers(1, 51 if rng.random() < 0.7 else 2, len(y)))
    ends = [*ends[ends < len(y)], len(y)]
    looks = {len(y), *rng.choice(ends, 3)}
    for start, end in zip([0, *ends], ends, strict=False):
        now = slice(start, end)
        model.partial_fit(X[now], y[now], None if s is None else s[now])
        assert np.isfinite(model.coef_).all()
        if end in looks:
            seen = None if s is None else s[:end]
            reference = Reference(
                X[:end], y[:end], seen, problem.alpha, problem.fit_intercept
            )
            lost = reference.excess(model.coef_, model.intercept_)
            rounding = reference.rounding(model.coef_, model.intercept_)
            assert np.all(lost <= reference.excess_of_constant() + 1e-6 + rounding)
    assert np.all(lost <= 1e-8 + rounding)


@pytest.mark.parametrize("copies", [1, 7])
def test_a_stream_that_begins_with_equal_rows(copies):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((60, 5)) * [1e-9, 1, 1e3, 1e9, 1] + [1, 1, 1e6, 0, 0]
    y = X @ [1e9, 1, 1e-3, 1e-9, 0] + rng.standard_normal(60)
    model = SGDLinearRegressor()
    model.partial_fit(np.repeat(X[:1], copies, axis=0), np.arange(copies))
    assert_allclose(model.predict(X[:1]), (copies - 1) / 2)
    for i in range(60):
        model.partial_fit(X[i : i + 1], y[i : i + 1])
    X, y = np.vstack([np.repeat(X[:1], copies, axis=0), X]), np.r_[np.arange(copies), y]
    reference = Reference(X, y)
    assert reference.excess(model.coef_, model.intercept_).max() <= 1e-8


@pytest.mark.parametrize(("chunk", "share"), [(200, 0.02), (50, 1.0), (1, 1.0)])
def test_a_stream_of_many_features_is_no_worse_than_a_constant(chunk, share):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((4 * chunk + 20, 2500))
    X = sparse.csr_array(X * (rng.random(X.shape) < share)) if share < 1 else X + 5
    y = X @ rng.standard_normal(2500)
    model = SGDLinearRegressor()
    for start in range(0, len(y), chunk):
        model.partial_fit(X[start : start + chunk], y[start : start + chunk])
        if start:
            end = start + chunk
            # One row a chunk: the answer of a diagonal only, a little worse at first.
            assert model.score(X[:end], y[:end]) >= (-0.1 if chunk == 1 else -1e-6)


# ----------------------------------------------------------------------- metamorphoses


@given(mild, seeds, st.sampled_from((1e-8, -1.0, 1e8)))
def test_what_leaves_the_predictions(problem, seed, c):
    """Columns rescaled, shifted or doubled; y rescaled; rows permuted."""
    rng, X, y, s = np.random.default_rng(seed), problem.X, problem.y, problem.sample_weight
    model, reference = estimator(problem, tol=1e-14), Reference(**vars(problem))
    expected = model.fit(X, y, s).predict(X)
    rows, d = rng.permutation(len(y)), X.shape[1]
    scaled = X * 10 ** rng.uniform(-6, 6, d)
    shift = rng.uniform(-1e2, 1e2, d) * np.ptp(scaled, axis=0) * problem.fit_intercept
    for same in (
        model.fit(scaled + shift, y, s).predict(scaled + shift),
        model.fit(np.hstack([X, X]), y, s).predict(np.hstack([X, X])),
        model.fit(X, c * y, s).predict(X) / c,
        model.fit(X[rows], y[rows], None if s is None else s[rows]).predict(X),
    ):
        off = (same - expected).reshape(len(y), -1)[slice(None) if s is None else s > 0]
        off = np.sqrt(reference.share @ off**2)
        assert np.all(off <= 1e-6 * np.sqrt(reference.variance) + 1e-12 * np.abs(y).max())
