"""The compiled passes: arrays and scalars in, arrays changed in place."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)  # as that of the package above
