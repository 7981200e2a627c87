"""The problem of a seed, and problems that are simpler than another."""

from dataclasses import replace

import numpy as np

from every_problem.paths import PATHS
from every_problem.problem import (
    FORMS,
    LOSSES,
    PENALTIES,
    TARGETS,
    TRAITS,
    WEIGHTS,
    Problem,
)


def draw(seed, largest=20_000, path=None):
    """The problem of a seed, with at most so many rows."""
    rng = np.random.default_rng([seed, 13])

    def one(choices, p=None):
        return choices[rng.choice(len(choices), p=p)]

    form = one(FORMS[:4], [0.5, 0.15, 0.2, 0.15])
    path = path or one(("plain", *list(PATHS)[1:]), [0.4, 0.2, *[0.08] * 5])
    d = int(np.exp(rng.uniform(np.log(1), np.log(31))))
    kind = one(("fewer", "near", "many", "more"), [0.15, 0.2, 0.35, 0.3])
    n = {"fewer": d // 2, "near": d + rng.integers(3), "many": 20 * d, "more": 200 * d}[
        kind
    ]
    if form == "one-hot":
        d = int(one((20, 30, 60) if largest < 1000 else (20, 60, 150, 300, 600)))
        n = int(one((d, 4 * d, 10 * d)))
    if path == "sampled" or (largest >= 20_000 and kind == "more" and form != "one-hot"):
        n = max(n, int(one((1000, 3000, 20_000), [0.4, 0.5, 0.1])))
    n = int(np.clip(n, 3, largest))
    columns = tuple(t for t in TRAITS if rng.random() < 0.18)
    columns += ("sorted",) * (rng.random() < 0.15)
    problem = Problem(
        seed,
        n,
        d,
        loss=one(LOSSES, [0.25, 0.15, 0.15, 0.15, 0.15, 0.15]),
        penalty=one(PENALTIES, [0.35, 0.2, 0.25, 0.2]),
        alpha=float(10.0 ** rng.uniform(-6, 0.3)),
        l1_ratio=float(round(rng.uniform(0.05, 1.0), 2)),
        epsilon=float(10.0 ** rng.uniform(-2, 0.5)),
        quantile=float(one((0.5, 0.9, 0.05, 0.99, rng.uniform(0.01, 0.99)))),
        positive=bool(rng.random() < 0.25),
        intercept=bool(rng.random() < 0.8),
        form=form,
        columns=() if form == "one-hot" else columns,
        target=one(TARGETS),
        weights=one(WEIGHTS, [0.5, 0.2, 0.15, 0.15]),
        outputs=int(one((1, 2), [0.85, 0.15])),
        path=path,
    )
    return rare(problem, np.random.default_rng([seed, 13, 1]))


def rare(problem, rng):
    """A problem with, in some cases, a part at the edge of its range."""
    p = problem
    if p.form == "CSR" and rng.random() < 0.3:
        p = replace(p, form="CSR float32")
    if p.form == "one-hot" or rng.random() > 0.35:
        return p
    edges = [
        {"columns": (*p.columns, "far")},
        {"columns": (*p.columns, "repeated")},
        {"n": max(p.d, 3)},
        {"outputs": 3},
        {"alpha": 1e-10},
        {"l1_ratio": float(rng.choice([1e-3, 0.999]))},
        {"epsilon": float(rng.choice([1e-7, 30.0]))},
        {"quantile": float(rng.choice([1e-3, 0.999]))},
        {"positive": True, "weights": "zeros"},
    ]
    return replace(p, **edges[rng.choice(len(edges))])


def simpler(problem):
    """Problems with one part simpler, the most telling first."""
    p = problem
    for n in (p.n // 8, p.n // 2, p.n * 3 // 4):
        yield replace(p, n=max(n, 3))
    for d in (p.d // 4, p.d // 2, p.d - 1):
        yield replace(p, d=max(d, 1))
    for trait in p.columns:
        yield replace(p, columns=tuple(t for t in p.columns if t != trait))
    plain = {"outputs": 1, "weights": None, "form": "dense", "positive": False}
    plain |= {"penalty": None, "intercept": True, "target": "normal", "path": "plain"}
    plain |= {"alpha": 0.1, "epsilon": 0.5, "quantile": 0.5, "l1_ratio": 0.5}
    for name, value in plain.items():
        yield replace(p, **{name: value})
