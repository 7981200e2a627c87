"""Cases: scripts that a seed writes."""

from dataclasses import dataclass
from random import Random

from twin_rules import LOSSES

from fuzz.choices import (
    BAD_WEIGHTS,
    BAD_X,
    BAD_Y,
    CONTAINERS,
    HELPERS,
    INVALID,
    MALFORMED,
    OBJECTS,
    RULES,
    STEPS,
)

HEAD = """\
import copy, pickle
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sgdreg import SGDLinearRegressor, losses, optimizers, schedules
from fuzz.oracles import Interrupt, alike
"""


@dataclass(frozen=True)
class Call:
    """One statement on the model `m`.

    Attributes
    ----------
    source : str
    kind : str
        fit, partial_fit, alike (two models that are promised to be the same) or other.
    fails : str or None
        Why it has to raise; None: it need not.
    """

    source: str
    kind: str = "other"
    fails: str | None = None


@dataclass(frozen=True)
class Case:
    """Statements that make X, y, w and what X comes in (A), parameters, and calls.

    `tame` says that nothing in it gives "auto" a reason to refuse.
    """

    seed: int
    data: tuple
    parameters: dict
    calls: tuple
    tame: bool = True
    setup: tuple = ()

    def script(self):
        """All of it as a program."""
        parameters = ", ".join(f"{name}={text}" for name, text in self.parameters.items())
        calls = [
            call.source + (f"  # has to raise: {call.fails}" if call.fails else "")
            for call in self.calls
        ]
        lines = [*self.data, *self.setup, f"m = SGDLinearRegressor({parameters})", *calls]
        return HEAD + "\n".join(lines) + "\n"


def draw(seed):
    """The case of a seed."""
    return _Drawing(seed).case()


