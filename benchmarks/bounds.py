"""Penalties and losses that least squares do not know, beside the fastest peers.

    python -m benchmarks.bounds [--quick] [--only l1 positive huber quantile]

Whole default fits, seconds of the best of some alternating runs in one process; each with
what its objective is above the lowest that any of them found, as a share of what there is
to explain. Peers run with the tolerance that they need to come within 1e-6 of it. A floor
is what peer / ours has to reach; a limit is the most plain least-squares fits (ours, of
the same table) that a fit may take. --quick leaves out tables of more than 1e7 numbers and
peers that take minutes.
"""

import argparse
import warnings
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    QuantileRegressor,
)

from benchmarks._timing import best_of, side_by_side
from benchmarks._words import met
from benchmarks.tables import few_rows, steepest, table
from sgdreg import SGDLinearRegressor, losses, optimizers

# Numbers of a table that --quick leaves out, and of a linear program that takes minutes.
QUICK, LARGEST_LP = 1.1e7, 2000 * 20
# A peer is counted where its objective is within this of the best.
THERE = 1e-6
TOL = 1e-8
# Floors of many columns: of each penalty, and of the geometric mean over them.
LEAST, MEAN, MEAN_OF_FACTORS = 0.5, 1.0, 5.0


@dataclass(frozen=True)
class Case:
    """A fit of ours, its peers, and what has to be reached.

    Attributes
    ----------
    group, name : str
    make : callable
        () -> (X, y).
    size : float
        Numbers of the table.
    ours : callable
        (X, y) -> settings of SGDLinearRegressor.
    peers : callable
        (settings, n) -> {name: estimator}.
    floor, limit : float or None
    """

    group: str
    name: str
    make: object
    size: float
    ours: object
    peers: object
    floor: float | None = None
    limit: float | None = None
    repeats: int = 3
    slow: bool = False


# ---------------------------------------------------------------------------- peers


def l1_peers(settings, n):
    """Lasso's and ElasticNet's: dense and sparse."""
    alpha = settings["alpha"]
    if settings["penalty"] == "elasticnet":
        made = {
            "ElasticNet": partial(ElasticNet, alpha, l1_ratio=settings["l1_ratio"]),
        }
        packages = {"celer": "ElasticNet", "skglm": "ElasticNet"}
        known = {"l1_ratio": settings["l1_ratio"]}
    else:
        made = {"Lasso": partial(Lasso, alpha)}
        packages, known = {"celer": "Lasso", "skglm": "Lasso"}, {}
    found = {}
    for name, kind in made.items():
        found[name] = kind(tol=TOL, max_iter=100_000)
        found[name + " precompute"] = kind(tol=TOL, max_iter=100_000, precompute=True)
    for package, kind in packages.items():
        if find_spec(package):
            module = __import__(package)
            peer = getattr(module, kind)(alpha, tol=TOL, max_iter=1000, **known)
            found[package] = peer
    return found


def positive_peers(settings, n):
    """scikit-learn's non-negative least squares."""
    return {"LinearRegression(positive)": LinearRegression(positive=True)}


def huber_peers(settings, n):
    """scikit-learn's, which finds a scale as well."""
    return {"HuberRegressor": HuberRegressor(alpha=0.0, tol=1e-7, max_iter=1000)}


def quantile_peers(settings, n):
    """scikit-learn's linear program."""
    quantile = settings.get("quantile", 0.5)
    return {"QuantileRegressor": QuantileRegressor(quantile=quantile, alpha=0.0)}


def interior_point(settings, n):
    """Our interior point over all rows, which "auto" took before."""
    method = optimizers.InteriorPoint()
    return {"interior point, all rows": SGDLinearRegressor(**settings, optimizer=method)}


# ---------------------------------------------------------------------------- cases


def l1(share, X, y, ratio=None):
    """An l1 penalty of a share of that which leaves nothing."""
    alpha = steepest(X, y) * share
    if ratio:
        return {"penalty": "elasticnet", "alpha": alpha / ratio, "l1_ratio": ratio}
    return {"penalty": "l1", "alpha": alpha}


