"""Learning-rate schedules: their numbers, their purity, and whole fits by them."""

import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from sgdreg import SGDLinearRegressor, schedules
from sgdreg.schedules import (
    Adaptive,
    Constant,
    Cosine,
    Exponential,
    InvScaling,
    OneCycle,
    Optimal,
    Piecewise,
    Polynomial,
    StepDecay,
    WarmUp,
    get_schedule,
    step_sizes,
)

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def words(value):
    """A test's name: without addresses, which differ between processes."""
    return re.sub(r" at 0x\w+", "", repr(value))


def one_by_one(t):
    """A function of one number: it cannot take an array."""
    return 0.05 if t < 3 else 0.02


# --------------------------------------------------------------------------- numbers

# What PyTorch 2.13's schedulers set on an SGD of lr=1.0 before each of the first steps
# (StepLR(o, 3, 0.5), ExponentialLR(o, 0.9), MultiStepLR(o, [2, 4], 0.1), PolynomialLR(o, 4,
# 2.0), CosineAnnealingLR(o, 4, 0.1), CosineAnnealingWarmRestarts(o, 3, 2, 0.1) and of
# (o, 3, 1, 0.1), OneCycleLR(o, 1.0, total_steps=10), OneCycleLR(o, 2.0, total_steps=8,
# pct_start=0.4, div_factor=10, final_div_factor=100), SequentialLR(o, [LinearLR(o, 0.25,
# 1.0, 3), CosineAnnealingLR(o, 4)], [3])), rounded to 15 digits.
TORCH = [
    (StepDecay(1.0, 0.5, 3), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]),
    (Exponential(1.0, 0.9), [1.0, 0.9, 0.81, 0.729, 0.6561]),
    (Piecewise([2, 4], [1.0, 0.1, 0.01]), [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]),
    (Polynomial(1.0, 4, 2.0), [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0, 0.0]),
    (Cosine(1.0, 4, 0.1), [1.0, 0.868198051533946, 0.55, 0.231801948466054, 0.1]),
    (
        Cosine(1.0, 3, 0.1, restarts=True, growth=2),
        [
            1.0,
            0.775,
            0.325,
            1.0,
            0.939711431702997,
            0.775,
            0.55,
            0.325,
            0.160288568297003,
            1.0,
        ],
    ),
    (
        Cosine(1.0, 3, 0.1, restarts=True),
        [1.0, 0.775, 0.325, 1.0, 0.775, 0.325, 1.0],
    ),
    (
        OneCycle(1.0, 10),
        [
            0.04,
            0.52,
            1.0,
            0.950484632013474,
            0.811745653949763,
            0.611262021936289,
            0.388741978063711,
            0.188258346050237,
            0.049519367986526,
            4e-06,
        ],
    ),
    (
        OneCycle(2.0, 8, rise=0.4, start_divisor=10, last_divisor=100),
        [
            0.2,
            0.971916645554043,
            1.963543676253047,
            1.866159378380655,
            1.383300748932725,
            0.742439773942582,
            0.208440013049056,
            0.002,
        ],
    ),
    (
        WarmUp(Cosine(1.0, 4), 3),
        [0.25, 0.5, 0.75, 1.0, 0.853553390593274, 0.5, 0.146446609406726],
    ),
]


@pytest.mark.parametrize(("schedule", "values"), TORCH, ids=words)
def test_the_numbers_are_those_of_pytorch(schedule, values):
    assert_allclose(schedule(np.arange(1, len(values) + 1)), values, rtol=0, atol=2e-15)


