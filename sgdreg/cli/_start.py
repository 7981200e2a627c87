"""A quick start: what scikit-learn imports at its own, and a command has no use for.

Half of the time to start the command was theirs. It is for a process of its own: a program
that imports `sgdreg.cli` is left alone.
"""

import sys
from importlib import import_module
from types import ModuleType

# Imported where it is installed, by scikit-learn and pyarrow, to know its data frames.
UNUSED = "pandas"
# Imported for functions that a fit does not call.
LATER = "scipy.stats"


def put_off_imports():
    """Let scikit-learn be imported without them, unless it has been already."""
    if "sklearn" not in sys.modules:
        sys.meta_path.insert(0, _Absent)
        sys.modules.setdefault(LATER, _later(LATER))


class _Absent:
    """Finds that a module is not installed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """As `importlib.abc.MetaPathFinder` has it."""
        if name == UNUSED:
            raise ModuleNotFoundError(f"{name} is not used by the command.", name=name)


def _later(name):
    """A module that is imported when something of it is looked up."""
    found = ModuleType(name)

    def look_up(attribute):
        if sys.modules.get(name) is found:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    found.__getattr__ = look_up
    return found
