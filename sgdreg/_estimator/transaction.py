"""All or nothing: a call that raises leaves the estimator as it was."""

from functools import wraps

import numpy as np


class NothingToDo(Exception):
    """Raised within a call that is to change nothing, and to raise nothing either."""


def all_or_nothing(method):
    """Put back every attribute, as it was before the call, when the method raises.

    Whatever raises: refused data, steps that diverge, a callback, Ctrl-C, memory that
    does not suffice, a warning that is to be an error. A RandomState among the parameters
    is set back, too, so that the next call draws what this one would have drawn.

    The method itself must not change in place what attributes hold, but make it anew.
    """

    @wraps(method)
    def whole(self, *args, **kwargs):
        before, generator = vars(self).copy(), vars(self).get("random_state")
        drawn = isinstance(generator, np.random.RandomState)
        draws = generator.get_state(legacy=False) if drawn else None
        try:
            return method(self, *args, **kwargs)
        except BaseException as error:
            self.__dict__ = before  # in one step: nothing can come between
            if drawn:
                generator.set_state(draws)
            if isinstance(error, NothingToDo):
                return self
            raise

    return whole
