"""A fingerprint by which another data set is recognised, from some of its numbers."""

from functools import cache
from hashlib import blake2b

import numpy as np

# Positions in an array, as shares of its length, of the numbers that are compared.
POSITIONS = np.linspace(0.0, 1.0, 256)
# Long enough that two data sets have the same digest with probability 2^-128 only.
DIGEST_BYTES = 16


def fingerprint(data, flat):
    """A dict that is the same for the same data: shapes, types and a digest.

    The digest is of some hundred numbers of each array, and of the losses of zero and of
    the best constant, which depend on all targets and weights.

    Parameters
    ----------
    data : Data or None
    flat : bool
        Whether y has one dimension.
    """
    if data is None:
        return None
    rows = data.rows
    digest = blake2b(digest_size=DIGEST_BYTES)
    arrays = rows.arrays if rows.in_memory else ()
    for part in (*arrays, data.y.reshape(-1), data.weights, rows.index):
        if part is not None and len(part):
            some = part
            if len(part) > len(POSITIONS):
                some = part[((len(part) - 1) * POSITIONS).astype(np.intp)]
            if some.dtype.kind != "f":
                some = some.astype(np.int64)
            digest.update(np.ascontiguousarray(some))
    digest.update(data.zero_losses)
    digest.update(data.constant_losses)
    return {
        "X": list(rows.X.shape),
        "y": [len(data.y)] if flat else list(data.y.shape),
        "dtype": _name(rows.dtype),
        "kind": "sparse" if rows.is_sparse else "dense",
        "digest": digest.hexdigest(),
    }


@cache
def _name(dtype):
    """The name of a type of numbers, which takes NumPy 4 µs."""
    return dtype.name


def refuse_other_data(now, then):
    """Raise ValueError if the fingerprints of the data differ from a checkpoint's.

    Parameters
    ----------
    now, then : dict
        Fingerprints of the training rows ("data") and validation rows ("validation").
    """
    for name in ("data", "validation"):
        new, old = now[name], then[name]
        suffix = "" if name == "data" else "_val"
        if new == old:
            continue
        if new is None or old is None:
            had, has = ("none", "some") if old is None else ("some", "none")
            raise ValueError(
                f"The fit of the checkpoint had {had} of X_val and y_val, this call has "
                f"{has}: pass resume what was passed to fit."
            )
        unlike = [
            f"{what} {old[key]} there, {new[key]} here"
            for key, what in (
                ("X", f"X{suffix} has shape"),
                ("y", f"y{suffix} has shape"),
                ("dtype", f"X{suffix} is of"),
                ("kind", f"X{suffix} is"),
            )
            if new[key] != old[key]
        ]
        raise ValueError(
            "These are not the data of the checkpoint: "
            + ("; ".join(unlike) or f"X{suffix}, y{suffix} or their weights differ")
            + ". Pass resume what was passed to fit, or fit with warm_start=True."
        )
