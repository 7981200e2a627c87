"""A progress bar on stderr, if stderr is a terminal."""

import sys
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sgdreg.cli._messages import console, counted
from sgdreg.cli._visible import visible


@contextmanager
def watching(doing, source=None):
    """Yield a function that passes on parts of rows, and shows how far they have come.

    It shows the rows and the bytes of the file so far, the time, and an estimate of the
    time that is left.

    Parameters
    ----------
    doing : str
        The text before the bar.
    source : Source or None
        What is read. Where the number of its rows is known, the bytes are in proportion to
        them, because text is read some blocks ahead.
    """
    if not sys.stderr.isatty():
        yield iter
        return
    doing, words = visible(doing), TextColumn("{task.description}", markup=False)
    place, count = (None, None) if source is None else (source.place, source.count)
    size = None if place is None else place.size
    columns = [words, BarColumn(), TimeElapsedColumn()]
    if size is not None:
        columns += [TimeRemainingColumn(), TextColumn("left")]
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=size)

        def passed(parts):
            rows = 0
            for part in parts:
                yield part
                rows += len(part)
                done = None if place is None else place.now
                if size is not None and count:
                    done = size * rows / count
                shown = f"{doing}: {counted(rows, 'row')}{_bytes(done, size)}"
                bar.update(task, completed=done, description=shown)

        yield passed


def _bytes(done, size):
    """', 1.5 of 30.0 MB', as far as that is known."""
    if done is None:
        return ""
    return f", {done / 1e6:.1f}{'' if size is None else f' of {size / 1e6:.1f}'} MB"
