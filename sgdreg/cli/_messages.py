"""What the command says besides results: sentences on stderr, and exit codes."""

import os
import sys
import warnings
from contextlib import contextmanager
from difflib import get_close_matches

import typer

from sgdreg._sklearn import InvalidParameterError
from sgdreg.cli._visible import Console

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0 all went well, 1 the fit failed, 2 bad input or usage, 130 interrupted."
)
MOST_NAMES = 20


class Unusable(ValueError):
    """Input that cannot be used; the message tells the user what, where and why."""


@contextmanager
def explained():
    """Turn what can go wrong into one sentence and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except (Unusable, InvalidParameterError, NotImplementedError, ImportError) as error:
        message, code = f"Error: {error}", BAD_INPUT
    except (ValueError, TypeError) as error:
        message, code = f"Error: {error}", FAILED
    except BrokenPipeError:  # whoever read the output has seen enough
        silence()
        return
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        message, code = f"Error: {where}{error.strerror or error}.", BAD_INPUT
    except MemoryError:
        message, code = "Error: The memory does not suffice for these data.", FAILED
    except KeyboardInterrupt:
        message, code = "Interrupted.", INTERRUPTED
    else:
        return
    say(message)
    raise typer.Exit(code)


def silence():
    """Let what is still to be written to a closed pipe go nowhere, at exit too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(sentence):
    """One line on stderr."""
    console(stderr=True).print(" ".join(str(sentence).split()), soft_wrap=True)


@contextmanager
def warnings_said(said, worded=str):
    """Each warning to a user is one line on stderr, and kept in the list `said`.

    Parameters
    ----------
    worded : callable
        What they are to the user of a file: text -> text.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for warning in caught:
                # Other categories speak to programmers.
                text = worded(" ".join(str(warning.message).split()))
                if issubclass(warning.category, UserWarning) and text not in said:
                    said.append(text)
                    say(f"Warning: {text}")


def show(*parts):
    """Text and tables on stdout; without spaces at the end of lines in a file or pipe."""
    out = console()
    if out.is_terminal:
        for part in parts:
            out.print(part)
        return
    with out.capture() as capture:
        for part in parts:
            out.print(part)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())


def console(stderr=False):
    """A console that prints words as they are, and never wraps a file's lines."""
    out = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not out.is_terminal:
        out.width = 1000
    return out


def listed(names):
    """Names in one line, the first few where there are many."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def nearest(name, names):
    """The name that `name` may be a typo of, or None."""
    lower = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return lower[close[0]] if close else None


def one_line(error):
    """The text of an error in one line."""
    return " ".join(str(error).split()).rstrip(".")


def counted(number, noun):
    """'1 row', '1,234 rows'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
