"""Checks of rows that come in chunks: each as rows in memory are checked."""

from contextlib import closing
from functools import partial

import numpy as np
from scipy import sparse

from sgdreg._data.chunked_rows import ChunkedMatrix, ChunkedRows
from sgdreg._data.chunks import Chunks, Part
from sgdreg._data.rows import NO_ROWS
from sgdreg._estimator.inputs import (
    NoRows,
    check_rows,
    check_scored,
    check_weights,
    check_X_y,
)
from sgdreg._estimator.predictions import RunningR2
from sgdreg._sources import dask
from sgdreg._sources.cluster import client
from sgdreg._sources.cluster import rows_of as rows_on_cluster
from sgdreg._sources.partitions import is_dask


def refuse_beside(**given):
    """Raise TypeError for targets or weights beside chunks, which have them."""
    for name, value in given.items():
        if value is not None:
            raise TypeError(
                f"{name} was passed beside chunks of rows, which hold their own targets "
                "and weights: see sgdreg.chunks."
            )


def rows_of(estimator, X, y, weights):
    """(rows, y, weights or None) of data that are not in memory; None: they are.

    That is for `sgdreg.chunks`, and collections of Dask.
    """
    if type(X) is np.ndarray:
        return None
    if isinstance(X, Chunks):
        refuse_beside(y=y, sample_weight=weights)
        return read(estimator, X)
    if not is_dask(X):
        return None
    if y is None:
        raise ValueError("SGDLinearRegressor requires y to be passed, but y is None.")
    if client() is None:
        return read(estimator, dask.chunks_of(X, y, weights))
    check = partial(_part, type(estimator))
    rows, y, weights, names = rows_on_cluster(X, y, weights, check)
    _take_columns(estimator, rows.n_features, names)
    _refuse_no_weight(weights)
    return rows, y, weights


def _part(kind, X, y, weights):
    """A partition, as an estimator of this kind checks it."""
    X, y = check_X_y(kind(), X, y, reset=True)
    return X, y, _weights(weights, X)


def _take_columns(estimator, width, names):
    estimator.n_features_in_ = width
    vars(estimator).pop("feature_names_in_", None)
    if names is not None:
        estimator.feature_names_in_ = np.array(names, dtype=object)


def _refuse_no_weight(weights):
    if weights is not None and not weights.any():
        raise NoRows("All weights are zero: no row is left to learn from.")


def read(estimator, chunks):
    """(rows, y, weights or None) of all chunks, by a first read of them.

    Targets and weights are kept in memory, the rows are not.
    """
    known = type(estimator)()  # what is known of the columns
    targets, weights, lengths, size, kind = [], [], [], 0, None
    light = chunks.targets is not None
    for number, X, y, w in checked(known, chunks, reset=True, only_targets=light):
        kind = X.shape[1], X.dtype, sparse.issparse(X)
        size += X.size
        lengths += [0] * (number - len(lengths)) + [X.shape[0]]
        targets.append(y)
        weights.append(w)
    if kind is None:
        raise ValueError(f"{chunks!r} has no rows.")
    if light:
        kind, size = (chunks.width, chunks.dtype, False), sum(lengths) * chunks.width
        known.n_features_in_ = chunks.width
    width, dtype, is_sparse = kind
    _take_columns(estimator, width, getattr(known, "feature_names_in_", chunks.names))
    shape = sum(lengths), width
    matrix = ChunkedMatrix(
        partial(_features, known, chunks),
        np.array(lengths),
        chunks.pieces is not None,
        shape,
        dtype,
        size,
        is_sparse,
    )
    rows = ChunkedRows(matrix, NO_ROWS)
    y = np.concatenate(targets)
    if weights[0] is None:
        return rows, y, None
    weights = np.concatenate(weights)
    _refuse_no_weight(weights)
    return rows, y, weights


