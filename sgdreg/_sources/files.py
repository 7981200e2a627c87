"""Chunks of files, by their kind: Parquet, Arrow, CSV, svmlight, .npy and .npz."""

from dataclasses import replace
from functools import partial
from glob import glob, has_magic
from pathlib import Path

import numpy as np

from sgdreg._data.chunks import Chunks, Part
from sgdreg._sources import arrays, arrow
from sgdreg._sources.columns import Columns

ARROW = {".feather": "feather", ".arrow": "ipc", ".ipc": "ipc"}
TEXT = {".csv": ",", ".tsv": "\t"}
SVMLIGHT = {".svmlight", ".libsvm", ".svm"}
KINDS = ".parquet, .feather, .arrow, .csv, .tsv, .svmlight, .npy and .npz"


def chunks_of(source, rows, **named):
    """The chunks of a file, a folder or a pattern."""
    paths = _paths(source)
    kinds = {path.suffix.lower() for path in paths}
    if len(kinds) > 1:
        raise ValueError(
            f"{source} has files of several kinds: {', '.join(sorted(kinds))}."
        )
    kind, title = kinds.pop(), str(source)
    if kind in (".parquet", ".pq"):
        return _parquet(paths, title, **named)
    if kind in (".npy", ".npz"):
        return _numpy(paths, rows, title, **named)
    if kind in SVMLIGHT:
        return _svmlight(paths, title, **named)
    if kind in ARROW or kind in TEXT:
        return _dataset(paths, kind, rows, title, **named)
    raise ValueError(
        f"{title}: the kind of a file is told by its name, and {kind or 'no ending'} is "
        f"none of {KINDS}."
    )


def _paths(source):
    if has_magic(str(source)):
        paths = sorted(Path(path) for path in glob(str(source), recursive=True))
    elif Path(source).is_dir():
        paths = sorted(
            path
            for path in Path(source).rglob("*")
            if path.is_file() and not path.name.startswith((".", "_"))
        )
    else:
        paths = [Path(source)]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise FileNotFoundError(f"There is no file {source}.")
    return paths


def _parquet(paths, title, *, target, weights, columns):
    """Row groups of Parquet files, of which only the columns are read that are used."""
    arrow.pyarrow(title)
    from pyarrow import parquet  # noqa: PLC0415 (optional)

    files = [parquet.ParquetFile(path) for path in paths]
    schemas = [file.schema_arrow for file in files]
    used = Columns.among(schemas[0].names, target, weights, columns, title)
    groups = [
        (path, group)
        for path, file in zip(paths, files, strict=True)
        for group in range(file.metadata.num_row_groups)
    ]
    for file in files:
        file.close()
    single = all(
        arrow.dtype_of(schema, used.features) == np.float32
        for schema in schemas
        if set(used.features) <= set(schema.names)
    )
    dtype = np.dtype(np.float32 if single else np.float64)
    pieces = [partial(_row_group, path, group, used, dtype) for path, group in groups]

    def targets():
        only = replace(used, features=used.targets)
        for path, group in groups:
            yield _row_group(path, group, only, dtype)

    known = {"names": used.features, "dtype": dtype}
    known |= {"targets": targets, "width": len(used.features)}
    return Chunks.of_pieces(lambda: pieces, title, **known)


def _row_group(path, group, columns, dtype):
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 (optional)

    where = f"{path}, row group {group}"
    with parquet.ParquetFile(path) as file:
        for name in columns.all:
            if name not in file.schema_arrow.names:
                raise ValueError(f"{path} has no column {name!r}, unlike the first file.")
        try:
            table = file.read_row_group(group, columns=columns.all, use_threads=False)
        except (OSError, ArrowException) as error:
            raise OSError(f"{where} cannot be read: {error}") from error
    return arrow.part_of(table, columns, where, dtype)


def _dataset(paths, kind, rows, title, *, target, weights, columns):
    """Text and Arrow files, in record batches."""
    arrow.pyarrow(title)
    from pyarrow import dataset  # noqa: PLC0415 (optional)

    form = ARROW.get(kind)
    if form is None:
        from pyarrow import csv  # noqa: PLC0415 (optional)

        form = dataset.CsvFileFormat(csv.ParseOptions(delimiter=TEXT[kind]))
    paths = [str(path) for path in paths]
    source = dataset.dataset(paths, format=form)
    if kind in TEXT:  # the types are those of the first rows, and fractions may follow
        source = dataset.dataset(paths, format=form, schema=_widened(source.schema))
    named = {"target": target, "weights": weights, "columns": columns}
    return arrow.chunks_of(source, rows, title=title, **named)


def _widened(schema):
    """The columns of a text file with integers, or nothing in them, as float64."""
    import pyarrow as pa  # noqa: PLC0415 (optional)

    types = pa.types
    return pa.schema(
        (f.name, pa.float64())
        if types.is_integer(f.type) or types.is_null(f.type)
        else (f.name, f.type)
        for f in schema
    )


def _numpy(paths, rows, title, *, target, weights, columns):
    """Arrays in files: .npy with the target among the columns, .npz with X and y."""
    if paths[0].suffix.lower() == ".npz":
        if target is not None or weights is not None or columns is not None:
            raise ValueError(
                f"{title}: files of kind .npz have arrays named X, y and perhaps weights; "
                "target, weights and columns have no effect."
            )
        return Chunks.of_pieces(lambda: [partial(_npz, path) for path in paths], title)
    named = {"target": target, "weights": weights, "columns": columns}
    parts = []
    for path in paths:
        array = np.load(path, mmap_mode="r")
        if array.ndim != 2:
            raise ValueError(
                f"{path} has an array of shape {array.shape}: each file must have rows "
                "with the columns of X and the target."
            )
        parts.append(arrays.chunks_of(array, rows, title=str(path), **named))
    return Chunks.of_pieces(lambda: [p for part in parts for p in part.pieces()], title)


def _npz(path):
    with np.load(path) as file:
        for name in ("X", "y"):
            if name not in file:
                raise ValueError(f"{path} has no array {name}; it has {file.files}.")
        return Part.of(file["X"], file["y"], file.get("weights"), str(path))


def _svmlight(paths, title, *, target, weights, columns):
    """Sparse rows; each file is a chunk."""
    from sklearn.datasets import load_svmlight_file  # noqa: PLC0415 (slow to import)

    if target is not None or weights is not None or columns is not None:
        raise ValueError(
            f"{title}: svmlight files have the target first in each line, and no other "
            "columns with names; target, weights and columns have no effect."
        )
    width = max(load_svmlight_file(str(path))[0].shape[1] for path in paths)

    def piece(path):
        X, y = load_svmlight_file(str(path), n_features=width)
        return Part.of(X, y, None, str(path))

    return Chunks.of_pieces(lambda: [partial(piece, path) for path in paths], title)
