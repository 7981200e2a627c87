"""What a correct implementation of the steps obeys, judged without looking inside.

A judge takes an implementation: a function of the arguments of `run_estimator`, that
returns θ after each epoch and the epochs' objectives. The estimator must satisfy every
judge (test_invariants.py), and every mutant of the twin must fail one (test_mutants.py).
"""

import warnings
from itertools import product

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import huber
from sklearn.linear_model import SGDRegressor
from twin import twin
from twin_rules import LOSSES

from sgdreg import SGDLinearRegressor, TrajectoryRecorder, optimizers


def optimizer_of(rule):
    """The optimizer of a rule of the twin, or of the golden file: the same names."""
    classes = {
        "sgd": "SGD",
        "momentum": "Momentum",
        "nesterov": "Nesterov",
        "adagrad": "AdaGrad",
        "rmsprop": "RMSprop",
        "adam": "Adam",
    }
    parameters = {name: value for name, value in rule.items() if name != "kind"}
    return getattr(optimizers, classes[rule["kind"]])(**parameters)


def run_estimator(
    X,
    y,
    *,
    eta,
    epochs,
    batch_size,
    sample_weight=None,
    alpha=0.0,
    momentum=0.0,
    nesterov=False,
    rule=None,
    penalty="l2",
    fit_intercept=True,
    average=None,
    shuffle=False,
    seed=0,
    start=None,
    **settings,
):
    """SGDLinearRegressor's trajectory: θ (k, d + 1) after each epoch, and objectives.

    `rule` as in twin_rules.py; None: what `momentum` and `nesterov` say. `settings` are
    parameters of the estimator.
    """
    if rule is None:
        rule = {"kind": "sgd"}
        if momentum:
            rule = {"kind": "nesterov" if nesterov else "momentum", "momentum": momentum}
    model = SGDLinearRegressor(
        penalty=penalty if alpha else None,
        alpha=alpha or 1e-4,
        optimizer=optimizer_of(rule),
        learning_rate=eta,
        batch_size=batch_size,
        fit_intercept=fit_intercept,
        average=average or False,
        shuffle=shuffle,
        tol=None,
        max_iter=epochs,
        random_state=seed,
        **settings,
    )
    init = {}
    if start is not None:
        flat = np.ndim(y) == 1
        init["coef_init"] = start[0, :-1] if flat else start[:, :-1]
        init["intercept_init"] = start[0, -1] if flat else start[:, -1]
    path = TrajectoryRecorder()  # its models are those of fits of so many epochs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a judge may stop before convergence
        model.set_callbacks(path).fit(X, y, sample_weight, **init)
    models = [*zip(path.coefs_, path.intercepts_, strict=True)][1:-1]
    models.append((model.coef_, model.intercept_))
    thetas = [np.column_stack([np.atleast_2d(w), np.atleast_1d(b)]) for w, b in models]
    assert len(thetas) == epochs
    return thetas, np.array(model.loss_curve_)


def run_twin(X, y, *, seed=0, mutation=None, **settings):
    """The twin, with the estimator's generator."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    return twin(X, y, rng=rng, mutation=mutation, **settings)


LOSS_NAMES = tuple(LOSSES)


# -------------------------------------------------------------------------- judges


def closed_form(run, problem, epochs=5, share=0.7):
    """Full batch, constant step: θ_K = θ* + (I - ηH)^K (θ_0 - θ*), at every epoch.

    Where H is singular, the recurrence that this sums up: θ <- θ - η (Hθ - c).
    """
    eta = share * problem.largest_step
    thetas, losses = run(
        problem.X,
        problem.y,
        eta=lambda t: eta,
        epochs=epochs,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=problem.alpha,
        fit_intercept=problem.fit_intercept,
    )
    H, best = problem.hessian, problem.optimum()
    values, Q = np.linalg.eigh(H)
    start = np.zeros_like(best)
    for K, theta in enumerate(thetas, start=1):
        decayed = (Q * (1 - eta * values) ** K) @ Q.T
        expected = best + (start - best) @ decayed
        scale = 1 + np.abs(best).max()
        assert_allclose(theta, expected, rtol=0, atol=1e-11 * scale)
    at = [start, *thetas[:-1]]
    expected = [problem.objective(th[:, :-1], th[:, -1]) for th in at]
    assert_allclose(losses, expected, rtol=1e-10, atol=1e-10 * max(expected))


def equal_to_sgd_regressor(run, problem, average=None):
    """batch_size=1, the given order: SGDRegressor's trajectory, step for step."""
    X, y = problem.X, problem.targets[:, 0]
    eta0 = 0.5 / (1 + np.max(np.sum(problem.design**2, axis=1) * problem.weights))
    thetas, _ = run(
        X,
        y,
        eta=lambda t: eta0 / t**0.25,
        epochs=3,
        batch_size=1,
        sample_weight=problem.weights,
        alpha=problem.alpha,
        fit_intercept=problem.fit_intercept,
        average=average,
    )
    peer = SGDRegressor(
        penalty="l2" if problem.alpha else None,
        alpha=problem.alpha,
        eta0=eta0,
        fit_intercept=problem.fit_intercept,
        shuffle=False,
        tol=None,
        average=average or False,
    )
    for e, theta in enumerate(thetas, start=1):
        peer.set_params(max_iter=e).fit(X, y, sample_weight=problem.weights)
        expected = np.r_[peer.coef_, peer.intercept_][None]
        assert_allclose(theta, expected, rtol=1e-10, atol=1e-11)


