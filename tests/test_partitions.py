"""The recipes of docs/scaling.md for Spark and Ray: the model of all rows."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sgdreg import SGDLinearRegressor

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))

from partitions import (
    merged,
    model_of,
    triangle,
    triangle_of_ray,
    triangle_of_spark,
)

SETTINGS = {
    "none": {},
    "l2": {"penalty": "l2", "alpha": 0.1},
    "l1": {"penalty": "l1", "alpha": 0.3},
    "positive": {"positive": True},
}


def problem():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 4)) * [1.0, 10.0, 0.1, 5.0] + [0.0, 300.0, 1.0, -4.0]
    return X, X @ [1.0, -0.2, 3.0, 0.0] + 7.0 + rng.standard_normal(1000)


def close(model, X, y, **settings):
    whole = SGDLinearRegressor(**settings).fit(X, y)
    assert model.converged_
    np.testing.assert_allclose(model.predict(X), whole.predict(X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_triangle_has_the_model_of_its_rows(kind):
    X, y = problem()
    cuts = (0, 1, 3, 400, 1000)  # partitions of fewer rows than columns, too
    parts = [triangle(X[a:b], y[a:b]) for a, b in pairwise(cuts)]
    R = merged([merged(parts[:2]), merged(parts[2:])])
    close(model_of(R, **SETTINGS[kind]), X, y, **SETTINGS[kind])


def frame_of(X, y):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=list("abcd")).assign(y=y)


def test_spark():
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    X, y = problem()
    session = sql.SparkSession.builder.master("local[2]").getOrCreate()
    try:
        frame = session.createDataFrame(frame_of(X, y)).repartition(5)
        R = triangle_of_spark(frame, list("abcd"), "y")
    finally:
        session.stop()
    close(model_of(R), X, y)


def test_ray():
    ray = pytest.importorskip("ray", reason="ray is not installed")
    data = pytest.importorskip("ray.data", reason="ray.data is not installed")
    X, y = problem()
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        dataset = data.from_pandas(frame_of(X, y)).repartition(5)
        R = triangle_of_ray(dataset, list("abcd"), "y")
    finally:
        ray.shutdown()
    close(model_of(R), X, y)