@pytest.mark.parametrize(
    ("schedule", "t", "values"),
    [
        (
            StepDecay(0.7, 0.1, 5),
            [1, 5, 6, 10, 11, 10**7],
            [0.7, 0.7, 0.07, 0.07, 0.007, 0],
        ),
        (StepDecay(0.7, 1), [1, 10**7], [0.7, 0.7]),
        (Exponential(0.7, 0.5, every=10), [1, 11, 21, 10**7], [0.7, 0.35, 0.175, 0]),
        (Piecewise([1, 2], [3, 2, 0]), [1, 2, 3, 10**7], [3, 2, 0, 0]),
        (Piecewise([], [0.3]), [1, 10**7], [0.3, 0.3]),
        (Polynomial(0.7, 10, last=0.2), [1, 6, 10, 11, 12], [0.7, 0.45, 0.25, 0.2, 0.2]),
        (Polynomial(0.1, 2, last=0.3), [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.3]),  # may rise
        (Cosine(0.7, 10, 0.1), [1, 6, 11, 12, 10**7], [0.7, 0.4, 0.1, 0.1, 0.1]),
        (Cosine(0.7, 1), [1, 2, 3], [0.7, 0, 0]),
        (Cosine(0.7, 1, restarts=True), [1, 2, 3], [0.7, 0.7, 0.7]),
        (OneCycle(1.0, 10, rise=0), [1, 10, 11], [1.0, 4e-6, 4e-6]),
        (OneCycle(1.0, 1, rise=0.9), [1, 2], [4e-6, 4e-6]),
        (OneCycle(1.0, 3, 0.1), [1, 2, 3], [1.0, 0.500002, 4e-6]),  # too few to rise
        (OneCycle(1.0, 4, 0.5, 2, 4), [1, 2, 3, 4, 5], [0.5, 1, 0.5625, 0.125, 0.125]),
        (WarmUp(0.6, 2), [1, 2, 3, 10**7], [0.2, 0.4, 0.6, 0.6]),
        (WarmUp(0.6, 2, start=0.3), [1, 2, 3, 4], [0.4, 0.5, 0.6, 0.6]),
        (WarmUp(0.1, 2, start=0.4), [1, 2, 3, 4], [0.3, 0.2, 0.1, 0.1]),  # may fall
        (WarmUp(one_by_one, 4), [1, 4, 5, 6, 7, 8], [0.01, 0.04, 0.05, 0.05, 0.02, 0.02]),
        (WarmUp(WarmUp(0.6, 2), 1), [1, 2, 3, 4, 5], [0.1, 0.2, 0.4, 0.6, 0.6]),
    ],
    ids=words,
)
def test_the_edges(schedule, t, values):
    assert_allclose(schedule(t), values, rtol=1e-15, atol=1e-16)


def test_the_ends_are_met_exactly():
    """Not to rounding: a last step size of 0 must not come out as -1e-17."""
    for eta0, last in ((0.1, 0.0), (0.3, 0.1), (1 / 3, 1e-9), (7.1, 0.7)):
        for schedule in (Polynomial(eta0, 7, 0.9, last), Cosine(eta0, 7, last)):
            assert_array_equal(schedule([1, 8, 9, 10**7]), [eta0, last, last, last])
        assert OneCycle(eta0, 10)(3) == eta0
        assert WarmUp(eta0, 7, last)(8) == eta0


def test_a_restart_comes_neither_early_nor_late():
    """Where a logarithm rounds: 5³ = 125, but log(125) / log(5) is above 3."""
    for steps, growth in ((1, 5), (3, 2), (7, 3), (10, 10)):
        ends = np.cumsum(steps * float(growth) ** np.arange(8))
        cosine = Cosine(1.0, steps, restarts=True, growth=growth)
        assert_array_equal(cosine(ends + 1), np.ones(8))  # a first step
        last = (1 + np.cos(np.pi * (1 - 1 / (steps * float(growth) ** np.arange(8))))) / 2
        assert_allclose(cosine(ends), last, rtol=1e-9, atol=1e-16)


# ------------------------------------------------------------------------ properties

sizes = st.floats(1e-6, 1e3)
lasts = st.sampled_from([0.0]) | st.floats(0.0, 1e3)
lengths = st.integers(1, 10**6)
shares = st.floats(0.01, 1.0)


def piecewise(stages):
    ends = sorted({end for end, _ in stages})
    return Piecewise(ends, [*[value for _, value in stages][: len(ends)], 0.25])


plain = st.one_of(
    st.builds(Constant, sizes),
    st.builds(InvScaling, sizes, st.floats(0, 2)),
    st.builds(Optimal, st.floats(1e-9, 10)),
    st.builds(Adaptive, sizes),
    st.builds(StepDecay, sizes, shares, lengths),
    st.builds(Exponential, sizes, shares, lengths),
    st.builds(piecewise, st.lists(st.tuples(lengths, lasts), max_size=5)),
    st.builds(Polynomial, sizes, lengths, st.floats(0.1, 5), lasts),
    st.builds(Cosine, sizes, lengths, lasts),
    st.builds(
        Cosine, sizes, lengths, lasts, restarts=st.just(True), growth=st.integers(1, 9)
    ),
    st.builds(
        OneCycle, sizes, lengths, st.floats(0, 0.99), st.floats(1, 99), st.floats(1, 1e6)
    ),
)
warm = st.builds(WarmUp, plain | sizes, lengths, lasts)
step_numbers = st.lists(st.integers(1, 10**7), min_size=1, max_size=30)