def l1_cases():
    """The penalties, by the shape of the table."""
    floors = {
        (200_000, 50): {"normal": 1.1, "correlated": 2.0, "raw scales": None},
        (1_000_000, 100): {"normal": 2.0, "correlated": 4.0},
        (20_000, 50): {"normal": 1.0, "correlated": 1.0, "factors": 1.0},
    }
    for (n, d), kinds in floors.items():
        for kind, floor in kinds.items():
            for over in (10, 1000):
                yield Case(
                    "l1", f"{n} × {d} {kind}, l1 top/{over}", partial(table, n, d, kind),
                    n * d, partial(l1, 1 / over), l1_peers, floor,
                )  # fmt: skip
            yield Case(
                "l1", f"{n} × {d} {kind}, elastic net", partial(table, n, d, kind),
                n * d, partial(l1, 0.01, ratio=0.5), l1_peers, floor,
            )  # fmt: skip
    for n, d in ((2000, 500), (5000, 2000)):
        for kind in ("normal", "correlated", "factors"):
            for over in (2, 10, 100, 1000):
                yield Case(
                    "l1", f"{n} × {d} {kind}, l1 top/{over}", partial(table, n, d, kind),
                    n * d, partial(l1, 1 / over), l1_peers, LEAST,
                )  # fmt: skip
    for n, d, is_sparse in ((500, 20_000, False), (20_000, 200_000, True)):
        for over in (5, 20, 100):
            what = "CSR" if is_sparse else "dense"
            make = partial(few_rows, n, d, is_sparse)
            yield Case(
                "l1", f"{what} {n} × {d}, l1 top/{over}", make,
                n * d * (1e-3 if is_sparse else 1), partial(l1, 1 / over), l1_peers, LEAST,
            )  # fmt: skip


def positive_cases():
    """Non-negative least squares."""
    floors = {(20_000, 50): 1.0, (200_000, 50): 2.0, (1_000_000, 100): 2.0}
    for (n, d), floor in floors.items():
        for kind in ("normal", "correlated"):
            yield Case(
                "positive", f"{n} × {d} {kind}, positive", partial(table, n, d, kind),
                n * d, lambda X, y: {"positive": True}, positive_peers, floor,
            )  # fmt: skip


def huber_cases():
    """Huber's loss: by the kind of the rows."""
    limits = {(20_000, 50): None, (200_000, 50): 4.0, (1_000_000, 100): 6.0}
    for (n, d), limit in limits.items():
        for kind in ("normal", "raw scales", "heavy tails", "leverage"):
            floor = 40.0 if (n, kind) == (200_000, "normal") else None
            yield Case(
                "huber", f"{n} × {d} {kind}", partial(table, n, d, kind, "t(2)"), n * d,
                lambda X, y: {"loss": "huber", "epsilon": 0.7},
                huber_peers if n < 1_000_000 and kind == "normal" else lambda *_: {},
                floor, limit if kind in ("normal", "raw scales") else None,
            )  # fmt: skip


HARD = [
    ("normal", "integers"),
    ("normal", "70 % zeros"),
    ("normal", "Cauchy"),
    ("normal", "outliers"),
    ("normal", "counts"),
    ("normal", "0/1"),
    ("integers", "integers"),
    ("rare columns", "t(2)"),
    ("near copies", "t(2)"),
    ("raw scales", "t(2)"),
    ("heavy tails", "t(2)"),
    ("leverage", "t(2)"),
    ("normal", "none"),
]


def quantile_cases():
    """Kinks: easy tables with a limit in plain fits, hard ones beside all rows at once."""

    def quantile(q, X, y):
        return {"loss": "quantile", "quantile": q}

    for n, d, limit in ((2000, 20, None), (20_000, 50, None), (200_000, 50, 6.0)):
        for q in (0.5, 0.9, 0.999):
            yield Case(
                "quantile", f"{n} × {d} normal, quantile {q}",
                partial(table, n, d, "normal", "t(2)"), n * d, partial(quantile, q),
                quantile_peers if n * d <= LARGEST_LP else interior_point,
                15.0 if n == 200_000 else None, limit,
            )  # fmt: skip
    yield Case(
        "quantile", "1000000 × 100 normal, quantile 0.9",
        partial(table, 1_000_000, 100, "normal", "t(2)"), 1e8, partial(quantile, 0.9),
        lambda *_: {}, None, 15.0,
    )  # fmt: skip
    for kind, noise in HARD:
        for name, settings in (
            ("quantile 0.9", partial(quantile, 0.9)),
            ("absolute", partial(quantile, 0.5)),
            ("ε-insensitive", lambda X, y: {"loss": "epsilon_insensitive", "epsilon": 0.3}),
        ):
            yield Case(
                "quantile", f"200000 × 50 {kind}, {noise}, {name}",
                partial(table, 200_000, 50, kind, noise), 1e7, settings, interior_point,
                1 / 1.2, slow=True, repeats=1,
            )  # fmt: skip
    yield Case(
        "quantile", "4000 × 1990 normal, absolute error",
        partial(table, 4000, 1990, "normal", "t(2)"), 8e6, partial(quantile, 0.5),
        lambda *_: {}, slow=True, repeats=1,
    )  # fmt: skip


