"""Two commits side by side: ``python -m benchmarks.compare BASE HEAD``.

Each commit is checked out into a separate git worktree and built into a virtual
environment with the packages of this one, which must have the tools of a build: pip,
meson-python, cython, ninja. Each commit has one process; they time every case in turns, and
the shortest time counts. The exit code is 1 where HEAD takes more than RATIO times as long
as BASE, and LEAST seconds longer, also when the case is measured again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

RATIO = 1.15
LEAST = 0.5e-3  # seconds; smaller differences are noise of the system
REPEATS = 7
ROUND = 0.02  # seconds: short calls are repeated until they take this long
MOST_CALLS = 100
IMPORT = "import after scikit-learn"
IMPORTED = """
import sklearn.linear_model, sklearn.utils.validation, time
start = time.perf_counter()
import sgdreg
print(time.perf_counter() - start)
"""


# The cases, which run in the process of a commit


def fitted(n, d, **settings):
    """A function that sets up the call of ``fit`` on n × d rows."""

    def set_up():
        model, X, y = problem(n, d, settings)
        return lambda: model.fit(X, y)

    return set_up


def streamed(n, d, **settings):
    """The same for ``partial_fit`` with n rows, of a model that has seen more rows."""

    def set_up():
        model, X, y = problem(n + 1000, d, settings)
        model.partial_fit(X, y)
        return lambda: model.partial_fit(X[:n], y[:n])

    return set_up


def problem(n, d, settings):
    """A model, and rows with several scales and heavy-tailed noise."""
    import numpy as np  # noqa: PLC0415 (only in the process of a commit)

    from sgdreg import SGDLinearRegressor  # noqa: PLC0415

    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-0.5, 0.5, d) + 3
    y = X @ rng.normal(size=d) + rng.standard_t(3, size=n)
    return SGDLinearRegressor(**settings), X, y


CASES = {
    "fit 100 × 1": fitted(100, 1),
    "fit 442 × 10": fitted(442, 10),
    "fit 100,000 × 20": fitted(100_000, 20),
    "fit 2000 × 20, quantile": fitted(2000, 20, loss="quantile"),
    "fit 2000 × 20, huber": fitted(2000, 20, loss="huber"),
    "fit 2000 × 20, l1": fitted(2000, 20, penalty="l1", alpha=0.05),
    "partial_fit 1 × 20": streamed(1, 20),
    "partial_fit 10,000 × 20": streamed(10_000, 20),
    IMPORT: None,
}


def work():
    """Read names of cases from stdin, one per line; answer each with one line."""
    warnings.simplefilter("ignore")
    calls = {}
    for line in sys.stdin:
        name = json.loads(line)
        try:
            if name == IMPORT:
                answer = {"seconds": import_time()}
            else:
                if name not in calls:
                    calls[name] = CASES[name]()
                    calls[name]()  # a first call does more, such as imports
                answer = {"seconds": seconds_of(calls[name])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def import_time():
    """Seconds that the import takes in a new process, after that of scikit-learn."""
    command = [sys.executable, "-P", "-c", IMPORTED]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def seconds_of(call):
    """Seconds of a call; for short calls the mean over as many as fill a round."""
    count, start = 0, perf_counter()
    while True:
        call()
        count += 1
        passed = perf_counter() - start
        if passed > ROUND or count == MOST_CALLS:
            return passed / count


# The two commits


class Commit:
    """A commit, and the process that times it."""

    def __init__(self, process):
        self.process = process

    def seconds(self, name):
        """Seconds of a case, or the sentence that says why it failed."""
        self.process.stdin.write(json.dumps(name) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "process ended"}')
        return answer.get("seconds", answer.get("error"))


@contextmanager
def built(name, folder):
    """The commit of this name, built in an empty folder; removed after the block."""
    tree = str(folder / "tree")
    _run("git", "worktree", "add", "--quiet", "--detach", tree, name)
    try:
        python = make_environment(folder / "environment")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        where = f"--config-settings=build-dir={folder / 'build'}"
        _run(*pip, "--force-reinstall", "--no-deps", "--no-build-isolation", where, tree)
        # BLAS on one thread: the number of free cores changes all the time.
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ""}
        with subprocess.Popen(
            [python, "-P", __file__, "--worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        ) as process:  # fmt: skip
            yield Commit(process)
    finally:
        _run("git", "worktree", "remove", "--force", tree)


def make_environment(folder):
    """Make a virtual environment with the packages of this one; returns its Python.

    Editable installs are left out: Python does not follow .pth files from .pth files.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = str(folder / scripts / "python")
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    others = [path for path in sys.path if path.endswith("-packages")]
    Path(found.stdout.strip(), "others.pth").write_text("\n".join(others), encoding="utf-8")
    return python


def _run(*command):
    """Run a command with the scripts of this environment (cython, ninja) on the path."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join([here, os.environ.get("PATH", "")])
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


# The comparison


def compare(base, head, name, repeats):
    """The shortest of `repeats` times of each commit, or its error; they take turns."""
    best = [float("inf")] * 2
    for _ in range(repeats):
        for i, commit in enumerate((base, head)):
            seconds = commit.seconds(name)
            if isinstance(seconds, str):
                best[i] = seconds
            elif not isinstance(best[i], str):
                best[i] = min(best[i], seconds)
        if any(isinstance(value, str) for value in best):
            break
    return best


def verdict(base, head):
    """The result of a case in a word: with "slower" or "fails" the comparison fails.

    A case is slower if it takes more than RATIO times as long, and more than LEAST seconds
    longer. A case that the base cannot run is new.
    """
    if isinstance(head, str):
        return "fails"
    if isinstance(base, str):
        return "new"
    return "slower" if head > RATIO * base and head - base > LEAST else "as fast"


def table(base, head, names, repeats):
    """Print a line for each case; returns whether none is slower or fails."""
    print(f"{'':26s}  {'base ms':>9s}  {'head ms':>9s}  head / base")
    good = True
    for name in names:
        times = compare(base, head, name, repeats)
        if verdict(*times) == "slower":  # perhaps other processes were busy
            again = compare(base, head, name, repeats)
            if not any(isinstance(value, str) for value in again):
                times = [min(pair) for pair in zip(times, again, strict=True)]
        word = verdict(*times)
        good = good and word not in ("slower", "fails")
        if any(isinstance(value, str) for value in times):
            print(f"{name:26s}  {word}: {next(t for t in times if isinstance(t, str))}")
            continue
        was, now = times
        print(f"{name:26s}  {1e3 * was:9.3f}  {1e3 * now:9.3f}  {now / was:11.2f}  {word}")
    return good


def main():
    """Compare two commits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="a commit, as git names it")
    parser.add_argument("head", help="another one")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--cases", default="", help="only those with this in their names")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        commits = []
        for place, name in (("base", options.base), ("head", options.head)):
            (folder / place).mkdir()
            commits.append(stack.enter_context(built(name, folder / place)))
        names = [name for name in CASES if options.cases in name]
        good = table(*commits, names, options.repeats)
    if not good:
        print(f"slower: more than {RATIO} times as long, and {1e3 * LEAST} ms longer")
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        sys.exit(work())
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:  # the command has printed the reason
        sys.exit(f"{' '.join(error.cmd)}: ended with {error.returncode}")
