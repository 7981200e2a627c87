"""Frozen dataclasses, which are changed by making a new one."""


def changed(record, **fields):
    """A copy with some fields changed, as `dataclasses.replace` makes it, but faster.

    `replace` goes over every field, which takes 20 µs for a plan, and a stream of single
    rows makes some ten copies a call. Only for records without cached properties, whose
    values would be copied, too.
    """
    copy = object.__new__(type(record))
    vars(copy).update(vars(record), **fields)
    return copy
