"""Runs the command line in this process, and reads what it prints."""

import json
import re
from inspect import signature

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("pyarrow")
pytest.importorskip("skops")

from typer.testing import CliRunner

from sgdreg import cli

# click before 8.2 mixes stderr into stdout unless told otherwise.
MIXES = "mix_stderr" in signature(CliRunner).parameters
RUNNER = CliRunner(mix_stderr=False) if MIXES else CliRunner()
EXACT = "a,b,price\n1,2,9\n2,1,8\n3,5,22\n4,-1,6\n"  # price = 1 + 2a + 3b


def run(*arguments, stdin=None):
    return RUNNER.invoke(cli.make_app(), [str(a) for a in arguments], input=stdin)


def succeed(*arguments, stdin=None):
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments, stdin=None):
    """The one object on stdout of a run with --json."""

    def never(constant):
        raise ValueError(f"{constant} is no JSON.")

    return json.loads(
        succeed(*arguments, "--json", stdin=stdin).stdout, parse_constant=never
    )


def refused(*arguments, code=2, stdin=None):
    """The one line on stderr of a run that must fail."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    return line.removeprefix("Error: ")


def value(output, label):
    """What stands behind a label at the beginning of a line."""
    (found,) = re.findall(rf"^ *{re.escape(label)}  +(.*?) *$", output, re.MULTILINE)
    return found


def coefficients(output):
    """{feature: (coefficient, coefficient × std)}, in the order printed."""
    number = r"(-?[\d.]+(?:e[-+]\d+)?)"
    row = rf"^ (\S.*?)  +{number}  +{number} *$"
    found = re.findall(row, output, re.MULTILINE)
    return {name: (float(a), float(b)) for name, a, b in found}


def predictions(text):
    """The numbers of a column of predictions; NaN where a cell is empty."""
    header, *cells = text.splitlines()
    assert header == "prediction"
    return np.array([np.nan if cell == '""' else float(cell) for cell in cells])


def csv_of(names, table):
    """A CSV file of numbers, each with all its digits."""
    rows = [",".join(map(repr, map(float, row))) for row in table]
    return "\n".join([",".join(names), *rows]) + "\n"