@given(schedule=plain | warm, numbers=step_numbers)
def test_finite_not_negative_and_pure(schedule, numbers):
    """The same t, the same eta, whatever is asked beside it, in which order and form."""
    t = np.array(numbers, dtype=np.float64)
    eta = step_sizes(schedule, t)  # raises where one is negative or not finite
    assert eta.shape == t.shape
    assert_array_equal(schedule(t), eta)
    assert_array_equal(schedule(t[::-1]), eta[::-1])
    assert_array_equal([float(schedule(i)) for i in numbers], eta)
    assert_array_equal(schedule(numbers), eta)
    assert_array_equal(schedule(t.reshape(1, -1)), eta.reshape(1, -1))
    assert_array_equal(clone(schedule)(t), eta)
    assert_array_equal(pickle.loads(pickle.dumps(schedule))(t), eta)
    assert_array_equal(t, numbers)
    assert schedule(t[:0]).shape == (0,)


@given(eta0=sizes, last=lasts, steps=st.integers(1, 10**4), numbers=step_numbers)
def test_cosine_restarts_are_periodic(eta0, last, steps, numbers):
    t = np.array(numbers)
    cosine = Cosine(eta0, steps, last, restarts=True)
    assert_array_equal(cosine(t), cosine(t + steps))
    first = Cosine(eta0, steps, last)  # the first period is the cosine without restarts
    assert_allclose(cosine(t), first((t - 1) % steps + 1), rtol=1e-12)


@given(
    eta0=sizes, steps=st.integers(1, 50), growth=st.integers(2, 5), at=st.integers(1, 10**6)
)
def test_a_later_cycle_is_the_first_one_stretched(eta0, steps, growth, at):
    cosine = Cosine(eta0, steps, restarts=True, growth=growth)
    # Cycle i + 1 begins `steps` after growth times where cycle i does.
    assert_allclose(cosine(steps + growth * (at - 1) + 1), cosine(at), rtol=1e-9)


@given(eta0=sizes, steps=lengths, power=st.floats(0.1, 5), share=st.floats(0, 1))
def test_annealing_falls_from_eta0_to_last(eta0, steps, power, share):
    last = share * eta0
    t = np.unique(np.linspace(1, steps + 2, 200).round())
    for schedule in (Polynomial(eta0, steps, power, last), Cosine(eta0, steps, last)):
        eta = schedule(t)
        assert np.all(np.diff(eta) <= 4e-16 * eta0)
        assert (eta[0], eta[-1]) == (eta0, last)


@given(largest=sizes, steps=st.integers(2, 10**5), rise=st.floats(0, 0.99))
def test_one_cycle_rises_then_falls(largest, steps, rise):
    t = np.unique([*np.linspace(1, steps, 300).round(), steps + 1])
    eta = OneCycle(largest, steps, rise)(t)
    change = np.diff(eta)
    rounding = 4e-16 * largest
    assert np.all(change[t[1:] <= rise * steps] >= -rounding)
    assert np.all(change[t[:-1] >= rise * steps] <= rounding)
    assert eta.max() <= largest * (1 + 1e-15)
    assert_allclose(eta[-2:], largest / 25e4, rtol=1e-9)


@given(schedule=plain, steps=st.integers(1, 10**4), share=st.floats(0, 1))
def test_warm_up_rises_to_the_start_of_what_it_wraps(schedule, steps, share):
    first = float(schedule(1))
    warm_up = WarmUp(schedule, steps, start=share * first)
    t = np.unique(np.linspace(1, steps + 1, 200).round())
    eta = warm_up(t)
    assert np.all(np.diff(eta) >= -4e-16 * first)
    assert eta[0] >= share * first * (1 - 1e-15)
    assert eta[0] > 0 or first == 0  # a step of size 0 would be one for nothing
    assert eta[-1] == first
    later = np.arange(1.0, 50.0)
    assert_array_equal(warm_up(steps + later), schedule(later))


