"""Escapes for control characters in text from files, so that terminals do not obey them.

All output of the command passes through here: rich (`Console`), JSON (`in_json`), typer's
errors of usage (`usage_visible`) and tracebacks (`excepthook`).
"""

import json
import re
import traceback
from contextlib import contextmanager

import typer
from rich.console import Console as RichConsole
from rich.segment import Segment

# Control characters (C0, DEL, C1), line and paragraph separators, characters that change
# the direction of text or have no width (Unicode Technical Report 36, 2.5 and 3.2), and
# halves of surrogate pairs. Joiners of letters are kept: some scripts need them.
ACTING = (
    "\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
ALL, IN_LINES = re.compile(f"[{ACTING}]"), re.compile(rf"(?!\n)[{ACTING}]")
USAGE_ERROR = typer.BadParameter.__base__


def visible(text, within=ALL):
    r"""The text with escapes, such as \x1b, instead of control characters."""
    return within.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def in_json(value):
    """Plain values as indented JSON, with JSON's escapes for control characters."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    return IN_LINES.sub(lambda found: json.dumps(found[0])[1:-1], text)


class Console(RichConsole):
    """A console that escapes control characters, and raises where a pipe is closed."""

    def render_str(self, text, **options):
        return super().render_str(visible(text), **options)  # before the layout

    def render(self, renderable, options=None):
        for segment in super().render(renderable, options):
            if segment.control:  # rich has made it
                yield segment
            else:
                yield Segment(visible(segment.text, IN_LINES), segment.style)

    def on_broken_pipe(self):
        raise BrokenPipeError  # `explained` then ends the command silently


@contextmanager
def usage_visible():
    """Escape control characters in errors of usage, which quote arguments."""
    try:
        yield
    except USAGE_ERROR as error:
        message = error.format_message()
        if visible(message, IN_LINES) == message:
            raise
        raise USAGE_ERROR(visible(message, IN_LINES), error.ctx) from None


class Commands(typer.core.TyperGroup):
    """The group of sub-commands, with `usage_visible` around each."""

    def make_context(self, *args, **options):
        with usage_visible():
            return super().make_context(*args, **options)

    def invoke(self, ctx):
        with usage_visible():
            return super().invoke(ctx)


def excepthook(kind, error, trace):
    """Print a traceback on stderr."""
    text = "".join(traceback.format_exception(kind, error, trace))
    typer.echo(visible(text, IN_LINES), err=True, nl=False)