class _Drawing:
    def __init__(self, seed):
        self.seed, self.random, self.tame = seed, Random(seed), True

    def chance(self, p):
        return self.random.random() < p

    def one(self, *choices):
        return self.random.choice(choices)

    def case(self):
        data = self.rows() + self.features() + self.targets() + self.weights()
        parameters = self.parameters()
        setup, calls = self.calls(parameters)
        if self.chance(0.4):
            container = self.one(*CONTAINERS)
            helper = [text for name, text in HELPERS.items() if name in container]
            setup = [*helper, f"A = {container}", *setup]
        else:
            setup = ["A = X", *setup]
        return Case(
            self.seed, tuple(data), parameters, tuple(calls), self.tame, tuple(setup)
        )

    # ------------------------------------------------------------------- data

    def rows(self):
        few = (1, 2, 3, 5, 8, 12, 20, 20, 30, 50, 50, 100)
        self.n = self.one(*few) if self.chance(0.9) else self.one(300, 1000, 3000)
        self.d = self.one(1, 2, 3, 3, 5, 8) if self.chance(0.9) else self.one(20, 60, 200)
        if self.n * self.d > 60_000:
            self.d = 20
        bases = (
            "r.standard_normal((n, d))",
            "r.standard_normal((n, d))",
            "r.random((n, d))",
            "r.standard_t(1.5, (n, d))",
            "r.lognormal(0, 2, (n, d))",
            "r.integers(-3, 4, (n, d)).astype(float)",
            "np.eye(d)[r.integers(0, d, n)]",
            "np.sort(r.standard_normal((n, d)), axis=0)",
            "np.vander(np.linspace(0, 1, n), d)",
            "r.dirichlet(np.ones(d), n)",
        )
        y = self.one(
            "X @ r.standard_normal(d) + 0.1 * r.standard_normal(n)",
            "X @ r.standard_normal(d) + 0.1 * r.standard_normal(n)",
            "X.sum(axis=1)",
            "X @ np.arange(1, d + 1) + r.standard_t(2, n)",
            "r.standard_normal(n)",
            "np.full(n, 3.0)",
            "r.integers(0, 2, n)",
            "r.lognormal(0, 3, n)",
            "X @ r.standard_normal((d, 2)) + 0.1 * r.standard_normal((n, 2))",
        )
        self.outputs = "(d, 2)" in y
        return [
            f"r = np.random.default_rng({self.seed})",
            f"n, d = {self.n}, {self.d}",
            f"X = {self.one(*bases)}",
            f"y = {y}",
        ]

    def features(self):
        lines = []
        for p, line, tame in (
            (0.12, "X = X * 10.0 ** r.uniform(-3, 3, d)", True),
            (0.04, f"X = X * 10.0 ** r.uniform(-{self.one(8, 30)}, 8, d)", True),
            (0.02, f"X = X * 1e{self.one(-150, -60, 60, 150)}", False),
            (0.10, f"X = X + {self.one('1e2', '1e4', '1e6', '1e8', '1e10')}", True),
            (0.06, "X[:, -1] = X[:, 0]", True),
            (0.05, "X[:, -1] = 7.0", True),
            (0.03, "X[:, 0] = 0.0", True),
            (0.02, "X[:] = 1.0", True),
            (
                0.05,
                "X[:, -1] = X[:, 0] * (1 + "
                f"1e-{self.one(3, 6, 9, 12, 14)} * r.standard_normal(n))",
                True,
            ),
            (0.04, "X[0] *= 1e5", True),
            (0.04, "X[r.random(X.shape) < 0.7] = 0.0", True),
            (0.05, "i = np.argsort(X[:, 0]); X, y = X[i], y[i]", True),
        ):
            if self.chance(p):
                lines.append(line)
                self.tame &= tame
        if self.chance(0.04):
            lines += ["X = np.c_[X, 1 - X.sum(axis=1)]", "d = X.shape[1]"]
        if self.chance(0.2):
            lines.append("X = X.astype('f4')")
            if any("1e" in line or "30" in line for line in lines):
                self.tame = False
        return lines

    def targets(self):
        lines = []
        if self.chance(0.12):
            size = self.one(-300, -160, -100, -20, -6, 6, 20, 100, 150, 300)
            lines.append(f"y = y * 1e{size}")
            self.tame &= abs(size) <= 6
        if self.chance(0.06):
            lines.append(f"y = y + {self.one('1e3', '1e6', '1e9')}")
        if self.chance(0.05):
            lines.append("y = y.astype('f4')")
        return lines

    def weights(self):
        if self.chance(0.6):
            return ["w = None"]
        return [
            self.one(
                "w = r.random(n) + 0.01",
                "w = 10.0 ** r.uniform(-6, 6, n)",
                "w = r.integers(0, 3, n).astype(float); w[0] = 1",
                "w = np.where(np.arange(n) % 2, 0.0, 1.0)",
                "w = np.full(n, 1e-200)",
            )
        ]

    # ------------------------------------------------------------- parameters

    def parameters(self):
        p = {"random_state": str(self.random.randrange(100))}
        if self.chance(0.5):
            p["loss"] = repr(self.one(*LOSSES))
        if self.chance(0.3):
            p["penalty"] = repr(self.one("l2", "l1", "elasticnet"))
            if self.chance(0.5):
                p["alpha"] = self.one("0.0", "1e-300", "1e-8", "0.01", "1.0", "1e6")
            if self.chance(0.2) and "elastic" in p["penalty"]:
                p["l1_ratio"] = self.one("0.0", "0.5", "1", "1e-9")
        loss = p.get("loss", "")
        if "quantile" in loss and self.chance(0.7):
            p["quantile"] = self.one("0.9", "0.05", "0.99", "0.3")
        if ("huber" in loss or "insens" in loss) and self.chance(0.4):
            p["epsilon"] = self.one("0.0", "1.35", "1e-6", "1e6")
        self.tame &= not ("huber" in loss and p.get("epsilon") == "0.0")  # which it refuses
        for chance, name, values in (
            (0.1, "fit_intercept", ("False",)),
            (0.12, "positive", ("True",)),
            (0.1, "tol", ("None", "1e-3", "1e-12", "0.0", "1")),
            (0.07, "batch_size", ("1", "8", "'full'", "1000")),
            (0.05, "average", ("True", "False", "5", "'tail'", "0.9")),
            (0.06, "shuffle", ("False", "'blocks'", "'replacement'")),
            (0.05, "early_stopping", ("True",)),
            (0.04, "n_iter_no_change", ("1", "2")),
            (0.05, "n_jobs", ("1", "2", "-1")),
        ):
            if self.chance(chance):
                p[name] = self.one(*values)
        automatic = True
        if self.chance(0.35):
            automatic = False
            rules = [*map(repr, RULES), "'interior_point'", *OBJECTS]
            p["optimizer"] = self.one(*rules)
        if self.chance(0.15):
            automatic = False
            p["learning_rate"] = self.one(*STEPS)
        textbook = not automatic or "batch_size" in p or "average" in p
        if textbook or self.chance(0.1):
            p["max_iter"] = self.one("1", "3", "10", "40")
        self.tame &= automatic and "early_stopping" not in p
        if self.chance(0.05):
            name, value = self.one(*INVALID)
            p[name] = value
            self.invalid = f"{name}={value}"
            self.tame = False
        else:
            self.invalid = None
        return p

    # ------------------------------------------------------------------ calls

    def calls(self, p):
        fit = Call("m.fit(A, y, w)", "fit", self.invalid)
        if self.invalid:
            return [], [fit]
        setup, calls = [], [fit]
        kind = self.one(
            *("once", "again", "fails", "fails", "stream", "warm", "resume"),
            *("copies", "weights", "csr", "set", "validation", "interrupt", "init"),
        )
        looks = Call("P = m.predict(A)"), Call("R = m.score(A, y)")
        if kind == "fails":
            setup, bad = self.bad_call()
            calls = [*([fit] if self.chance(0.7) else []), bad, *looks]
            if len(calls) == 3:
                calls = [bad]
        elif kind == "again":
            calls = [fit, Call("alike(m, clone(m).fit(A, y, w))", "alike")]
        elif kind == "stream":
            calls = [Call("m.partial_fit(A, y, w)", "partial_fit")]
            if self.chance(0.5):
                calls = [*calls, calls[0], *looks]
            else:
                calls = [
                    Call(f"m.partial_fit(X[{i}::3], y[{i}::3])", "part") for i in range(3)
                ]
                calls = calls if self.n >= 3 else [fit, calls[0]]
            p.pop("early_stopping", None)
        elif kind == "warm":
            p["warm_start"] = "True"
            other = self.one("A", "X * 2.0", "X * np.logspace(0, -80, d)", "X + 10.0")
            calls = [Call(f"m.fit({other}, y, w)", "other"), fit, *looks[:1]]
        elif kind == "resume":
            first = self.one(1, 2, 5)
            budget = p.pop("max_iter", "30")
            setup = [f"few, all = {first}, {max(first, int(budget))}"]
            p["max_iter"] = "few"
            calls = [
                fit,
                Call(
                    "k = SGDLinearRegressor.resume(m.checkpoint_, A, y, w, max_iter=all); "
                    "alike(k, clone(m).set_params(max_iter=all).fit(A, y, w))",
                    "alike",
                ),
            ]
        elif kind == "copies":
            calls = [
                fit,
                Call("alike(m, pickle.loads(pickle.dumps(m)))", "alike"),
                Call("k = copy.deepcopy(m); m.sparsify().densify(); alike(m, k)", "alike"),
            ]
            if "lambda" in p.get("learning_rate", ""):
                calls = [fit, *looks]
        elif kind == "weights":
            calls = [
                Call("m.fit(X, y, w)", "fit"),
                Call(
                    "k = np.ones(n, bool) if w is None else w > 0; "
                    "alike(m, clone(m).fit(X[k], y[k], None if w is None else w[k]))",
                    "alike",
                ),
            ]
        elif kind == "csr":
            calls = [
                Call("m.fit(sparse.csr_array(X), y, w)", "fit"),
                Call("P = m.predict(X)"),
                Call("m.fit(X, y, w)", "fit"),
            ]
        elif kind == "set":
            name, value = self.one(("alpha", "'a'"), ("tol", "-1"), ("loss", "'x'"))
            calls = [
                fit,
                Call(f"m.set_params({name}={value})"),
                Call("m.fit(A, y, w)", "fit", f"{name}={value}"),
                looks[0],
            ]
        elif kind == "validation":
            p.pop("early_stopping", None)
            setup = ["V, u = X[: n // 2 + 2].copy(), y[: n // 2 + 2].copy()"]
            self.tame = False
            calls = [Call("m.fit(A, y, w, X_val=V, y_val=u)", "part"), *looks]
        elif kind == "interrupt":
            after = self.one(0, 1, 2)
            error = self.one("RuntimeError", "KeyboardInterrupt", "MemoryError")
            calls = [
                fit,
                Call(f"m.set_callbacks(Interrupt({after}, {error}))"),
                Call("m.fit(A, y, w)", "interrupted"),
                *looks,
            ]
        elif kind == "init":
            shape = "(2, d)" if self.outputs else "d"
            calls = [
                Call(
                    f"m.fit(A, y, w, coef_init=np.zeros({shape}), "
                    f"intercept_init={'[1.0, 1.0]' if self.outputs else '1.0'})",
                    "fit",
                ),
                Call("m.fit(A, y, w, coef_init='ab')", "fit", "text as coef_init"),
                Call(
                    "m.fit(A, y, w, coef_init=np.ones(d + 1))", "fit", "shape of coef_init"
                ),
            ]
        if self.chance(0.5) and kind in ("once", "csr", "weights"):
            calls += looks
        return setup, calls

    def bad_call(self):
        verb = self.one("fit", "fit", "partial_fit")
        what = self.random.randrange(4)
        if what == 0:
            why, X = self.one(*BAD_X)
            if self.n * self.d < 2 and "X without" in why:
                why, X = BAD_X[0]
            source = f"m.{verb}({X}, y)"
        elif what == 1:
            why, y = self.one(*BAD_Y)
            source = f"m.{verb}(A, {y})"
        elif what == 2:
            why, w = self.one(*BAD_WEIGHTS)
            if verb == "partial_fit" and why == "weights all zero":  # changes nothing
                why, w = BAD_WEIGHTS[0]
            source = f"m.{verb}(A, y, {w})"
        else:
            why, does = self.one(*MALFORMED)
            setup = [
                "Z = sparse.csr_array(np.where(X == 0, 1.0, X))",
                does,
            ]
            source = self.one(
                f"m.{verb}(Z, y)",
                "m.fit(X, y).predict(Z)",
                "m.fit(X, y).score(Z, y)",
                "m.fit(X, y, X_val=Z, y_val=y)",
            )
            return setup, Call(source, "malformed", why)
        return [], Call(source, "fit", why)
