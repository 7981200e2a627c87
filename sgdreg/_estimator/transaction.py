"""All or nothing: a call that raises leaves the estimator as it was."""

from functools import wraps

import numpy as np


class NothingToDo(Exception):
    """Raised inside a call that must neither change the estimator nor raise an error."""


def all_or_nothing(method):
    """Restore every attribute when the method raises.

    For any cause: refused data, diverging steps, a callback, Ctrl-C, too little memory, a
    warning that is turned into an error. A RandomState among the parameters is restored
    too, so that the next call draws the same numbers.

    The method must not change the values of attributes in place; it must replace them.
    """

    @wraps(method)
    def whole(self, *args, **kwargs):
        before, generator = vars(self).copy(), vars(self).get("random_state")
        drawn = isinstance(generator, np.random.RandomState)
        draws = generator.get_state(legacy=False) if drawn else None
        try:
            return method(self, *args, **kwargs)
        except BaseException as error:
            self.__dict__ = before  # one assignment, which Ctrl-C cannot interrupt
            if drawn:
                generator.set_state(draws)
            if isinstance(error, NothingToDo):
                return self
            raise

    return whole
