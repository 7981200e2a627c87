"""A progress bar on stderr, if stderr is a terminal."""

import sys
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sgdreg.cli._messages import console, counted
from sgdreg.cli._visible import visible


@contextmanager
def watching(doing, total=None):
    """Yield a function that passes on parts of rows, and shows the number of rows so far.

    Parameters
    ----------
    doing : str
        The text before the bar.
    total : int or None
        The number of all rows, if it is known.
    """
    if not sys.stderr.isatty():
        yield iter
        return
    doing, words = visible(doing), TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)

        def passed(parts):
            rows = 0
            for part in parts:
                yield part
                rows += len(part)
                shown = f"{doing}: {counted(rows, 'row')}"
                bar.update(task, completed=rows, description=shown)

        yield passed
