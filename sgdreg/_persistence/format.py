"""What a checkpoint holds: a fit at the end of an epoch, as plain values.

A plain value is None, a bool, number, string or array, or a list or dict of them. The plan
is none of it: the same data, parameters and seeds give the same one again.
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
# What the fit and its training must find, beside the parameters.
REQUIRED = {"state", "own", "entropy", "data", "validation", "solver"}
REQUIRED |= {"began", "verdict", "best", "loss", "sharpened"}
# What solvers go on from in format 1: steps of a size chosen here, and all others.
OF_STEPS, OF_OTHERS = ("halvings", "origin", "shrinking"), "rounds"
# What a fit that goes on may be given anew: none of it changes a step.
FREE = ("max_iter", "n_jobs", "verbose")
# The objects that parameters may hold, by name.
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
    """The checkpoint of a fit: a dict of plain values, all of them copies.

    Parameters
    ----------
    parameters : dict
        Of the estimator, as `snapshot` has them.
    state : dict
        `State.packed`.
    memory : dict
        The rest, as `Training.memory` and its callers have it.
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
    """(parameters, those that it could not hold, state, memory) of a checkpoint.

    Parameters
    ----------
    checkpoint : object
        What a file, or a user, has given as one.
    path : path or None
        Its file, for messages.

    Raises
    ------
    ValueError
        Where it is none, or of a later version.
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
    """The memory of a fit as this version has it, of one of format 1 too."""
    if "solver" in memory or not {*OF_STEPS, OF_OTHERS} <= set(memory):
        return memory
    memory = dict(memory)
    steps = {name: memory.pop(name) for name in OF_STEPS}
    solver = memory.pop(OF_OTHERS)
    if solver is None and steps["origin"] is not None:
        solver = steps
    return memory | {"solver": solver}


def plain(value):
    """A copy of plain values; TypeError for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.copy(order="K")  # products depend on it, in their last bits
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{type(value).__name__} is no plain value")


def _with_states(solver, change):
    """What a solver goes on from, its states changed: those have a history."""
    if solver is None:
        return None
    states = {n: v for n, v in solver.items() if isinstance(v, dict) and "history" in v}
    return solver | {name: change(state) for name, state in states.items()}


def _tabled(state):
    """With the history as tables, one for each run of entries of the same names.

    A file of a node for each number would take 100 times as long to write.
    """
    return plain({**state, "history": tables(state["history"])})


def _untabled(state):
    check(state, STATE)
    for table in state["history"]:
        if lacking := ENTRY - set(table["names"]):
            raise KeyError(*lacking)
    return {**state, "history": entries(state["history"])}


def tables(history):
    """The entries of a history as tables, one for each run of the same names."""
    return [
        {"names": list(names), "numbers": np.array([list(e.values()) for e in run])}
        for names, run in groupby(history, key=tuple)
    ]


def entries(tables):
    """The history that these tables are of."""
    return [
        dict(zip(table["names"], row, strict=True)) | {"epoch": int(row[0])}
        for table in tables
        for row in table["numbers"].tolist()
    ]


# ------------------------------------------------------------------------- parameters


def _written(value):
    """A parameter's value as a plain one, in a tuple; an empty one for a user's own."""
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
    """The value of a parameter that `_written` has written."""
    if not isinstance(value, dict):
        return value
    if value["class"] == RANDOM_STATE:
        random_state = np.random.RandomState()
        random_state.set_state(value["state"])
        return random_state
    kind = KNOWN[value["class"]]
    return kind(**{name: _read(part) for name, part in value["parameters"].items()})


def settled(parameters, own, given, names):
    """The parameters to go on with: the checkpoint's, and those that a user must give.

    Parameters
    ----------
    parameters : dict
    own : list of str
        Those that the checkpoint could not hold: functions, objects of one's own.
    given : dict
        The user's.
    names : list of str
        Those that there are.
    """
    missing = [name for name in own if name not in given]
    if missing:
        values = ", ".join(f"{name}=..." for name in missing)
        raise TypeError(
            f"A checkpoint cannot hold functions or objects of your own, such as this "
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
        raise ValueError(f"The checkpoint is of an estimator that has {sorted(unknown)}.")
    return parameters | given


# ------------------------------------------------------------------------------- data
