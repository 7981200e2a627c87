"""Runs cases in a worker process, which may hang or crash, and shortens those that fail."""

import faulthandler
import multiprocessing
from dataclasses import replace

from fuzz.draw import HEAD, draw
from fuzz.oracles import Finding, Watch

# A case takes 0.03 as a rule, 9 at most; a machine may be busy with other things.
SECONDS = 120


class Worker:
    """A process that runs cases, and another one after one that it did not survive."""

    def __init__(self, seconds=SECONDS):
        self.seconds, self.process = seconds, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None

    def _start(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()  # it has imported everything: the clock may start

    def findings(self, case):
        """What is wrong with a case, a list."""
        if self.process is None:
            self._start()
        self.pipe.send(case)
        try:
            if self.pipe.poll(self.seconds):
                return self.pipe.recv()
            self.close()
            return [Finding("hang", "", f"no end in {self.seconds} s")]
        except (EOFError, ConnectionError):
            self.process.join()
            code = self.process.exitcode
            self.close()
            return [Finding("crash", "", f"exit status {code}")]


def _serve(pipe):
    faulthandler.enable()
    pipe.send("ready")
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        try:
            found = Watch(case, HEAD).findings
        except Exception as error:
            found = [Finding("script", "", repr(error))]
        pipe.send(found)


def shortest(case, worker):
    """The case without every line, call and parameter that its first finding can spare."""
    wanted = worker.findings(case)[0].kind

    def fails(shorter):
        return any(found.kind == wanted for found in worker.findings(shorter))

    smaller = True
    while smaller:
        smaller = False
        for shorter in _shorter(case):
            if fails(shorter):
                case, smaller = shorter, True
                break
    return case


def _shorter(case):
    """Cases with one thing less."""
    for part in ("calls", "data", "setup"):
        lines = getattr(case, part)
        for i in reversed(range(len(lines))):
            yield replace(case, **{part: lines[:i] + lines[i + 1 :]})
    for name in case.parameters:
        left = {key: text for key, text in case.parameters.items() if key != name}
        yield replace(case, parameters=left)


def report(seeds, worker):
    """(seed, findings) of the cases that have some."""
    for seed in seeds:
        found = worker.findings(draw(seed))
        if found:
            yield seed, found