def checked(known, chunks, reset=False, numbers=None, only_targets=False):
    """Yield (its number, X, y, weights or None) of every chunk that is not empty, checked.

    With `reset` an estimator, `known`, takes names and number of the columns from the
    first. With `only_targets` the rows are not read, and X is a column of zeros.
    """
    first, count, like = 0, 0, None
    source = _targets(chunks) if only_targets else chunks.parts(numbers)
    with closing(source) as parts:
        for place, part in enumerate(parts):
            number = place if numbers is None else numbers[place]
            X, y, weights = _three(part, number)
            if not _length(X):
                continue
            try:
                X, y = check_X_y(known, X, y, reset=reset and not count)
                weights = _weights(weights, X)
                like = _alike(X, y, weights, like)
            except (ValueError, TypeError) as error:
                where = getattr(part, "where", "")
                where = f"{where}; " if where else ""
                if numbers is None:
                    where += f"its row 0 is row {first:,} of all"
                text = f"In chunk {number} ({where.rstrip('; ')})"
                raise type(error)(f"{text}: {error}") from error
            yield number, X, y, weights
            first, count = first + X.shape[0], count + 1


def features(estimator, chunks):
    """Yield X of every chunk that is not empty, for predictions, and its y and weights.

    Chunks may be X alone.
    """
    known = estimator
    if chunks.names is not None and hasattr(estimator, "feature_names_in_"):
        if list(chunks.names) != list(estimator.feature_names_in_):
            raise ValueError(
                f"{chunks!r} has the columns {list(chunks.names)}, and the model was "
                f"fitted to {list(estimator.feature_names_in_)}, in this order."
            )
        known = type(estimator)()
        known.n_features_in_ = estimator.n_features_in_
    with closing(chunks.parts()) as parts:
        for part in parts:
            X, *rest = part if isinstance(part, tuple | list) else (part,)
            if _length(X):
                yield check_rows(known, X, finite=True), *rest


def _features(known, chunks, numbers):
    """Yield X of the chunks that are not empty, or of those with these numbers."""
    for _, X, _, _ in checked(known, chunks, numbers=numbers):
        yield X


def _targets(chunks):
    for part in chunks.targets():
        _, y, weights = part
        yield Part.of(np.zeros((len(y), 1)), y, weights, part.where)


def _three(part, number):
    """(X, y, weights or None) of a chunk as the source gives it."""
    if not isinstance(part, tuple | list) or len(part) not in (2, 3):
        raise TypeError(
            f"Chunk {number} is of type {type(part).__name__}: each must be a tuple "
            "(X, y) or (X, y, sample_weight)."
        )
    return (*part, None)[:3]


def _length(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _weights(weights, X):
    try:
        return check_weights(weights, X, "sample_weight")
    except NoRows:
        return np.zeros(X.shape[0])


def _alike(X, y, weights, before):
    """What chunks must have in common; raises ValueError for one that differs."""
    now = {
        "numbers of type": X.dtype.name,
        "rows that are": "sparse" if sparse.issparse(X) else "dense",
        "targets a row": 1 if y.ndim == 1 else y.shape[1:],
        "weights": "yes" if weights is not None else "no",
    }
    for what, value in now.items():
        if before is not None and before[what] != value:
            raise ValueError(
                f"{what}: {value} here, {before[what]} in the chunks before. All chunks "
                "must be alike."
            )
    return now


def score_of(estimator, X, y, weights):
    """R² of the predictions for data that are not in memory, by one read."""
    score = RunningR2()
    if is_dask(X):
        for part in dask.each_partition(partial(_scored, estimator.predict), X, y, weights):
            score.join(part)
    else:
        refuse_beside(y=y, sample_weight=weights)
        for number, (part, *rest) in enumerate(features(estimator, X)):
            if not rest:
                raise TypeError(
                    f"Chunk {number} has no targets, which score needs: (X, y)."
                )
            score.join(_scored(estimator._predicted, part, *rest))
    if score.value is None:
        raise ValueError("R² needs two different targets.")
    return score.value


def _scored(predict, X, y, weights=None):
    score = RunningR2()
    if _length(X):
        predicted = predict(X)
        y, weights = check_scored(y, weights, predicted)
        score.add(y.reshape(predicted.shape), predicted, weights)
    return score


def predictions_of(estimator, X):
    """Predictions for data that are not in memory: lazily, in the form of X."""
    if is_dask(X):
        outputs = None if estimator.coef_.ndim == 1 else len(estimator.coef_)
        return dask.predicted(partial(_predicted, estimator), X, outputs)
    return (estimator._predicted(part) for part, *_ in features(estimator, X))


def _predicted(estimator, X):
    if not _length(X):
        return np.empty((0, *estimator.coef_.shape[:-1]))
    return estimator.predict(X)