# ---------------------------------------------------------------------- parameters


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in TORCH], ids=words)
def test_clone_and_parameters(schedule):
    parameters = schedule.get_params(deep=False)
    twin = clone(schedule)
    assert twin is not schedule
    assert type(twin) is type(schedule)
    assert repr(twin.get_params(deep=False)) == repr(parameters)
    for name, value in parameters.items():  # stored as given
        assert getattr(type(schedule)(**parameters), name) is value


def test_nested_parameters():
    model = SGDLinearRegressor(learning_rate=WarmUp(Cosine(0.1, 20), 5))
    twin = clone(model)
    assert twin.get_params()["learning_rate__schedule__eta0"] == 0.1
    assert twin.get_params()["learning_rate__steps"] == 5
    twin.set_params(learning_rate__schedule__eta0=0.3, learning_rate__steps=2)
    assert twin.learning_rate(3) == 0.3
    assert model.learning_rate(6) == 0.1  # the original is as it was
    twin.set_params(learning_rate__schedule=0.7)
    assert twin.learning_rate(3) == 0.7


@quiet
def test_a_search_reaches_inside_a_warm_up():
    X, y = data(40)
    model = textbook(learning_rate=WarmUp(Cosine(1e-6, 30), 5), batch_size=4)
    grid = {"learning_rate__schedule__eta0": [1e-6, 0.05], "learning_rate__steps": [1, 9]}
    search = GridSearchCV(model.set_params(max_iter=4), grid, cv=3).fit(X, y)
    assert search.best_params_["learning_rate__schedule__eta0"] == 0.05
    assert model.learning_rate.schedule.eta0 == 1e-6


POSITIVE = "must be a positive finite number, got"
COUNT = "must be a whole number of at least 1, got"
NOT_NEGATIVE = "must be a finite number that is not negative, got"
RATIO = r"must be a number in \(0, 1\], got"


@pytest.mark.parametrize(
    ("schedule", "match"),
    [
        (StepDecay(0), f"eta0 of StepDecay {POSITIVE} 0"),
        (StepDecay(0.1, 1.5), f"factor of StepDecay {RATIO} 1.5"),
        (StepDecay(0.1, 0), f"factor of StepDecay {RATIO} 0"),
        (StepDecay(0.1, every=0), f"every of StepDecay {COUNT} 0"),
        (StepDecay(0.1, every=2.5), f"every of StepDecay {COUNT} 2.5"),
        (Exponential(np.nan, 0.9), f"eta0 of Exponential {POSITIVE} nan"),
        (Exponential(0.1, 1.01), f"decay of Exponential {RATIO} 1.01"),
        (Exponential(0.1, "slow"), f"decay of Exponential {RATIO} 'slow'"),
        (Exponential(0.1, 0.9, 0), f"every of Exponential {COUNT} 0"),
        (Piecewise([3, 3], [1, 2, 3]), r"boundaries of Piecewise .* from 1 on, got \[3, 3"),
        (Piecewise([0], [1, 2]), r"boundaries of Piecewise must be .*, got \[0\]"),
        (Piecewise(5, [1, 2]), "boundaries of Piecewise must be a list .*, got 5"),
        (Piecewise([5], ["a", 1]), r"values of Piecewise must be a list .*\['a', 1\]"),
        (Piecewise([5], [1, -1]), r"values of Piecewise .* not negative, got \[1, -1\]"),
        (Piecewise([5], [1, np.nan]), r"values of Piecewise .* not negative, got \[1, nan"),
        (Piecewise([5], [1]), r"values of .* of 2 numbers, one more than boundaries, got"),
        (Polynomial("fast", 10), f"eta0 of Polynomial {POSITIVE} 'fast'"),
        (Polynomial(0.1, 1e3), f"steps of Polynomial {COUNT} 1000.0"),
        (Polynomial(0.1, 10, 0), f"power of Polynomial {POSITIVE} 0"),
        (Polynomial(0.1, 10, 1, -0.1), f"last of Polynomial {NOT_NEGATIVE} -0.1"),
        (Cosine(-0.1, 10), f"eta0 of Cosine {POSITIVE} -0.1"),
        (Cosine(0.1, 0), f"steps of Cosine {COUNT} 0"),
        (Cosine(0.1, True), f"steps of Cosine {COUNT} True"),
        (Cosine(0.1, 10, np.inf), f"last of Cosine {NOT_NEGATIVE} inf"),
        (Cosine(0.1, 10, True), f"last of Cosine {NOT_NEGATIVE} True"),
        (Cosine(0.1, 10, 0, 2), "restarts of Cosine must be True or False, got 2"),
        (Cosine(0.1, 10, 0, True, 1.5), f"growth of Cosine {COUNT} 1.5"),
        (
            Cosine(0.1, 10, growth=2),
            "growth of Cosine must be 1 without restarts=True, got",
        ),
        (OneCycle(0, 10), f"largest of OneCycle {POSITIVE} 0"),
        (OneCycle(1, None), f"steps of OneCycle {COUNT} None"),
        (OneCycle(1, 10, 1.0), r"rise of OneCycle must be a number in \[0, 1\), got 1.0"),
        (OneCycle(1, 10, -0.1), r"rise of OneCycle must be a number in \[0, 1\), got -0.1"),
        (OneCycle(1, 10, 0.3, 0.5), "start_divisor of OneCycle .* at least 1, got 0.5"),
        (OneCycle(1, 10, 0.3, 25, 0), f"last_divisor of OneCycle {POSITIVE} 0"),
        (WarmUp(0.1, 0), f"steps of WarmUp {COUNT} 0"),
        (WarmUp(0.1, 10, -1), f"start of WarmUp {NOT_NEGATIVE} -1"),
        (WarmUp(-0.1, 10), f"schedule of WarmUp {POSITIVE} -0.1"),
        (WarmUp("constant", 10), "schedule of WarmUp .* object of .*, got 'constant'"),
        (
            WarmUp(None, 10),
            "schedule of WarmUp must be a number, an object of .*, got None",
        ),
        (WarmUp(Cosine(0, 9), 10), f"eta0 of Cosine {POSITIVE} 0"),
        (WarmUp(lambda t: -t, 10), "learning_rate gives at step 1 is -1.0: every one must"),
    ],
)
def test_bad_parameters_are_named(schedule, match):
    with pytest.raises(ValueError, match=match):
        schedule(np.arange(1.0, 4.0))
    with pytest.raises(ValueError, match=match):
        textbook(learning_rate=schedule, max_iter=1).fit(*data(8))


