"""PyTorch's own trajectories, digit for digit: see golden/make.py."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from judges import optimizer_of
from numpy.testing import assert_allclose
from twin import twin

from sgdreg import SGDLinearRegressor
from sgdreg.schedules import InvScaling

GOLDEN = json.loads((Path(__file__).parent / "golden" / "torch.json").read_text("utf-8"))
X, Y, WEIGHTS = (np.array(GOLDEN[name]) for name in ("X", "y", "sample_weight"))
cases = pytest.mark.parametrize("name", GOLDEN["cases"])


def assert_path(path, expected):
    """Equal but for rounding, relative to the largest number."""
    size = np.abs(expected).max()
    assert_allclose(path, expected, rtol=0, atol=1e-12 * size)


@cases
def test_the_estimator_follows_torch(name):
    case = GOLDEN["cases"][name]
    model = SGDLinearRegressor(
        optimizer=optimizer_of(case["rule"]),
        loss=case["loss"],
        epsilon=case["epsilon"],
        penalty="l2" if case["alpha"] else None,
        alpha=case["alpha"],
        learning_rate=InvScaling(case["eta0"], case["power_t"]),
        batch_size=GOLDEN["batch_size"],
        fit_intercept=case["fit_intercept"],
        average=False,
        shuffle=False,
        tol=None,
    )
    path = []
    for epochs in range(1, len(case["path"]) + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # far from the optimum; parameters unused
            model.set_params(max_iter=epochs)
            model.fit(X, Y, WEIGHTS if case["weighted"] else None)
        path.append(np.append(model.coef_, model.intercept_))
    assert_path(path, case["path"])


@cases
def test_the_twin_follows_torch(name):
    case = GOLDEN["cases"][name]
    thetas, _ = twin(
        X,
        Y,
        rule=case["rule"],
        loss=case["loss"],
        epsilon=case["epsilon"],
        alpha=case["alpha"],
        eta=InvScaling(case["eta0"], case["power_t"]),
        epochs=len(case["path"]),
        batch_size=GOLDEN["batch_size"],
        sample_weight=WEIGHTS if case["weighted"] else None,
        fit_intercept=case["fit_intercept"],
    )
    assert_path([theta[0] for theta in thetas], case["path"])


def test_the_file_is_what_torch_says():
    pytest.importorskip("torch", reason="the numbers are PyTorch's, which is not installed")
    from golden import make  # noqa: PLC0415 (it needs PyTorch)

    problem = make.problem()
    assert {name: GOLDEN[name] for name in problem} == problem
    settings = make.cases()
    assert list(settings) == list(GOLDEN["cases"])
    for name, case in settings.items():
        stored = dict(GOLDEN["cases"][name])
        expected = stored.pop("path")
        assert stored == case
        path = make.torch_trajectory(GOLDEN, case)
        # Other versions and processors round otherwise.
        assert_allclose(path, expected, rtol=1e-12, atol=1e-13)
