"""Everything that a command prints besides results: sentences on stderr, exit codes."""

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
# Most names that a sentence lists.
MOST_NAMES = 20
# Least similarity of a name that is proposed for a typo, as difflib measures it.
SIMILAR = 0.5
# Characters of a line in a file or pipe: more than any line has.
WIDTH = 1000


class Unusable(ValueError):
    """Input that cannot be used; the message says what is wrong, where, and what to do."""


@contextmanager
def explained():
    """Turn errors within the block into one sentence and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except (Unusable, InvalidParameterError, NotImplementedError, ImportError) as error:
        message, code = f"Error: {error}", BAD_INPUT
    except (ValueError, TypeError) as error:
        message, code = f"Error: {error}", FAILED
    except BrokenPipeError:  # the reader of the output has closed the pipe
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
    """Send further output, also that of the exit, to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(sentence):
    """One line on stderr."""
    console(stderr=True).print(" ".join(str(sentence).split()), soft_wrap=True)


@contextmanager
def warnings_said(said, worded=str):
    """Print each warning to users as one line on stderr, and append it to `said`.

    Parameters
    ----------
    said : list of str
    worded : callable
        text -> text, which puts the names of columns into the warning.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for warning in caught:
                # Warnings of other categories are for programmers.
                text = worded(" ".join(str(warning.message).split()))
                if issubclass(warning.category, UserWarning) and text not in said:
                    said.append(text)
                    say(f"Warning: {text}")


def show(*parts):
    """Print text and tables on stdout; files and pipes get no trailing spaces."""
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
    """A console without markup, which wraps lines on a terminal only."""
    out = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not out.is_terminal:
        out.width = WIDTH
    return out


def listed(names):
    """Names, separated by commas; of many names only the first MOST_NAMES."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def nearest(name, names):
    """The most similar of the names, which `name` may be a typo of; or None."""
    lower = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=SIMILAR)
    return lower[close[0]] if close else None


def one_line(error):
    """The text of an error in one line."""
    return " ".join(str(error).split()).rstrip(".")


def counted(number, noun):
    """'1 row', '1,234 rows'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
