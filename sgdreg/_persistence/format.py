"""The format of checkpoints: a fit at the end of an epoch, as plain values.

A plain value is None, a bool, number, string or array, or a list or dict of them. The plan
is not saved: the same data, parameters and seeds give the same plan again.
"""

from collections.abc import Mapping
from itertools import groupby

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg import losses, optimizers, penalties, schedules
from sgdreg._persistence.snapshot import Frozen
from sgdreg._persistence.soundness import ENTRY, MEMORY, STATE, check, damage_noticed
from sgdreg._version import __version__

FORMAT = 2
# The names that a checkpoint must have, beside the parameters.
REQUIRED = {"state", "own", "entropy", "data", "validation", "solver"}
REQUIRED |= {"began", "verdict", "best", "loss", "sharpened"}
# The parts of solvers in format 1: of mini-batches, and of all others.
OF_STEPS, OF_OTHERS = ("halvings", "origin", "shrinking"), "rounds"
# Parameters that `resume` may change: they do not change any step.
FREE = ("max_iter", "n_jobs", "verbose")
# {name: class} of the objects that a checkpoint can hold as parameters.
KNOWN = {
    f"{module.__name__}.{name}": kind
    for module in (losses, optimizers, penalties, schedules)
    for name, kind in vars(module).items()
    if isinstance(kind, type)
    and issubclass(kind, BaseEstimator)
    and kind.__module__.startswith("sgdreg.")
}
NAMES = {kind: name for name, kind in KNOWN.items()}
RANDOM_STATE = "numpy.random.RandomState"


def contents(parameters, state, memory):
    """The checkpoint of a fit: a dict of copies, all of them plain values.

    Parameters
    ----------
    parameters : dict
        Those of the estimator, from `snapshot`.
    state : dict
        `State.packed`.
    memory : dict
        The other values, from `Training.memory` and its callers.
    """
    known = {name: _written(value) for name, value in parameters.items()}
    return {
        "format": FORMAT,
        "sgdreg": __version__,
        "parameters": {n: parts[0] for n, parts in known.items() if parts},
        "own": [name for name, parts in known.items() if not parts],
        "state": _tabled(state),
        **plain({**memory, "solver": _with_states(memory["solver"], _tabled)}),
    }


def recalled(checkpoint, path=None):
    """(parameters, names of custom parameters, state, memory) of a checkpoint.

    Parameters
    ----------
    checkpoint : object
        The value of a file, or the user's argument.
    path : path or None
        Its file, for messages; None for a dict.

    Raises
    ------
    ValueError
        If it is not a checkpoint, or one of a later version.
    """
    where = "The dict" if path is None else str(path)
    number = checkpoint.get("format") if isinstance(checkpoint, Mapping) else None
    if not isinstance(number, int):
        raise ValueError(f"{where} is not a checkpoint of sgdreg.")
    if number > FORMAT:
        raise ValueError(
            f"{where} is a checkpoint of sgdreg {checkpoint.get('sgdreg')}, of format "
            f"{number}; sgdreg {__version__} reads up to format {FORMAT}. Install that "
            "version or a later one."
        )
    where = "" if path is None else f" {path}"
    with damage_noticed(where):
        memory = renewed(plain(checkpoint))
        parameters = {n: _read(value) for n, value in memory.pop("parameters").items()}
        if lacking := REQUIRED - set(memory):
            raise KeyError(*lacking)
        check(memory, MEMORY)
        state, solver = memory.pop("state"), memory["solver"]
        memory["solver"], memory["where"] = _with_states(solver, _untabled), where
        return parameters, memory.pop("own"), _untabled(state), memory


def renewed(memory):
    """The memory of a fit in this format, from one of this format or of format 1."""
    if "solver" in memory or not {*OF_STEPS, OF_OTHERS} <= set(memory):
        return memory
    memory = dict(memory)
    steps = {name: memory.pop(name) for name in OF_STEPS}
    solver = memory.pop(OF_OTHERS)
    if solver is None and steps["origin"] is not None:
        solver = steps
    return memory | {"solver": solver}


