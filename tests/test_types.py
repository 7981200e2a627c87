"""Types of the public surface: every parameter has one, and each is a type."""

import inspect
import typing
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

import sgdreg
from sgdreg import _typing, display, losses, optimizers, penalties, schedules

# What signatures name besides: imported for type checkers alone.
NAMES = vars(_typing) | {
    "Any": typing.Any, "Mapping": Mapping, "Sequence": Sequence,
    "NDArray": NDArray, "np": np,
    "Self": typing.Self, "Axes": object, "TrajectoryRecorder": sgdreg.TrajectoryRecorder,
    "Loss": losses.Loss, "Optimizer": optimizers.Optimizer,
    "Penalty": penalties.Penalty,
}  # fmt: skip
# Of callbacks; scikit-learn calls them.
HOOKS = {"setup", "teardown", "on_fit_task_begin", "on_fit_task_end"}


def public_classes():
    for module in (sgdreg, display, losses, optimizers, penalties, schedules):
        for name in getattr(module, "__all__", dir(module)):
            thing = getattr(module, name)
            if inspect.isclass(thing) and thing.__module__.startswith("sgdreg"):
                yield thing


CLASSES = sorted(set(public_classes()), key=lambda c: (c.__module__, c.__qualname__))


def functions_of(cls):
    """The public functions that this package defines for a class, without decorators."""
    for name, thing in inspect.getmembers_static(cls):
        if name in HOOKS or (name.startswith("_") and name not in ("__init__", "__call__")):
            continue
        function = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
        function = inspect.unwrap(function) if callable(function) else None
        if inspect.isfunction(function) and function.__module__.startswith("sgdreg"):
            yield name, function


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_public_signatures_have_types(cls):
    assert cls.__doc__
    for name, function in functions_of(cls):
        types = typing.get_type_hints(function, localns=NAMES)
        parameters = set(inspect.signature(function).parameters) - {"self", "cls"}
        assert parameters | {"return"} == set(types), f"{cls.__name__}.{name}"


def test_type_checkers_are_told():
    assert (files("sgdreg") / "py.typed").is_file()
