"""The partitions of Dask collections: X, targets and weights side by side, in groups."""

import numpy as np
from scipy import sparse

# Consecutive partitions are put together until they have so many bytes, where they are
# known, or are so many: a task costs a millisecond, whatever it does.
GROUP_BYTES, GROUP = 2**26, 64


def is_dask(X):
    """Whether it is a collection of Dask, which need not be imported to tell."""
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr")


def partitions(X, y, weights=None):
    """((X, y, weights or None) of each partition, delayed; names; bytes of each, or None).

    Raises
    ------
    TypeError, ValueError
        Where y or the weights are no Dask collection, or have other partitions than X.
    """
    if not isinstance(getattr(X, "shape", None), tuple):
        raise TypeError(
            f"X is a Dask {type(X).__name__}: pass a Dask array or data frame, for example "
            "by dask.array.from_delayed."
        )
    is_frame, names, sizes = hasattr(X, "columns"), None, None
    if is_frame and all(isinstance(name, str) for name in X.columns):
        names = list(X.columns)
    if not is_frame:
        X = one_column_of_blocks(X)
        known = not any(np.isnan(X.chunks[0]))
        sizes = [rows * X.shape[1] * X.dtype.itemsize for rows in X.chunks[0]]
        sizes = sizes if known else None
    parts = [_delayed(X)]
    for name, value in {"y": y, "sample_weight": weights}.items():
        if value is None:
            parts.append([None] * len(parts[0]))
            continue
        if not is_dask(value):
            raise TypeError(
                f"X is a Dask collection, and {name} is a {type(value).__name__}: pass a "
                "Dask array or series with the same partitions, for example by "
                "dask.array.from_array(y, chunks=X.chunks[0])."
            )
        found = _delayed(_cut_like(value, X) if sizes is not None else value)
        if len(found) != len(parts[0]):
            raise ValueError(
                f"{name} has {len(found)} partitions, and X has {len(parts[0])}: "
                "repartition one of them like the other."
            )
        parts.append(found)
    return list(zip(*parts, strict=True)), names, sizes


def _cut_like(value, X):
    """An array in the blocks of X, where the sizes of both are known."""
    if not hasattr(value, "chunks") or np.isnan(value.chunks[0]).any():
        return value
    return value if value.chunks[0] == X.chunks[0] else value.rechunk({0: X.chunks[0]})


def one_column_of_blocks(X):
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got a Dask array of shape {X.shape}.")
    return X.rechunk({1: -1}) if X.numblocks[1] > 1 else X


def _delayed(value):
    # Without Dask's optimisation, which may join partitions of a frame, but not of another.
    parts = value.to_delayed(optimize_graph=False)
    return np.asarray(parts, dtype=object).ravel().tolist()


def groups(parts, sizes):
    """Lists of consecutive partitions that are held, and passed over, together."""
    found, held = [], 0
    for number, part in enumerate(parts):
        size = GROUP_BYTES / GROUP if sizes is None else sizes[number]
        if not found or held + size > GROUP_BYTES or len(found[-1]) >= GROUP:
            found.append([])
            held = 0
        found[-1].append((number, *part))
        held += size
    return found


def refuse_failed(group, error, compute):
    """Raise RuntimeError for the partition of a group that raises when it is computed."""
    for number, *part in group:
        try:
            compute([value for value in part if value is not None])
        except Exception:
            text = f"In partition {number}: {type(error).__name__}: {error}"
            raise RuntimeError(text) from error


def refuse_unlike(number, names, X, y, weights):
    """Raise ValueError for a partition whose parts do not belong together.

    `names` are those of the columns, or None. Concatenated partitions would not show it.
    """
    lengths = {"y": y, "sample_weight": weights}
    for name, value in lengths.items():
        if value is not None and value.shape[0] != X.shape[0]:
            raise ValueError(
                f"In partition {number}: X has {X.shape[0]:,} rows, and {name} has "
                f"{value.shape[0]:,}. Repartition one of them like the other."
            )
    if names is not None and X.shape[0] and list(X.columns) != names:
        raise ValueError(
            f"In partition {number}: the columns are {list(X.columns)}, and those of the "
            f"collection {names}, in this order."
        )


def together(parts):
    """(X, y, weights or None) of partitions as one; empty ones are left out."""
    parts = [part for part in parts if part[0].shape[0]] or list(parts)[:1]
    X, y, weights = zip(*parts, strict=True)
    if len(parts) == 1:
        return X[0], y[0], weights[0]
    weights = None if weights[0] is None else np.concatenate([*map(np.asarray, weights)])
    if sparse.issparse(X[0]):
        X = sparse.vstack(X, format="csr")
    elif hasattr(X[0], "iloc"):
        import pandas as pd  # noqa: PLC0415 (frames of Dask need it)

        X = pd.concat(X)
    else:
        X = np.concatenate(X)
    return X, np.concatenate([*map(np.asarray, y)]), weights
