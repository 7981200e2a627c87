"""What tells a data set from others, at the cost of some hundred numbers of it."""

from hashlib import blake2b

import numpy as np

# Where in an array the numbers are that tell one data set from another.
LOOKED_AT = np.linspace(0.0, 1.0, 256)


def fingerprint(data, flat):
    """What tells a data set from others, at the cost of some hundred numbers of it.

    The loss of predicting zero and that of the mean know of all targets and weights.

    Parameters
    ----------
    data : Data or None
    flat : bool
        Whether y has one dimension.
    """
    if data is None:
        return None
    rows = data.rows
    digest = blake2b(digest_size=16)
    for part in (*rows.arrays, data.y.reshape(-1), data.weights, rows.index):
        if part is not None and len(part):
            some = part
            if len(part) > len(LOOKED_AT):
                some = part[((len(part) - 1) * LOOKED_AT).astype(np.intp)]
            if some.dtype.kind != "f":
                some = some.astype(np.int64)
            digest.update(np.ascontiguousarray(some))
    digest.update(data.zero_losses)
    digest.update(data.constant_losses)
    return {
        "X": list(rows.X.shape),
        "y": [len(data.y)] if flat else list(data.y.shape),
        "dtype": rows.dtype.name,
        "kind": "sparse" if rows.is_sparse else "dense",
        "digest": digest.hexdigest(),
    }


def refuse_other_data(now, then):
    """Raise ValueError where the fingerprints of data differ from a checkpoint's.

    Parameters
    ----------
    now, then : dict
        Of the rows to learn from ("data") and those to validate on ("validation").
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
