"""The compiled passes: arrays and scalars in, arrays changed in place."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)  # as in sgdreg/__init__.py
