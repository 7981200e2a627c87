"""The command as it is installed: terminals, pipes, signals, missing extras."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import EXACT, coefficients, refused, succeed, value

from sgdreg import SGDLinearRegressor

SCRIPT = Path(sys.executable).with_name("sgdreg")
ENVIRONMENT = os.environ | {"PYTHONIOENCODING": "utf-8", "TERM": "xterm", "COLUMNS": "80"}
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")
installed = pytest.mark.skipif(
    not SCRIPT.exists(), reason=f"{SCRIPT.name} is not installed beside Python"
)


@installed
def test_script_in_a_pipe(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(EXACT)
    result = subprocess.run(
        [SCRIPT, "fit", path, "--target", "price"],
        capture_output=True,
        encoding="utf-8",
        env=ENVIRONMENT,
        check=True,
    )
    assert coefficients(result.stdout)["a"][0] == pytest.approx(2, rel=1e-5)
    assert result.stderr == ""
    assert "\x1b" not in result.stdout


@installed
@posix
def test_progress_bar_on_a_terminal_only():
    main, terminal = os.openpty()
    with os.fdopen(main, "rb", buffering=0) as screen:
        result = subprocess.run(
            [SCRIPT, "fit"],
            stdout=subprocess.PIPE,
            stderr=terminal,
            encoding="utf-8",
            env=ENVIRONMENT,
            check=True,
        )
        os.close(terminal)
        shown = b""
        while len(shown) < 10**6:
            try:
                shown += screen.read(65536)
            except OSError:  # all has been read
                break
    assert "SGDLinearRegressor - fit" in shown.decode()
    assert "100%" in shown.decode()

    def lasting(text):
        return re.sub(r"Seconds.*", "", text)

    assert value(result.stdout, "R² of the fit") == "0.517748"
    assert lasting(result.stdout) == lasting(succeed("fit").stdout)


@pytest.mark.parametrize("command", ["inspect", "fit"])
def test_output_fits_a_terminal_of_80_columns(monkeypatch, command):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, to rich
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    names = ["a_rather_long_name_of_a_column", "kind", "y"]
    rows = [f"{j / 7!r},{'uv'[j % 2]},{-(j**9)}" for j in range(50)]
    shown = succeed(command, "-", stdin="\n".join([",".join(names), *rows])).stdout
    assert "\x1b[" in shown
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert any("a_rather" in line for line in lines)  # folded where it must be
    assert any("text (2)" in line for line in lines) == (command == "inspect")


@installed
@posix
def test_readers_that_have_seen_enough(tmp_path):
    path, model = tmp_path / "data.csv", tmp_path / "model.skops"
    path.write_text("a,y\n" + "".join(f"{j},{j * j}\n" for j in range(20_000)))
    succeed("fit", path, "--save", model)
    pipe = 'set -o pipefail; "$@" | head -n 1'
    processes = [
        subprocess.Popen(
            ["bash", "-c", pipe, "bash", SCRIPT, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=ENVIRONMENT,
        )
        for arguments in (["fit", path], ["predict", model, path])
    ]
    for process, line in zip(processes, (f"{path}: 20,000", "prediction"), strict=True):
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert output.startswith(line)
        assert len(output.splitlines()) == 1


@installed
@posix
def test_closed_output(tmp_path):
    model = tmp_path / "model.skops"
    closed = ["bash", "-c", '"$@" >&-', "bash", SCRIPT, "fit", "--save", model]
    result = subprocess.run(
        closed, check=False, stderr=subprocess.PIPE, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert model.exists()


@installed
@posix
def test_ctrl_c(tmp_path):
    model = tmp_path / "model.skops"
    command = ["fit", "--optimizer", "sgd", "--tol", "none", "--max-iter", "1000000000"]
    process = subprocess.Popen(
        [SCRIPT, *command, "--save", model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "442 rows" in process.stdout.readline()  # written just before the fit
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "Interrupted.\n")
    assert list(tmp_path.iterdir()) == []


def test_missing_extras():
    code = (
        "import sys, importlib\n"
        "sys.argv = ['sgdreg', 'fit']\n"
        "for name in ('pyarrow', 'rich', 'typer'):\n"
        "    sys.modules[name] = None\n"
        "    for known in [m for m in sys.modules if m.startswith('sgdreg.cli')]:\n"
        "        del sys.modules[known]\n"
        "    try:\n"
        "        importlib.import_module('sgdreg.cli').main()\n"
        "    except SystemExit as end:\n"
        "        print(name, end.code)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 3
    for line in result.stdout.splitlines():
        _, message = line.split(maxsplit=1)
        assert message.startswith("The command sgdreg needs its extras (")
        assert message.endswith("pip install 'sgdreg[cli]'.")


def test_saving_without_skops_is_noticed_before_the_fit(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setattr(SGDLinearRegressor, "fit", lambda *_: 1 / 0)
    path = tmp_path / "model.skops"
    assert "files of the skops format: pip install" in refused("fit", "--save", path)


def test_imports_that_a_command_does_without():
    code = (
        "import sys\n"
        "from sgdreg.cli import main\n"
        "sys.argv = ['sgdreg', '--version']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "for name in ('pandas', 'scipy.stats._stats_py', 'sklearn.metrics'):\n"
        "    assert name not in sys.modules, name\n"
        "from scipy import stats\n"  # which comes where it is asked for
        "from scipy.stats import rankdata\n"
        "assert stats.rankdata([2, 1]).tolist() == rankdata([2, 1]).tolist() == [2, 1]\n"
    )
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