def plain(value):
    """A copy of plain values; raises TypeError for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.copy(order="K")  # the order changes the last bits of products
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{type(value).__name__} is no plain value")


def _with_states(solver, change):
    """The part of a solver with its states changed: the dicts with a history."""
    if solver is None:
        return None
    states = {n: v for n, v in solver.items() if isinstance(v, dict) and "history" in v}
    return solver | {name: change(state) for name, state in states.items()}


def _tabled(state):
    """A packed state with its history as `tables`.

    A file with a node for each number would take 100 times as long to write.
    """
    return plain({**state, "history": tables(state["history"])})


def _untabled(state):
    """The packed state that `_tabled` was given, checked."""
    check(state, STATE)
    for table in state["history"]:
        if lacking := ENTRY - set(table["names"]):
            raise KeyError(*lacking)
    return {**state, "history": entries(state["history"])}


def tables(history):
    """The entries of a history as tables, one for each run with the same names."""
    return [
        {"names": list(names), "numbers": np.array([list(e.values()) for e in run])}
        for names, run in groupby(history, key=tuple)
    ]


def entries(tables):
    """The entries of the history from its `tables`."""
    return [
        dict(zip(table["names"], row, strict=True)) | {"epoch": int(row[0])}
        for table in tables
        for row in table["numbers"].tolist()
    ]


# ------------------------------------------------------------------------- parameters


def _written(value):
    """A tuple of a parameter's value as a plain value; empty for a custom object."""
    if isinstance(value, np.random.RandomState):
        state = value.get_state(legacy=False)
        return ({"class": RANDOM_STATE, "state": plain(state)},)
    if isinstance(value, Frozen):
        parts = {n: _written(v) for n, v in value.parameters.items()}
        if value.kind not in NAMES or not all(parts.values()):
            return ()
        parts = {n: v for n, (v,) in parts.items()}
        return ({"class": NAMES[value.kind], "parameters": parts},)
    if isinstance(value, list | tuple):
        parts = [_written(v) for v in value]
        return ([v for (v,) in parts],) if all(parts) else ()
    value = value.item() if isinstance(value, np.generic) else value
    return (value,) if value is None or type(value) in (bool, int, float, str) else ()


def _read(value):
    """The value of a parameter from its form by `_written`."""
    if not isinstance(value, dict):
        return value
    if value["class"] == RANDOM_STATE:
        random_state = np.random.RandomState()
        random_state.set_state(value["state"])
        return random_state
    kind = KNOWN[value["class"]]
    return kind(**{name: _read(part) for name, part in value["parameters"].items()})


def settled(parameters, own, given, names):
    """The parameters for `resume`: the checkpoint's, and those that the user passes.

    Parameters
    ----------
    parameters : dict
    own : list of str
        Names of those that the checkpoint cannot hold: functions and custom objects.
    given : dict
        The parameters that the user passes.
    names : list of str
        Names of all parameters of the estimator.
    """
    missing = [name for name in own if name not in given]
    if missing:
        values = ", ".join(f"{name}=..." for name in missing)
        raise TypeError(
            f"A checkpoint cannot hold functions or custom objects, such as this "
            f"fit's {' and '.join(missing)}: pass them again, resume(path, X, y, {values})."
        )
    fixed = [name for name in given if name not in (*own, *FREE)]
    if fixed:
        raise TypeError(
            f"{' and '.join(fixed)} cannot be given to resume, which goes on with the "
            f"parameters of the checkpoint; only {', '.join((*own, *FREE))} can."
        )
    unknown = set(parameters) - set(names)
    if unknown:
        raise ValueError(
            f"The checkpoint is of an estimator that has {sorted(unknown)}, which this one "
            "does not have: resume it with the version of sgdreg that wrote it."
        )
    return parameters | given


# ------------------------------------------------------------------------------- data
