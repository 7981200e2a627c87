"""A model as named fields of plain values and arrays, for pickle and skops.

The files name public classes only. So private modules may move, and later versions read the
files of earlier ones. The user's custom objects are stored as they are.
"""

from dataclasses import MISSING, fields

import numpy as np
from sklearn.base import BaseEstimator

from sgdreg._curvature.diagonal import Stream
from sgdreg._curvature.factor import Curvature
from sgdreg._curvature.metric import Metric
from sgdreg._curvature.sample import Sketch
from sgdreg._estimator.attributes import Continuation, MadeFor
from sgdreg._persistence.format import KNOWN, NAMES, entries, renewed, tables
from sgdreg._persistence.snapshot import PLAIN, Frozen, snapshot
from sgdreg._plan.plan import Plan
from sgdreg._plan.report import Report
from sgdreg._plan.start import Start
from sgdreg._records import changed
from sgdreg._solvers.reservoir import Sample
from sgdreg._training.loop import Best
from sgdreg._training.state import State
from sgdreg._training.statistics import NOTHING, Statistics
from sgdreg._version import __version__
from sgdreg.penalties import AppliedPenalty

FORMAT = 1
# The record classes of a model, by their names in files.
RECORDS = {
    "plan": Plan,
    "penalty": AppliedPenalty,
    "start": Start,
    "metric": Metric,
    "sketch": Sketch,
    "curvature": Curvature,
    "sample": Sample,
    "stream": Stream,
    "statistics": Statistics,
}
RECORD_NAMES = {kind: name for name, kind in RECORDS.items()}
# Fields of a Report that are stored with it; the fields OF_START come from the Start.
REPORTED = ("scaled", "rank", "low_rank", "sampled", "rows", "single")
OF_START = ("plan", "schedule", "reason", "solved")
# Statistics that files of 0.1.0 have among the fields of the start, by their names there.
WERE_OF_START = {
    "curvature": "curvature",
    "sample": "sample",
    "stream": "stream",
    "weights": "answer",
}


def saved(model):
    """The fields of a model, fitted or not: a dict.

    Parameters
    ----------
    model : SGDLinearRegressor
    """
    attributes = vars(model).copy()
    names = [name for name in model._get_param_names() if name in attributes]
    document = {
        "format": FORMAT,
        "sgdreg": __version__,
        "parameters": {name: written(attributes.pop(name)) for name in names},
    }
    if "_continuation" in attributes:
        start, state, made_for = attributes.pop("_continuation")
        report, history = attributes.pop("plan_"), attributes.pop("history_")
        known = {f.name: f.default for f in fields(State)}
        parts = state.packed()
        parts = {n: v for n, v in parts.items() if not _is_default(v, known[n])}
        if any(part is not None for part in vars(state.statistics).values()):
            parts["statistics"] = written(state.statistics)
        document["training"] = {
            "start": written(_without_root(start, state.statistics.curvature)),
            "state": parts | {"history": tables(parts["history"])},
            "online": made_for.online,
            "report": {name: getattr(report, name) for name in REPORTED},
        }
        if history != state.shown_history():
            document["training"]["history"] = tables(history)
        if not _same(made_for.parameters, snapshot(model)):
            document["training"]["made_for"] = written(made_for.parameters)
        attributes["_memory"] = _once(attributes["_memory"], parts["weights"])
    return document | {"attributes": attributes}


def restored(document):
    """The attributes of a model, from the fields that `saved` has returned.

    Raises
    ------
    ValueError
        Where the fields are not a model, or have a later format.
    """
    number = document.get("format")
    if not isinstance(number, int):
        raise ValueError("This is no model of sgdreg, or one of a version before 0.1.0.")
    if number > FORMAT:
        raise ValueError(
            f"This is a model of sgdreg {document.get('sgdreg')}, of format {number}; "
            f"sgdreg {__version__} reads up to format {FORMAT}. Install that version or a "
            "later one."
        )
    parameters = {name: read(part) for name, part in document["parameters"].items()}
    attributes = parameters | document["attributes"]
    if "training" not in document:
        return attributes
    training = document["training"]
    begin, parts = _statistics_moved(training["start"], training["state"])
    statistics = read(parts["statistics"]) if "statistics" in parts else NOTHING
    start = _with_centre(read(begin), statistics.curvature)
    made_for = MadeFor(training["online"], snapshot(parameters))
    if "made_for" in training:
        made_for = MadeFor(training["online"], read(training["made_for"]))
    parts = parts | {"history": entries(parts["history"]), "statistics": statistics}
    state = State.unpacked(parts)
    history = state.shown_history()
    if "history" in training:
        history = entries(training["history"])
    report = training["report"] | {name: getattr(start, name) for name in OF_START}
    if attributes["_memory"] is not None:
        attributes["_memory"] = renewed(attributes["_memory"])
    return attributes | {
        "plan_": Report(**report),
        "history_": history,
        "_continuation": Continuation(start, state, made_for),
    }


