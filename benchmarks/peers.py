"""Least squares by other estimators, called as their users would, and their times."""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from sklearn.linear_model import LinearRegression, Ridge, SGDRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._timing import best_of, side_by_side
from sgdreg import SGDLinearRegressor

# Ridge as least squares: a penalty that is too small to change the result.
NEXT_TO_NOTHING = 1e-8


@dataclass(frozen=True)
class Solver:
    """A solver of least squares.

    Attributes
    ----------
    name : str
    make : callable
        () -> an estimator, not fitted.
    slow : bool
        Run only once, and not at all with --quick.
    neighbour : bool
        Whether it belongs to scikit-learn; the floors of a case are for these solvers.
    """

    name: str
    make: object
    slow: bool = False
    neighbour: bool = True


OURS = Solver("SGDLinearRegressor", SGDLinearRegressor, neighbour=False)


def ridge(solver, **settings):
    """Ridge with nearly no penalty: least squares."""
    return Ridge(alpha=NEXT_TO_NOTHING, solver=solver, **settings)


def tuned_sgd(d):
    """SGDRegressor with scaled features, and with steps that suit them and shrink."""
    return make_pipeline(
        StandardScaler(),
        SGDRegressor(
            penalty=None,
            learning_rate="adaptive",
            eta0=0.3 / d,
            max_iter=100,
            tol=1e-5,
            random_state=0,
        ),
    )


def perceptron():
    """A perceptron without hidden layers, which is linear, by its full-batch solver."""
    return make_pipeline(
        StandardScaler(),
        MLPRegressor(
            hidden_layer_sizes=(), solver="lbfgs", alpha=0, tol=1e-8, random_state=0
        ),
    )


class TorchRegression:
    """Full-batch L-BFGS of PyTorch in standardised features."""

    def fit(self, X, y):
        import torch  # noqa: PLC0415

        X, y = torch.from_numpy(X), torch.from_numpy(y)
        scale, centre = torch.std_mean(X, dim=0)
        Z, level = (X - centre) / scale, y.mean()
        weights = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [weights], max_iter=100, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
        )

        def loss():
            optimizer.zero_grad()
            value = 0.5 * torch.mean((Z @ weights + level - y) ** 2)
            value.backward()
            return value

        optimizer.step(loss)
        self.coef_ = (weights.detach() / scale).numpy()
        self.intercept_ = float(level) - centre.numpy() @ self.coef_
        return self

    def predict(self, X):
        return X @ self.coef_ + self.intercept_


def onedal():
    """LinearRegression of scikit-learn-intelex."""
    from sklearnex.linear_model import LinearRegression as OneDAL  # noqa: PLC0415

    return OneDAL()


# Optional packages -> the solver of each.
OPTIONAL = {
    "sklearnex": Solver("oneDAL LinearRegression", onedal, neighbour=False),
    "torch": Solver("PyTorch L-BFGS", TorchRegression, neighbour=False),
}


def dense_solvers(d, quick):
    """All solvers for dense rows of d features, and the names of those not installed."""
    solvers = [
        OURS,
        Solver("Ridge cholesky", partial(ridge, "cholesky")),
        Solver("Ridge lsqr", partial(ridge, "lsqr")),
        # 100 epochs, not up to 1,000: by then it has converged, or never will
        Solver("Ridge sag", partial(ridge, "sag", max_iter=100, random_state=0), slow=True),
        Solver("LinearRegression", LinearRegression, slow=True),
        Solver("SGDRegressor", partial(SGDRegressor, random_state=0), slow=True),
        Solver("SGDRegressor tuned", partial(tuned_sgd, d), slow=True),
        Solver("MLPRegressor linear", perceptron, slow=True),
    ]
    missing = [OPTIONAL[package].name for package in OPTIONAL if not find_spec(package)]
    solvers += [OPTIONAL[package] for package in OPTIONAL if find_spec(package)]
    return [s for s in solvers if not (quick and s.slow)], missing


def fit_side_by_side(solvers, X, y, repeats):
    """{name: (seconds, model)}; model is None where the fit raised ValueError.

    Fast solvers are first fitted to a few rows, and then take turns; slow ones run once.
    """
    models = {}

    def fit(solver, X=X, y=y):
        try:
            models[solver.name] = solver.make().fit(X, y)
        except ValueError:  # SGDRegressor's overflow
            models[solver.name] = None

    few = 2 * X.shape[1] + 100
    for solver in solvers:
        fit(solver, X[:few], y[:few])
    fast = [solver for solver in solvers if not solver.slow]
    times = side_by_side([partial(fit, solver) for solver in fast], repeats)
    seconds = {solver.name: time for solver, time in zip(fast, times, strict=True)}
    for solver in solvers:
        if solver.slow:
            seconds[solver.name] = best_of(partial(fit, solver), 1)
    return {name: (seconds[name], models[name]) for name in seconds}


def stream_peers():
    """SGDRegressor for one pass: its defaults, a constant step, and both averaged."""
    rates = "invscaling", "constant"
    return {
        f"SGDRegressor {rate}{' averaged' * average}": SGDRegressor(
            learning_rate=rate, average=average, random_state=0
        )
        for rate in rates
        for average in (False, True)
    }


def sparse_peers(penalty, quick):
    """Ridge's solvers for CSR: {name: tol -> estimator}, and which of them are slow."""
    solvers = ["sparse_cg", "lsqr"] + ["sag"] * (not quick)

    def make(solver, tol):
        return Ridge(alpha=penalty, solver=solver, tol=tol, random_state=0)

    return {f"Ridge {solver}": partial(make, solver) for solver in solvers}, {"Ridge sag"}


def ours_for_ridge(penalty, n, **settings):
    """The same objective by SGDLinearRegressor."""
    return SGDLinearRegressor(penalty="l2", alpha=penalty / n, **settings)