# -------------------------------------------------------------------------- a table


def objective(settings, model, X, y):
    """F of a fitted model, by our settings."""
    ours = SGDLinearRegressor(**settings)
    loss = losses.get_loss(ours.loss, epsilon=ours.epsilon, quantile=ours.quantile)
    coef, alpha = model.coef_, settings.get("alpha", 0.0)
    ratio = {"l1": 1.0, "elasticnet": ours.l1_ratio}.get(settings.get("penalty"), 0.0)
    penalty = alpha * ratio * np.abs(coef).sum() + 0.5 * alpha * (1 - ratio) * coef @ coef
    predictions = X @ coef + model.intercept_
    return float(loss.value(y, predictions).mean() + penalty)


def unit_of(settings, y):
    """What there is to explain: the loss of about the best constant."""
    ours = SGDLinearRegressor(**settings)
    loss = losses.get_loss(ours.loss, epsilon=ours.epsilon, quantile=ours.quantile)
    level = y.mean() if ours.loss == "squared_error" else np.quantile(y, ours.quantile)
    return float(loss.value(y, np.full(len(y), level)).mean())


def run(case):
    """Measure one case; returns peer / ours, or None where there is no peer."""
    X, y = case.make()
    settings = case.ours(X, y)
    ours, plain = SGDLinearRegressor(**settings), SGDLinearRegressor()
    peers = case.peers(settings, len(y))
    quick = {} if case.slow or case.group in ("huber", "quantile") else peers
    fits = [partial(ours.fit, X, y), *(partial(peer.fit, X, y) for peer in quick.values())]
    if case.limit:
        fits.append(partial(plain.fit, X, y))
    for fit in fits[1:]:
        fit()  # compiled, or warmed up
    times = side_by_side(fits, case.repeats)
    seconds = dict(zip(quick, times[1:], strict=False))
    for name, peer in peers.items():
        if name not in seconds:
            seconds[name] = best_of(partial(peer.fit, X, y), 1)
    models, settings_now = {"": ours, **peers}, settings
    if case.group == "huber" and peers:  # the scale that the peer has found
        settings_now = settings | {"epsilon": 1.35 * peers["HuberRegressor"].scale_}
        models[""] = SGDLinearRegressor(**settings_now).fit(X, y)
    values = {name: objective(settings_now, model, X, y) for name, model in models.items()}
    unit = unit_of(settings, y)
    above = {name: (value - min(values.values())) / unit for name, value in values.items()}
    there = [name for name in peers if above[name] <= THERE or case.group == "huber"]
    words = [f"{times[0]:.4f} s", f"above {above['']:.0e}"]
    if ours.history_:
        words.append(f"gap {ours.history_[-1].get('optimality_gap', np.nan):.0e}")
        words.append(f"passes {ours.history_[-1]['passes']:.1f}")
    if not ours.converged_:
        words.append("NOT CONVERGED")
    ratio = None
    if there:
        best = min(there, key=seconds.get)
        ratio = seconds[best] / times[0]
        words.append(f"{best} {seconds[best]:.4f} s (above {above[best]:.0e}): {ratio:.2f}")
        if case.floor:
            words[-1] += f" (floor {case.floor:.3g}) {met(ratio, case.floor)}"
    if case.limit:
        share = times[0] / times[-1]
        words.append(f"{share:.1f} plain fits (limit {case.limit:g}) ")
        words[-1] += met(share, limit=case.limit)
    print(f"{case.name:<46}", ", ".join(words), flush=True)
    return ratio


GROUPS = {
    "l1": l1_cases,
    "positive": positive_cases,
    "huber": huber_cases,
    "quantile": quantile_cases,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--like", default="", help="only cases whose name holds this")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for group in options.only:
        print(f"\n{group}")
        families = {}
        for case in GROUPS[group]():
            if options.like not in case.name:
                continue
            if options.quick and (case.size > QUICK or case.slow):
                print(f"{case.name:<46} not run (--quick)")
                continue
            ratio = run(case)
            if ratio and case.floor == LEAST:
                family = case.name.split(",")[0]
                families.setdefault(family, []).append(ratio)
        for family, ratios in families.items():
            mean, floor = float(np.exp(np.mean(np.log(ratios)))), MEAN
            if "factors" in family:
                floor = MEAN_OF_FACTORS
            if len(ratios) > 1:
                print(f"geometric mean {family}: {mean:.2f} (floor {floor:g})", end=" ")
                print(met(mean, floor))


if __name__ == "__main__":
    main()