def batches_compose(run, problem, batch_size):
    """An epoch of mini-batches is one full-batch step on each of them in turn."""
    X, y = problem.X, problem.y
    eta = 0.3 / np.max(np.sum(problem.design**2, axis=1))
    common = {"eta": lambda t: eta, "alpha": problem.alpha}
    common["fit_intercept"] = problem.fit_intercept
    (theta,), _ = run(X, y, epochs=1, batch_size=batch_size, **common)
    expected = np.zeros_like(theta)
    for first in range(0, len(X), batch_size):
        B = slice(first, first + batch_size)
        (expected,), _ = run(
            X[B], y[B], epochs=1, batch_size=len(X[B]), start=expected, **common
        )
    assert_allclose(theta, expected, rtol=1e-11, atol=1e-12)


def momentum_recurrence(run, problem, nesterov):
    """Full batch, decaying steps: the product of the companion matrices of (θ, v)."""
    mu, eta0 = 0.8, 0.3 * problem.largest_step
    thetas, _ = run(
        problem.X,
        problem.y,
        eta=lambda t: eta0 / t,
        epochs=4,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=problem.alpha,
        momentum=mu,
        nesterov=nesterov,
        fit_intercept=problem.fit_intercept,
    )
    H, best = problem.hessian, problem.optimum().T
    m, eye = len(H), np.eye(len(H))
    error, velocity = -best, np.zeros_like(best)
    state = np.vstack([error, velocity])
    for t, theta in enumerate(thetas, start=1):
        eta = eta0 / t
        lower = np.hstack([H, mu * eye])  # v' = Hε + μv
        if nesterov:  # ε' = ε - η (Hε + μ v')
            upper = np.hstack([eye - eta * H, 0 * eye]) - eta * mu * lower
        else:  # ε' = ε - η v'
            upper = np.hstack([eye, 0 * eye]) - eta * lower
        state = np.vstack([upper, lower]) @ state
        assert_allclose(theta.T, best + state[:m], rtol=1e-9, atol=1e-10)


