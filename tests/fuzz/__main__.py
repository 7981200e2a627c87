import sys

from fuzz.draw import draw
from fuzz.run import Worker, report, shortest


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(first, last=None):
    with Worker() as worker:
        if last is None:
            case = draw(int(first))
            say(case.script())
            found = worker.findings(case)
            say(*found or ["nothing found"])
            if found:
                say("\nThe shortest that fails alike:\n")
                say(shortest(case, worker).script())
            return
        for seed, found in report(range(int(first), int(last) + 1), worker):
            for one in found:
                say(f"{seed}: {one.kind}: {one.call}: {one.text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
