"""Least squares of partitions: a triangle of each, merged, and the model of all rows.

The triangle R of the QR factorisation of the rows [1, x, y] has at most d + 2 rows, and the
triangle of stacked triangles is that of all their rows (J. Demmel and others,
Communication-Optimal Parallel and Sequential QR, SIAM J. Sci. Comput. 2012). Without its
first row and column it is the triangle of the centred rows.
"""

import numpy as np

from sgdreg import SGDLinearRegressor


def triangle(X, y):
    """R of the rows [1, x, y]."""
    return np.linalg.qr(np.column_stack([np.ones(len(X)), X, y]), mode="r")


def merged(triangles):
    """R of all the rows behind some triangles."""
    return np.linalg.qr(np.vstack(triangles), mode="r")


def model_of(R, **settings):
    """The model of the squared error of all rows, with any penalty, from their triangle."""
    n = R[0, 0] ** 2  # the squares of the ones
    X, y = R[1:, 1:-1], R[1:, -1]
    if "alpha" in settings:  # the loss is a mean, of fewer rows here
        settings = settings | {"alpha": settings["alpha"] * n / len(X)}
    model = SGDLinearRegressor(fit_intercept=False, **settings).fit(X, y)
    mean = R[0, 1:] / R[0, 0]
    model.intercept_ = mean[-1] - mean[:-1] @ model.coef_
    return model


def triangle_of_spark(frame, features, target):
    """R of a Spark frame: each partition yields a triangle, the driver merges them."""
    import pandas as pd  # noqa: PLC0415 (Spark needs it)

    def part(frames):
        kept = []
        for rows in frames:
            if len(rows):
                kept.append(triangle(rows[features].to_numpy(float), rows[target]))
                kept = [merged(kept)]
        for R in kept:
            yield pd.DataFrame(R, columns=names)

    names = [f"r{j}" for j in range(len(features) + 2)]
    schema = ", ".join(f"{name} double" for name in names)
    some = frame.select(*features, target)
    return merged([some.mapInPandas(part, schema).toPandas().to_numpy()])


def triangle_of_ray(dataset, features, target):
    """R of a Ray dataset: each batch becomes its triangle, and the driver merges them."""

    def part(rows):
        R = triangle(rows[features].to_numpy(float), rows[target])
        return {"R": list(R)}

    triangles = dataset.map_batches(part, batch_format="pandas", batch_size=None)
    return merged([np.stack(rows["R"]) for rows in triangles.iter_batches()])