def _once(memory, weights):
    """The memory of a fit, with equal arrays replaced by one and the same array.

    Files store an array once, however many references to it there are.
    """
    if memory is None or memory["best"] is None:
        return memory
    best = Best(*memory["best"])
    if np.array_equal(best.weights, weights):
        best = best._replace(weights=weights)
    if np.array_equal(best.losses, memory["loss"]):
        best = best._replace(losses=memory["loss"])
    return memory | {"best": tuple(best)}


def _same(one, other):
    """Whether two snapshots have the same parameters, and the same types of numbers."""
    try:
        ordered = (repr(sorted(part.items())) for part in (one, other))
        return bool(one == other) and len(set(ordered)) == 1
    except (TypeError, ValueError):
        return False


def _statistics_moved(start, state):
    """(start, state) of a file, with the statistics in the state."""
    parts = start["fields"]
    found = {new: parts[old] for old, new in WERE_OF_START.items() if old in parts}
    if not found:
        return start, state
    parts = {name: part for name, part in parts.items() if name not in WERE_OF_START}
    statistics = {"record": RECORD_NAMES[Statistics], "fields": found}
    return start | {"fields": parts}, state | {"statistics": statistics}


def _without_root(start, curvature):
    """The start without the large arrays of its metric, which a further fit recomputes.

    A stream of textbook steps keeps them: it stays in the coordinates of its first rows.
    """
    if start.plan.online and not start.plan.automatic:
        return start
    slim = Metric(start.metric.centre, start.metric.scale)
    if curvature is not None and np.array_equal(slim.centre, curvature.mean):
        slim = Metric(None, slim.scale)
    return changed(start, metric=slim, sketch=None)


def _with_centre(start, known):
    """The start with the centre of its curvature, where the file has no centre."""
    metric = start.metric
    if known is None or metric.centre is not None or not known.centred:
        return start
    return changed(start, metric=Metric(known.mean, metric.scale, metric.root))


def written(value):
    """A value as plain values: records and known objects become dicts with their names."""
    if type(value) in RECORD_NAMES:
        parts = {f.name: getattr(value, f.name) for f in fields(value)}
        known = {f.name: f.default for f in fields(value)}
        parts = {n: written(v) for n, v in parts.items() if not _is_default(v, known[n])}
        if type(value) is Curvature:
            parts["triangle"] = _packed(value.triangle)
        return {"record": RECORD_NAMES[type(value)], "fields": parts}
    if type(value) is Frozen:
        kind = NAMES.get(value.kind, value.kind)
        return {"frozen": kind, "parameters": written(value.parameters)}
    if type(value) in NAMES and _by_parameters(value):
        return {"class": NAMES[type(value)], "parameters": written(vars(value))}
    if type(value) is dict:
        return {name: written(part) for name, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(written, value))
    return value.item() if isinstance(value, np.generic) else value


def _is_default(value, default):
    """Whether a field has its default, and need not be written."""
    plain = type(value) in PLAIN and type(value) is type(default)
    return default is not MISSING and plain and value == default


def _by_parameters(value):
    """Whether an object holds its parameters and nothing else."""
    return isinstance(value, BaseEstimator) and sorted(vars(value)) == sorted(
        value._get_param_names()
    )


def read(value):
    """The inverse of `written`."""
    if type(value) in (list, tuple):
        return type(value)(map(read, value))
    if type(value) is not dict:
        return value
    if "record" in value:
        parts = {name: read(part) for name, part in value["fields"].items()}
        if value["record"] == "curvature":
            parts["triangle"] = _unpacked(parts["triangle"])
        return RECORDS[value["record"]](**parts)
    if "frozen" in value:
        kind = value["frozen"]
        return Frozen(KNOWN.get(kind, kind), read(value["parameters"]))
    if "class" in value:
        return KNOWN[value["class"]](**read(value["parameters"]))
    return {name: read(part) for name, part in value.items()}


def _packed(triangle):
    """The upper triangle of an array that is zero below it, as one-dimensional values."""
    upper = np.triu(np.ones(triangle.shape, dtype=bool))
    if triangle[~upper].any():
        return triangle
    columns = triangle.strides[0] < triangle.strides[1]
    return {
        "upper": triangle[upper],
        "shape": list(triangle.shape),
        "order": "F" if columns else "C",
    }


def _unpacked(parts):
    if isinstance(parts, np.ndarray):
        return parts
    # In the same memory order, on which the last bits of products depend.
    triangle = np.zeros(parts["shape"], order=parts["order"])
    triangle[np.triu(np.ones(triangle.shape, dtype=bool))] = parts["upper"]
    return triangle