def zero_weight_is_removed(run, problem, batch_size):
    """A weight of zero is the row left out, bit for bit."""
    n = len(problem.X)
    weights = problem.weights.copy()
    weights[:: max(2, n // 3)] = 0.0
    if not weights.any():
        return
    kept = weights > 0
    eta = 0.3 / np.max(np.sum(problem.design**2, axis=1) * weights / weights[kept].mean())
    common = {"eta": lambda t: eta / t**0.5, "epochs": 2, "batch_size": batch_size}
    common.update(shuffle=True, fit_intercept=problem.fit_intercept)
    a, la = run(problem.X, problem.y, sample_weight=weights, **common)
    b, lb = run(problem.X[kept], problem.y[kept], sample_weight=weights[kept], **common)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(la, lb)


def shuffles_every_epoch(run, seed):
    """Each epoch has an order of its own: neither the given one nor the first epoch's.

    On rows of widely different sizes, where every order leads elsewhere.
    """
    rng = np.random.default_rng(7)
    X = rng.standard_normal((23, 2))
    y = X @ [1.0, -2.0] + rng.standard_normal(23)
    common = {"eta": lambda t: 0.05, "batch_size": 2, "seed": seed}
    (first, second), _ = run(X, y, epochs=2, shuffle=True, **common)
    (given,), _ = run(X, y, epochs=1, shuffle=False, **common)
    (again,), _ = run(X, y, epochs=1, shuffle=True, start=first, **common)
    assert np.abs(first - given).max() > 1e-6
    assert np.abs(second - again).max() > 1e-6


# ------------------------------------------------ judges of other rules and objectives

# What the judges look at each kind of rule with. An epsilon that shows.
RULES = (
    {"kind": "sgd"},
    {"kind": "momentum", "momentum": 0.7},
    {"kind": "nesterov", "momentum": 0.7},
    {"kind": "adagrad", "epsilon": 0.05, "initial": 0.0},
    {"kind": "adagrad", "epsilon": 0.05, "initial": 0.3},
    {"kind": "rmsprop", "rho": 0.8, "momentum": 0.0, "epsilon": 0.05},
    {"kind": "rmsprop", "rho": 0.8, "momentum": 0.6, "epsilon": 0.05},
    {"kind": "adam", "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.05, "weight_decay": 0.0},
    {"kind": "adam", "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.05, "weight_decay": 0.3},
)


def constant_gradient(run, problem, rule):
    """Absolute error, targets far above: g never changes, and θ is a sum in closed form."""
    mu = rule.get("momentum", 0.0)
    eta, T = 0.01, 6
    A = problem.design * problem.weights[:, None]
    g = -A.mean(axis=0)
    thetas, _ = run(
        problem.X,
        problem.targets[:, 0] + 1e3,
        eta=lambda t: eta / t,
        epochs=T,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        loss="absolute_error",
        rule=rule,
        fit_intercept=problem.fit_intercept,
    )
    t = np.arange(1, T + 1)[:, None]
    if rule["kind"] == "adagrad":
        u = g / (np.sqrt(rule["initial"] + t * g**2) + rule["epsilon"])
    elif rule["kind"] == "rmsprop":
        u = g / (np.abs(g) * np.sqrt(1 - rule["rho"] ** t) + rule["epsilon"])
    elif rule["kind"] == "adam":
        u = g / (np.abs(g) + rule["epsilon"]) + 0 * t
    else:
        u = g + 0 * t
    if rule["kind"] in ("momentum", "rmsprop"):  # v_t = Σ mu^(t - i) u_i
        u = np.tril(mu ** np.abs(t - t.T)) @ u
    elif rule["kind"] == "nesterov":
        u = u + mu * np.tril(mu ** np.abs(t - t.T)) @ u
    # A step decays what the steps before it have made; the intercept does not decay.
    kept = (
        1 - eta / t * rule.get("weight_decay", 0.0) * np.r_[np.ones(problem.X.shape[1]), 0]
    )
    for n, theta in enumerate(thetas, start=1):
        later = [np.prod(kept[i + 1 : n], axis=0) for i in range(n)]
        expected = -np.sum(eta / t[:n] * u[:n] * later, axis=0)
        assert_allclose(theta[0], expected, rtol=1e-10, atol=1e-13)


def textbook_loss(loss, y, p, epsilon, quantile):
    """The loss as its own literature writes it: another source than the twin's."""
    over, under = np.maximum(p - y, 0), np.maximum(y - p, 0)
    return {
        "squared_error": 0.5 * (y - p) ** 2,
        "huber": huber(epsilon, y - p),
        "absolute_error": over + under,
        "quantile": quantile * under + (1 - quantile) * over,
        "epsilon_insensitive": np.maximum(0, over + under - epsilon),
        "squared_epsilon_insensitive": np.maximum(0, over + under - epsilon) ** 2,
    }[loss]


def slope_of_the_objective(run, problem, loss, epsilon=0.4, quantile=0.2, seed=0):
    """One full-batch step is along finite differences of F, which is what is recorded."""
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((problem.k, problem.X.shape[1] + 1))
    start[:, -1] *= problem.fit_intercept
    eta, h = 1e-3, 1e-6

    def objective(theta):
        p = problem.X @ theta[:, :-1].T + theta[:, -1]
        losses = textbook_loss(loss, problem.targets, p, epsilon, quantile)
        total = np.mean(problem.weights[:, None] * losses, axis=0).sum()
        return total + 0.5 * problem.alpha * np.sum(theta[:, :-1] ** 2)

    (theta,), (value,) = run(
        problem.X,
        problem.y,
        eta=lambda t: eta,
        epochs=1,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=problem.alpha,
        loss=loss,
        epsilon=epsilon,
        quantile=quantile,
        fit_intercept=problem.fit_intercept,
        start=start,
    )
    assert_allclose(value, objective(start), rtol=1e-12)
    for at in np.ndindex(start.shape):
        unit = np.zeros_like(start)
        unit[at] = h * (at[1] < problem.X.shape[1] or problem.fit_intercept)
        slope = (objective(start + unit) - objective(start - unit)) / (2 * h)
        assert_allclose((start - theta)[at] / eta, slope, rtol=1e-6, atol=1e-8)


def sparse_optimum(problem, l1, l2, positive=False):
    """θ* of l1 ‖w‖₁ + l2 ½‖w‖²: of all patterns of signs, the one that is optimal."""
    d, m = problem.X.shape[1], problem.X.shape[1] + problem.fit_intercept
    H = problem.hessian[:m, :m].copy()
    # `problem.alpha` is in the Hessian already; what is asked for takes its place.
    H[range(d), range(d)] += l2 - problem.alpha
    thetas = np.zeros((problem.k, d + 1))
    for theta, slope in zip(thetas, problem.slope.T, strict=True):
        for pattern in product((0, 1) if positive else (0, 1, -1), repeat=d):
            signs = np.array([*pattern, 1.0][:m])
            pull = l1 * signs * (np.arange(m) < d)
            on = signs != 0
            w = np.zeros(m)
            w[on] = np.linalg.solve(H[np.ix_(on, on)], (slope[:m] - pull)[on])
            down = slope[:m] - H @ w
            free = (np.arange(m) < d) & ~on
            allowed = down[free] <= l1 if positive else np.abs(down[free]) <= l1
            if np.all(w[:d] * signs[:d] >= 0) and np.all(allowed):
                theta[:m] = w
                break
        else:
            raise AssertionError("no pattern of signs is optimal")
    return thetas


def optimum_stays(run, problem, rule, l1, l2=0.0, positive=False):
    """Full batch, from the optimum of a penalty with kinks: no rule leaves it."""
    best = sparse_optimum(problem, l1, l2, positive)
    alpha = l1 + l2
    thetas, _ = run(
        problem.X,
        problem.y,
        eta=lambda t: 0.02 / t**0.25,
        epochs=5,
        batch_size=len(problem.X),
        sample_weight=problem.sample_weight,
        alpha=alpha,
        penalty="elasticnet" if alpha else None,
        l1_ratio=l1 / alpha if alpha else 0.15,
        positive=positive,
        rule=rule | ({"weight_decay": 0.0} if "weight_decay" in rule else {}),
        fit_intercept=problem.fit_intercept,
        start=best,
    )
    for theta in thetas:
        assert_allclose(theta, best, rtol=0, atol=1e-11 * (1 + np.abs(best).max()))


def draws_follow_the_weights(run, seed):
    """Drawn with replacement, rows take part in proportion to their weights.

    The targets are 0 and 1; without features and with steps of 1 / t the intercept is
    the mean of the targets drawn: of 20 times 2,000 it is that of the weights.
    """
    n = 2000
    rng = np.random.default_rng(1)
    X, y = np.zeros((n, 1)), (np.arange(n) < n // 2).astype(float)
    weights = np.where(y == 1, 3.0, 1.0) * rng.uniform(0.5, 1.5, n)
    *_, theta = run(
        X,
        y,
        eta=lambda t: 1 / t,
        epochs=20,
        batch_size=n // 4,
        sample_weight=weights,
        shuffle="replacement",
        seed=seed,
    )[0]
    expected = np.average(y, weights=weights)
    assert abs(theta[0, -1] - expected) < 5 * np.sqrt(0.25 / (20 * n))
    (again,), _ = run(
        X[:3],
        np.array([0.0, 1.0, 5.0]),
        eta=lambda t: 1.0,
        epochs=1,
        batch_size=1,
        sample_weight=weights[:3],
        shuffle="replacement",
        seed=seed,
    )
    assert np.abs(again[0, -1] - np.array([0.0, 1.0, 5.0])).min() < 1e-12