@pytest.mark.parametrize("name", ["pa1", "pa2"])
def test_passive_aggressive_steps_are_no_schedule(name):
    match = f"'{name}' is no schedule: .* own row.* SGDRegressor.learning_rate='{name}'"
    with pytest.raises(ValueError, match=match):
        get_schedule(name, eta0=0.01, power_t=0.25, alpha=1e-4)


def test_a_schedule_of_ones_own_that_compares_oddly_is_left_alone():
    class Odd(Constant):
        def __eq__(self, other):
            return False

        __hash__ = None

    odd = Odd(0.1)
    assert get_schedule(odd, eta0=1.0, power_t=0.25, alpha=1e-4) is odd


# ---------------------------------------------------------------------- whole fits


def data(n=12, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ np.arange(1.0, d + 1) + 0.5 * rng.standard_normal(n) + 2.0


def textbook(**settings):
    common = {"optimizer": "sgd", "batch_size": "full", "tol": None, "random_state": 0}
    return SGDLinearRegressor(**{**common, **settings})


def half_cosine(share):
    return (1 + math.cos(math.pi * share)) / 2


# Each with its formula, written for one step number and these parameters only.
FORMULAS = [
    (Constant(0.1), lambda t: 0.1),
    (InvScaling(0.2, 0.5), lambda t: 0.2 / math.sqrt(t)),
    (Optimal(16.0), lambda t: 1 / (16 * (1 / (16 * 0.5) + t - 1))),
    (Adaptive(0.1), lambda t: 0.1),
    (StepDecay(0.2, 0.5, 4), lambda t: [0.2, 0.1, 0.05, 0.025][(t - 1) // 4]),
    (Exponential(0.2, 0.8, 2), lambda t: 0.2 * math.exp(math.log(0.8) * (t - 1) / 2)),
    (Piecewise([3, 7], [0.2, 0.1, 0.03]), lambda t: [0.2, 0.1, 0.03][(t > 3) + (t > 7)]),
    (
        Polynomial(0.2, 8, 2, 0.01),
        lambda t: 0.01 + 0.19 * (1 - (t - 1) / 8) ** 2 if t < 9 else 0.01,
    ),
    (
        Cosine(0.2, 8, 0.01),
        lambda t: 0.01 + 0.19 * half_cosine((t - 1) / 8) if t < 9 else 0.01,
    ),
    (
        Cosine(0.2, 2, restarts=True, growth=2),
        lambda t: (
            0.2
            * half_cosine((t - 1) / 2 if t < 3 else (t - 3) / 4 if t < 7 else (t - 7) / 8)
        ),
    ),
    (
        OneCycle(0.2, 10, 0.4, 5, 10),
        lambda t: (
            0.2 - 0.16 * half_cosine((t - 1) / 3)
            if t < 4
            else 0.004 + 0.196 * half_cosine((t - 4) / 6)
            if t < 10
            else 0.004
        ),
    ),
    (WarmUp(InvScaling(0.2, 1), 3), lambda t: 0.05 * t if t <= 3 else 0.2 / (t - 3)),
    (WarmUp(one_by_one, 4), lambda t: 0.01 * t if t <= 4 else one_by_one(t - 4)),
]


def by_hand(X, y, formula, epochs, batch_size):
    """w <- w - eta(t) · mean gradient of ½ (x·w + b - y)², batches in the given order."""
    Z = np.column_stack([X, np.ones(len(X))])
    theta, t = np.zeros(Z.shape[1]), 0
    for _ in range(epochs):
        for start in range(0, len(y), batch_size):
            z, target = Z[start : start + batch_size], y[start : start + batch_size]
            t += 1
            theta = theta - formula(t) * z.T @ (z @ theta - target) / len(target)
    return theta


@quiet
@pytest.mark.parametrize(("schedule", "formula"), FORMULAS, ids=lambda v: words(v)[:30])
@pytest.mark.parametrize(("epochs", "batch_size"), [(12, 12), (3, 3), (1, 1), (2, 5)])
def test_a_fit_is_the_steps_written_out(schedule, formula, epochs, batch_size):
    X, y = data()
    model = textbook(learning_rate=schedule, max_iter=epochs, shuffle=False)
    model.set_params(batch_size="full" if batch_size == len(y) else batch_size).fit(X, y)
    theta = by_hand(X, y, formula, epochs, batch_size)
    assert_allclose([*model.coef_, model.intercept_], theta, rtol=1e-12)
    steps = -(-len(y) // batch_size) * np.arange(1, epochs + 1)
    rates = [entry["learning_rate"] for entry in model.history_]
    assert_allclose(rates, [formula(int(t)) for t in steps], rtol=1e-12, atol=1e-18)


@quiet
@pytest.mark.parametrize("schedule", [schedule for schedule, _ in FORMULAS], ids=words)
@pytest.mark.parametrize("batch_size", [5, "full"])
def test_partial_fits_compose(schedule, batch_size):
    """k calls of partial_fit are fit(max_iter=k), to the bit: t goes on counting."""
    X, y = data(13)
    model = textbook(learning_rate=schedule, batch_size=batch_size, average=False)
    whole = clone(model).set_params(max_iter=6).fit(X, y)
    parts = clone(model)
    for _ in range(6):
        parts.partial_fit(X, y)
    assert parts.t_ == whole.t_ == 6 * (1 if batch_size == "full" else 3)
    assert_array_equal(parts.coef_, whole.coef_)
    assert parts.intercept_ == whole.intercept_


# ------------------------------------------------------------------------- stalls


def test_what_reacts_to_stalls():
    adaptive = Adaptive(0.1)
    assert adaptive.reaction is adaptive
    assert WarmUp(adaptive, 5).reaction is adaptive
    assert WarmUp(WarmUp(adaptive, 5), 5).reaction is adaptive
    for schedule in (Cosine(0.1, 5), 0.1, one_by_one):
        assert WarmUp(schedule, 5).reaction is None


def test_adaptive_steps_shorten_after_a_warm_up():
    X, y = data(60)
    adaptive = Adaptive(0.2, factor=0.5, smallest=0.01)
    model = textbook(learning_rate=WarmUp(adaptive, 9), tol=1e-3, batch_size=4)
    rates = [entry["learning_rate"] for entry in model.fit(X, y).history_]
    assert model.converged_
    levels = 0.2 * 0.5 ** np.arange(6)  # the last one is the first below `smallest`
    assert_array_equal(np.unique(rates), levels[::-1])


def test_the_public_names():
    for name in schedules.__all__:
        assert issubclass(getattr(schedules, name), BaseEstimator)
        assert f"`{name}`" in schedules.__doc__
