"""Arrays: ``.npz`` files, and the diabetes data."""

import io
import zipfile
from collections import Counter

import numpy as np
import pyarrow as pa

from sgdreg.cli import _table
from sgdreg.cli._messages import Unusable, listed, one_line

# The usual names of arrays, in lower case; the first that a file has is used.
MATRICES = ("x", "inputs", "features", "data")
TARGETS = ("y", "target", "targets", "labels", "outputs")
NAMES = "feature_names"


def diabetes():
    """scikit-learn's diabetes data, in the units of the measurements."""
    from sklearn.datasets import load_diabetes  # noqa: PLC0415 (slow to import)

    data = load_diabetes(scaled=False)
    columns = dict(zip(data.feature_names, data.data.T, strict=True))
    columns["disease progression"] = data.target
    return _source("Diabetes data of scikit-learn", columns, "disease progression")


def read_npz(source):
    """The columns of the arrays in an ``.npz`` file.

    The columns of the matrix are called as its array `feature_names` says, if there is
    one, else x0, x1, …. An array of one dimension is a column with the array's name.
    """
    title = source.title
    if not source.again:
        raise Unusable(f"{title} is too long to hold: .npz files are read from a path.")
    try:
        with source.open() as stream:
            content = stream.read()
        _check_size(source, content)
        file = np.load(io.BytesIO(content))
        if not isinstance(file, np.ndarray):  # a single array, as in .npy files
            arrays = {name: file[name] for name in file.files}
    except Unusable:
        raise
    except (OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise Unusable(f"{title} is not an .npz file: {one_line(error)}.") from None
    except ValueError as error:
        if "Object arrays" in str(error):
            raise Unusable(
                f"{title} holds arrays of Python's objects, which are not read; save "
                "arrays of numbers or text."
            ) from None
        raise Unusable(f"{title} cannot be read as .npz: {one_line(error)}.") from None
    if isinstance(file, np.ndarray):
        raise Unusable(f"{title} is a single array; save X and y by np.savez.")
    if set(arrays) >= {"indptr", "indices", "data", "shape"}:
        raise Unusable(
            f"{title} holds a sparse matrix without a target; save it with its target by "
            "sklearn.datasets.dump_svmlight_file."
        )
    return _of_arrays(arrays, title)


def _check_size(source, content):
    """Raise Unusable where the unpacked arrays are too large."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(info.file_size for info in archive.infolist())
        source.check(size, len(content))


def _of_arrays(arrays, title):
    names = arrays.pop(NAMES, None)
    matrix = _matrix(arrays, title)
    columns, features = {}, None
    if matrix is not None:
        X = arrays.pop(matrix)
        features = [f"x{j}" for j in range(X.shape[1])]
        if names is not None:
            features = [str(name) for name in np.ravel(names)]
            if len(features) != X.shape[1]:
                raise Unusable(
                    f"{title} has {len(features)} {NAMES} for the {X.shape[1]} columns of "
                    f"{matrix}."
                )
        columns = dict(zip(features, X.T, strict=True))
    single = {
        name: values.reshape(-1)
        for name, values in arrays.items()
        if values.ndim == 1 or values.shape[1:] == (1,)
    }
    targets = _several(arrays, title, matrix)
    single |= targets
    shared = [name for name, k in Counter([*(features or []), *single]).items() if k > 1]
    if shared:
        raise Unusable(f"{title} has several columns called {listed(shared)}; rename them.")
    columns |= single
    lengths = {f"{name} ({len(values):,})": len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Unusable(f"The arrays of {title} differ in length: {listed(list(lengths))}.")
    if not columns:
        raise Unusable(f"{title} holds no array of one or two dimensions.")
    if targets:
        return _source(title, columns, None, features, targets=list(targets))
    known = (name for usual in TARGETS for name in single if name.lower() == usual)
    target = next(known, None)
    if target is None and features and len(single) == 1:
        (target,) = single
    return _source(title, columns, target, features)


def _several(arrays, title, matrix):
    """The columns of a target with several columns, called y0, y1, …"""
    wide = {n: v for n, v in arrays.items() if v.ndim > 1 and v.shape[1:] != (1,)}
    for name in sorted(wide, key=lambda name: name.lower() not in TARGETS):
        values = wide[name]
        if name.lower() not in TARGETS and (matrix is None or _has_target(arrays)):
            continue
        if values.ndim > 2:
            raise Unusable(
                f"{name} of {title} is of shape {_shape(values)}; a target has one or two."
            )
        return {f"{name}{k}": column for k, column in enumerate(values.T)}
    return {}


def _has_target(arrays):
    """Whether some array has one column, which can be the target."""
    return any(v.ndim == 1 or v.shape[1:] == (1,) for v in arrays.values())


def _matrix(arrays, title):
    """The name of the array whose columns are features, or None."""
    flat = {name: values for name, values in arrays.items() if values.ndim == 2}
    for name, values in arrays.items():
        if values.ndim > 2 and name.lower() in MATRICES:
            raise Unusable(
                f"{name} of {title} is of shape {_shape(values)}; features are a matrix of "
                "two dimensions."
            )
    for usual in MATRICES:
        for name in flat:
            if name.lower() == usual:
                return name
    wide = [name for name, values in flat.items() if values.shape[1] != 1]
    if len(wide) > 1:
        shapes = [f"{name} ({_shape(flat[name])})" for name in wide]
        raise Unusable(
            f"{title} has several matrices, {listed(shapes)}: call the features X and the "
            "target y."
        )
    return wide[0] if wide else None


def _shape(values):
    return " × ".join(map(str, values.shape))


def _source(title, columns, target, features=None, targets=()):
    table = pa.table({name: _arrow(v, name, title) for name, v in columns.items()})
    return _table.source_of(
        title,
        list(columns),
        lambda _: iter([table]),
        target=target,
        features=features,
        targets=list(targets),
    )


def _arrow(values, name, title):
    """An Arrow array: in the byte order of the machine, with floats of at most 64 bits."""
    native = np.float64 if values.dtype == np.longdouble else values.dtype.newbyteorder("=")
    try:
        return pa.array(np.ascontiguousarray(values, native))
    except pa.ArrowNotImplementedError:
        raise Unusable(
            f"Column {name} of {title} is of type {values.dtype}; save real numbers or "
            "text."
        ) from None
