"""The minimum of a quadratic with l1, l2 and bounds: its conditions, and its sweeps."""

import numpy as np
import pytest

from sgdreg._kernels.coordinates import sweep
from sgdreg._solvers.newton.minimum import least_slope, minimum


def slow_sweep(H, q, u, l1, l2, bounded, slack, enough, calm, most):
    """The same as the kernel, by its words; the gradient is taken anew each time."""
    anchor, slope, bends = u.copy(), q.copy(), H
    fallen, quiet, full, active = 0.0, 0, True, None
    for done in range(1, most + 1):
        fall, signs = 0.0, np.sign(u)
        for j in range(len(u)) if full else active:
            slope_j = slope[j] + bends[j] @ (u - anchor)
            bend, before = bends[j, j] + l2[j], u[j]
            z = bends[j, j] * before - slope_j
            low = 0.0 if bounded[j] else z + l1[j]
            now = max(z - l1[j], 0.0) + min(low, 0.0)
            if before == 0 and abs(slope_j) <= l1[j] + slack:
                now = 0.0
            elif bend > 0:
                now /= bend
            else:
                now = 0.0 if l1[j] and abs(slope_j) <= l1[j] else before
            u[j] = now
            fall += (now - before) ** 2 * bend
        fallen += fall
        quiet = quiet + 1 if (np.sign(u) == signs).all() else 0
        ended = fall <= enough * fallen or quiet >= calm
        if full and ended:
            return done
        if full:  # those that are not zero, in single precision
            full, active = False, np.flatnonzero(u)
            slope, anchor = slope + H @ (u - anchor), u.copy()
            bends = H.astype(np.float32).astype(float)
        elif ended:
            full, slope, anchor, bends = True, slope + H @ (u - anchor), u.copy(), H
    return most


def scratch(d):
    return np.empty(d, dtype=np.intp), np.empty(d * (d + 5) // 2)


def quadratics(count, seed=0):
    """Quadratics of all kinds: rows fewer than columns, copies, constants, correlations."""
    rng = np.random.default_rng(seed)
    for case in range(count):
        d, s = int(rng.integers(1, 25)), int(rng.integers(1, 50))
        X = rng.standard_normal((s, d))
        along = rng.choice([0.0, 0.9, 0.999])
        for j in range(1, d):
            X[:, j] = along * X[:, j - 1] + np.sqrt(1 - along**2) * X[:, j]
        if case % 3 == 0 and d > 2:
            X[:, 1] = X[:, -1] = X[:, 0]
        if case % 5 == 0 and d > 3:
            X[:, 2] = 0.0
        y = X @ rng.standard_normal(d) + rng.standard_normal(s)
        H, g = X.T @ X / s, -X.T @ y / s
        at = np.where(rng.random(d) < 0.5, rng.standard_normal(d), 0.0)
        top = np.abs(g).max()
        l1 = top * rng.choice([0.3, 0.1, 0.001]) * np.ones(d)
        if case % 4 == 0:
            l1[0] = 0.0
        l2 = rng.choice([0.0, 0.1]) * np.ones(d)
        positive = case % 7 < 3
        at = np.abs(at) if positive else at
        yield H, g + H @ at, at, l1, l2, positive, top, min(s, d)


def value(H, g, at, l1, l2, u):
    p = u - at
    return g @ p + 0.5 * p @ H @ p + l1 @ np.abs(u) + 0.5 * l2 @ u**2


def test_optimum():
    for H, g, at, l1, l2, positive, top, rank in quadratics(400):
        u, promise = minimum(H, g, at, l1, l2, positive)
        slope = least_slope(g + H @ (u - at) + l2 * u, u, l1, positive)
        assert np.abs(slope).max() <= 1e-10 * top
        assert not positive or (u >= 0).all()
        fall = value(H, g, at, l1, l2, at) - value(H, g, at, l1, l2, u)
        assert promise == pytest.approx(fall, rel=1e-9, abs=1e-10 * top)
        if (l1 > 0).all() and not l2.any():  # the columns of all that is not zero
            assert np.count_nonzero(u) <= rank


def test_intercept_of_any_sign():
    rng = np.random.default_rng(0)
    Z = np.column_stack([rng.standard_normal((50, 3)), np.ones(50)])
    y = Z @ [1.0, -1.0, 2.0, -5.0]
    H, g, none = Z.T @ Z / 50, -Z.T @ y / 50, np.zeros(4)
    u, _ = minimum(H, g, none, none, none, np.array([True, True, True, False]))
    assert u[1] == 0
    assert u[0] > 0
    assert u[3] < -4


def test_least_slope():
    slope = np.array([2.0, -2.0, 0.5, -0.5, 3.0, -3.0])
    u = np.array([0.0, 0.0, 0.0, 0.0, 1.0, -1.0])
    np.testing.assert_allclose(least_slope(slope, u, 1.0), [1, -1, 0, 0, 4, -4])
    np.testing.assert_allclose(
        least_slope(slope, np.abs(u), 1.0, True), [0, -1, 0, 0, 4, -2]
    )


@pytest.mark.parametrize("most", [1, 2, 7, 40])
def test_sweeps_are_those_in_numpy(most):
    rng = np.random.default_rng(2)
    for H, g, at, l1, l2, positive, _, _ in quadratics(60, seed=1):
        bounded = np.full(len(at), positive, dtype=np.uint8)
        u, v, q = at.copy(), at.copy(), g.copy()
        numbers = (l1, l2, bounded, 1e-12, 1e-6, int(rng.integers(2, 9)), most)
        done = sweep(H, q, u, *numbers, *scratch(len(u)))
        assert done == slow_sweep(H, g, v, *numbers)
        np.testing.assert_allclose(u, v, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(q, g + H @ (u - at), rtol=1e-8, atol=1e-10)


def test_sizes_that_differ():
    one, two, bounded = np.ones(1), np.ones(2), np.zeros(2, dtype=np.uint8)
    with pytest.raises(ValueError, match="not of one size"):
        sweep(np.eye(2), two, two, one, two, bounded, 0.0, 0.0, 1, 1, *scratch(2))
