"""Every code block of README, CONTRIBUTING, CHANGELOG and docs is run.

A page's blocks run in their order, in one empty folder:

* ``python``: with ``>>>`` as doctest, else as it is, all in one namespace;
* ``sh``: by ``bash -e``; a ``text`` block right after it is what it prints (``...`` stands
  for anything).

There are no other languages: what cannot be run is no code block.
"""

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GENERATED = ("_build", "gallery", "generated")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"] + [
    path
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if not set(path.relative_to(ROOT).parts) & set(GENERATED)
]
LANGUAGES = {"python", "sh", "text"}
FENCE = re.compile(
    r"^ *(?P<fence>`{3,}|~{3,}) *(?P<language>[^\n]*)\n(?P<code>.*?)^ *(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)

# Commands that are not run here, because `.ci/run` runs them: what it says for it.
IN_CI = {
    "pip install '.[cli]' && sgdreg fit": "use_command=$(readme_command cli)",
    "pip install '.[test]' && pytest": "test_command=$(readme_command test)",
}
# ... and because they set up a clone, from the network.
SET_UP = {
    "pip install .",
    "pip install meson-python cython ninja",
    "pip install --no-build-isolation --editable '.[test,lint,docs]'",
    "pip install pre-commit && pre-commit install",
}
# What a page that says this cannot be run without.
NEEDED = {
    r"```sh": "typer",
    r"sgdreg\.display|--plot": "matplotlib",
    r"Checkpoint\(|\.skops": "skops",
    r"as_frame|pandas as": "pandas",
    r"ProgressBar\(": "rich",
    r"import dask": "distributed",
}
# SGDRegressor overflows on the raw data of README, which is what is shown.
OVERFLOWS = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    code: str
    line: int


def blocks_of(text):
    return [
        Block(
            found["language"].strip(), found["code"], text.count("\n", 0, found.start()) + 2
        )
        for found in FENCE.finditer(text)
    ]


def commands_of(block):
    """A shell block without the commands that are not run here."""
    lines = [line for line in block.code.splitlines() if line not in {*IN_CI, *SET_UP}]
    return "\n".join(lines).strip()


class Page:
    """Runs the blocks of a page, in a folder."""

    def __init__(self, text, name, folder):
        self.text, self.name, self.folder = text, name, folder
        self.names = {"__name__": "__main__"}
        self.printed = None  # by the shell block before

    def run(self):
        """How many blocks were run."""
        return sum(self._run(block) for block in blocks_of(self.text))

    def _run(self, block):
        where = f"{self.name}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: {block.language!r} is not run"
        if block.language == "text":
            if self.printed is not None:
                self._compare(block.code, where)
            self.printed = None
            return 0
        self.printed = None
        if block.language == "sh":
            return self._shell(commands_of(block), where)
        if ">>>" in block.code:
            return self._doctest(block, where)
        exec(compile("\n" * (block.line - 1) + block.code, self.name, "exec"), self.names)
        return 1

    def _doctest(self, block, where):
        test = doctest.DocTestParser().get_doctest(
            block.code, self.names, where, self.name, block.line - 1
        )
        said = []
        runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
        failed, tried = runner.run(test, out=said.append, clear_globs=False)
        self.names = test.globs
        assert not failed, "".join(said)
        return int(tried > 0)

    def _shell(self, commands, where):
        if not commands:
            return 0
        programs = Path(sys.executable).parent  # where `sgdreg` is
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        ran = subprocess.run(
            ["bash", "-e"],
            input=commands,
            cwd=self.folder,
            env=os.environ | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{where}:\n{ran.stdout}{ran.stderr}"
        self.printed = ran.stdout
        return 1

    def _compare(self, shown, where):
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        same = doctest.OutputChecker().check_output(shown, self.printed, flags)
        assert same, f"{where}: prints\n{self.printed}"


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=OVERFLOWS if p.name == "README.md" else ()) for p in PAGES],
    ids=map(name_of, PAGES),
)
def test_blocks_run(path, tmp_path, monkeypatch):
    text = path.read_text(encoding="utf-8")
    for said, module in NEEDED.items():
        if re.search(said, text):
            pytest.importorskip(module, reason=f"the page needs {module}")
    if "```sh" in text and os.name == "nt":
        pytest.skip("the commands of the page are for a POSIX shell")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(path.parent)  # pages import the files beside them
    ran = Page(text, name_of(path), tmp_path).run()
    here = [b for b in blocks_of(text) if b.language == "python" or commands_of(b)]
    assert ran == sum(block.language != "text" for block in here)


def test_there_are_blocks_of_both_kinds():
    languages = [
        b.language for p in PAGES for b in blocks_of(p.read_text(encoding="utf-8"))
    ]
    assert languages.count("python") > 40
    assert languages.count("sh") > 3


def test_no_fence_is_missed():
    """Each fence of a page opens or closes a block that was found."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        fences = re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)
        assert len(fences) == 2 * len(blocks_of(text)), name_of(path)


def test_commands_that_are_not_run_here():
    shown = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in {*IN_CI, *SET_UP}:
        assert f"\n{command}\n" in shown, f"no page shows {command!r} any more"
    for command, said in IN_CI.items():
        assert said in script, f".ci/run does not run {command!r}"


# ---------------------------------------------------------------- the runner itself

GOOD = """
```python
>>> n = 1 + 1
```
```python
m = n + 1
```
```python
>>> m
3

```
```sh
echo a > file && cat file
```
```text
a
```
"""


def test_the_runner_runs(tmp_path):
    assert Page(GOOD, "page", tmp_path).run() == 4
    assert (tmp_path / "file").read_text() == "a\n"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("3\n\n", "4\n\n"),
        ("m = n + 1", "m = n + 2"),
        ("```python\n>>> m", "```pycon\n>>> m"),
        ("```python\n>>> m", "```\n>>> m"),
        ("cat file", "cat file | grep b"),
        ("```text\na", "```text\nb"),
    ],
)
def test_the_runner_fails(tmp_path, right, wrong):
    assert right in GOOD
    with pytest.raises(AssertionError):
        Page(GOOD.replace(right, wrong), "page", tmp_path).run()
