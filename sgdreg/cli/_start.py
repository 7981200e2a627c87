"""A faster start: modules that scikit-learn imports, and that a command does not need.

Their imports took half of the time to start the command. Only the command puts them off; a
program that imports `sgdreg.cli` is not affected.
"""

import sys
from importlib import import_module
from types import ModuleType

# scikit-learn and pyarrow import it, where it is installed, to recognise data frames.
UNUSED = "pandas"
# scikit-learn imports it for functions that a fit does not call.
LATER = "scipy.stats"


def put_off_imports():
    """Make scikit-learn's import leave these modules out, unless it is imported already."""
    if "sklearn" not in sys.modules:
        sys.meta_path.insert(0, _Absent)
        sys.modules.setdefault(LATER, _later(LATER))


class _Absent:
    """An import finder for which the module UNUSED is not installed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """As `importlib.abc.MetaPathFinder` has it."""
        if name == UNUSED:
            raise ModuleNotFoundError(f"{name} is not used by the command.", name=name)


def _later(name):
    """A stand-in for a module, which is imported when an attribute is looked up."""
    found = ModuleType(name)

    def look_up(attribute):
        if sys.modules.get(name) is found:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    found.__getattr__ = look_up
    return found
