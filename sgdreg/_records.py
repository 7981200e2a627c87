"""Records: frozen dataclasses, which are changed by making a new one."""

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import dataclass_transform


@dataclass_transform(eq_default=False, frozen_default=True)
def record(kind):
    """A frozen dataclass that is equal to itself only.

    `dataclass` compiles five or more methods of every class when it is imported, which took
    a third of ``import sgdreg``; a record needs one, and shares the others.
    """
    kind = dataclass(kind, init=False, eq=False, repr=False)
    kind.__init__ = _initialiser(kind)
    kind.__setattr__ = kind.__delattr__ = _refuse
    return kind


def _initialiser(kind):
    """`__init__`, which stores its arguments by one call, unlike that of `dataclass`."""
    names = [part.name for part in fields(kind)]
    defaults = {p.name: p.default for p in fields(kind) if p.default is not MISSING}
    arguments = [f"{name}=_[{name!r}]" if name in defaults else name for name in names]
    pairs = [f"{name}={name}" for name in names]
    made = {}
    exec(
        f"def __init__(self, {', '.join(arguments)}):\n"
        f"    self.__dict__.update({', '.join(pairs)})",
        {"_": defaults},
        made,
    )
    return made["__init__"]


def _refuse(self, name, *value):
    raise FrozenInstanceError(f"cannot change {name!r} of a record")


class once:
    """A property that is computed at its first use, and from then on an attribute.

    `functools.cached_property` without its lock, which takes 1 µs (before Python 3.12).
    """

    def __init__(self, compute):
        self.compute, self.name = compute, compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = vars(instance)[self.name] = self.compute(instance)
        return value


def changed(record, **fields):
    """A copy with some fields changed, as `dataclasses.replace` makes it, but faster.

    `replace` goes over every field, which takes 20 µs for a plan, and a stream of single
    rows makes some ten copies a call. Only for records without cached properties, whose
    values would be copied, too.
    """
    copy = object.__new__(type(record))
    vars(copy).update(vars(record), **fields)
    return copy
