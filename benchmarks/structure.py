"""The structure of the package: ``python -m benchmarks.structure [PACKAGE_DIR]``.

From the source: which file imports which, circles, the longest chain of files, imports
that go up, the largest files, and repeated lines. From three small fits: the modules that
a call passes through, and where X is handed from one module to another. The fits are left
out where PACKAGE_DIR is not the source of the package that is installed. This file also
runs by itself, on another checkout: ``python structure.py OTHER/sgdreg``.
"""

import argparse
import ast
import re
import sys
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import sparse

BLOCK = 6  # lines of the same logic that count as repeated
LARGEST = 10  # files that the report lists
KERNELS = (".pyx", ".pxi", ".h")


# Imports


def modules(package):
    """{dotted name: path} of the Python files; a compiled module is its ``.pyi``."""
    package = Path(package).resolve()
    found = {}
    for path in sorted(package.rglob("*.py*")):
        if path.suffix in (".py", ".pyi"):
            parts = [package.name, *path.relative_to(package).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(package):
    """{module: the modules of the package that it imports}, wherever in the file.

    Imports under ``if TYPE_CHECKING`` do not count: they do not run. Modules that a
    package imports on demand (``_PARTS``) count.
    """
    files = modules(package)
    graph = {}
    for name, path in files.items():
        inside = name if path.stem == "__init__" else name.rpartition(".")[0]
        graph[name] = set()
        for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                graph[name].update(a.name for a in node.names if a.name in files)
            elif isinstance(node, ast.ImportFrom):
                graph[name] |= _from(node, inside, files)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PARTS":
                parts = ast.literal_eval(node.value).values()
                graph[name] |= {f"{name}.{part}" for part in parts} & set(files)
    return graph


def _running(node):
    """The nodes of a tree without those for type checkers only."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _running(child)


def _from(node, inside, files):
    """The modules that ``from ... import ...`` imports."""
    base = node.module or ""
    if node.level:
        parts = inside.split(".")
        parts = parts[: len(parts) - node.level + 1]
        base = ".".join(parts + ([base] if base else []))
    names = {f"{base}.{a.name}" for a in node.names}
    found = names & files.keys()
    return found | ({base} & files.keys() if len(found) < len(names) else set())


def components(graph):
    """Strongly connected components, each before those that import it (R. Tarjan, 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def circles(graph):
    """Groups of modules that import each other, and modules that import themselves."""
    return [c for c in components(graph) if len(c) > 1 or c[0] in graph[c[0]]]


def longest_chain(graph, start=None):
    """The longest chain of files, each of which imports the next.

    All files of a circle count. The chain begins at `start`, if given, or at any file.
    """
    best = {}
    for members in components(graph):
        below = {other for name in members for other in graph[name]} - set(members)
        chain = max((best[other] for other in sorted(below)), key=len, default=[])
        for name in members:
            best[name] = [name, *(m for m in members if m != name), *chain]
    return best[start] if start else max(best.values(), key=len, default=[])


def box(module):
    """The top-level folder of a module, or the module itself at the top level."""
    return ".".join(module.split(".")[:2])


def levels(graph):
    """The top-level folders and files of the package, in order from the top down.

    Where they import each other both ways, the order has few imports that go up:
    P. Eades, X. Lin and W. F. Smyth, Information Processing Letters 47 (1993).
    """
    weights = defaultdict(int)
    for name, others in graph.items():
        for other in others:
            if box(name) != box(other):
                weights[box(name), box(other)] += 1
    left = {box(name) for name in graph}
    top, bottom = [], []

    def out(name):
        return sum(w for (a, b), w in weights.items() if a == name and b in left)

    def into(name):
        return sum(w for (a, b), w in weights.items() if b == name and a in left)

    while left:
        last = next((name for name in sorted(left) if not out(name)), None)
        first = next((name for name in sorted(left) if not into(name)), None)
        if last is not None:
            bottom.append(last)
        else:
            first = first or max(sorted(left), key=lambda name: out(name) - into(name))
            top.append(first)
        left.remove(first if last is None else last)
    return top + bottom[::-1]


def upward(graph, order=None):
    """Pairs (module, imported module) in which the imported one is in a level above.

    `order` names the levels from the top down; by default those of `levels`.
    """
    place = {name: i for i, name in enumerate(order or levels(graph))}
    return [
        (name, other)
        for name in sorted(graph)
        for other in sorted(graph[name])
        if place[box(other)] < place[box(name)]
    ]


# The way of X


@dataclass
class Way:
    """The way of X through the modules during a call.

    Attributes
    ----------
    modules : list of str
        The modules, in the order of first entry.
    places : set of (module, line, module, function)
        Where X was handed from one module to another.
    calls : int
        The number of times that X was handed over.
    """

    modules: list = field(default_factory=list)
    places: set = field(default_factory=set)
    calls: int = 0


def way(package, X, call):
    """The way of X through a package's Python code, in this thread, during ``call()``.

    X is handed over by a call from one module into another, one argument of which (or
    ``self``) is the matrix, a part of it, or an object that holds it in an attribute or as
    an element. Frames of other packages between the two do not count.
    """
    found = Way()
    prefix = f"{package}."

    def inside(frame):
        name = frame.f_globals.get("__name__", "")
        return name if name == package or name.startswith(prefix) else None

    def look(frame, event, _):
        if event != "call" or not (name := inside(frame)):
            return
        if name not in found.modules:
            found.modules.append(name)
        caller = frame.f_back
        while caller is not None and not inside(caller):
            caller = caller.f_back
        if caller is None or inside(caller) == name:
            return
        if any(holds(argument, X) for argument in _arguments(frame)):
            function = frame.f_code.co_qualname
            found.places.add((inside(caller), caller.f_lineno, name, function))
            found.calls += 1

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(before)
    return found


def _arguments(frame):
    """Yield the arguments of a function's call."""
    code, values = frame.f_code, frame.f_locals
    names = code.co_argcount + code.co_kwonlyargcount
    for name in code.co_varnames[:names]:
        yield values.get(name)
    names = list(code.co_varnames[names:])
    if code.co_flags & 0x04:  # *args
        yield from values.get(names.pop(0), ())
    if code.co_flags & 0x08:  # **kwargs
        yield from values.get(names.pop(0), {}).values()


def holds(value, X):
    """Whether a value is the matrix, or holds it as an attribute or element."""
    if is_rows(value, X):
        return True
    listed = type(value) in (tuple, list)
    parts = value if listed else getattr(value, "__dict__", {}).values()
    return any(is_rows(part, X) for part in parts)


def is_rows(value, X):
    """Whether a value is the matrix X, a view of part of it, or a matrix of its shape."""
    if not isinstance(value, np.ndarray) and not sparse.issparse(value):
        return False
    if value is X or (value.ndim == 2 and value.shape == X.shape):
        return True
    return np.may_share_memory(_numbers(value), _numbers(X))


def _numbers(matrix):
    return getattr(matrix, "data", None) if sparse.issparse(matrix) else matrix


def fits():
    """(name, X, call) of three small calls of the estimator."""
    from sgdreg import SGDLinearRegressor  # noqa: PLC0415 (source alone may be read)

    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 7))
    y = X.sum(axis=1) + rng.standard_normal(300)
    yield "fit, defaults", X, lambda: SGDLinearRegressor().fit(X, y)
    yield "fit, quantile", X, lambda: SGDLinearRegressor(loss="quantile").fit(X, y)
    textbook = SGDLinearRegressor(learning_rate=0.01, batch_size=32, random_state=0)
    yield "partial_fit, textbook", X, lambda: textbook.partial_fit(X, y)


def is_installed(package):
    """Whether ``import sgdreg`` runs the source in this folder."""
    try:
        import sgdreg  # noqa: PLC0415 (source alone may be read)
    except ImportError:
        return False
    return Path(sgdreg.__file__).parent.samefile(package)


# Sizes and repetitions


def sources(package):
    """The files of a package that hold code, kernels included."""
    files = [p for p in Path(package).rglob("*") if p.suffix in (".py", *KERNELS)]
    return sorted(files)


def largest(package):
    """(lines, path) of the source files, the largest first."""
    sizes = [(len(p.read_text(encoding="utf-8").splitlines()), p) for p in sources(package)]
    return sorted(sizes, key=lambda size: (-size[0], size[1]))


def repeated(package, block=BLOCK):
    """Blocks of `block` lines or more that occur at two places.

    Comments, docstrings, imports, signatures, and lines without words do not count.

    Returns
    -------
    list of (number of lines, path, its line, path, its line)
    """
    files = {path: _logic(path) for path in sources(package)}
    first, found, covered = {}, [], set()
    for path, lines in files.items():
        for i in range(len(lines) - block + 1):
            key = tuple(text for _, text in lines[i : i + block])
            where, j = first.setdefault(key, (path, i))
            apart = where != path or i - j >= block
            if not apart or (path, i, where, j) in covered:
                continue
            size, others = block, files[where]
            while (
                i + size < len(lines)
                and j + size < (len(others) if where != path else i)
                and lines[i + size][1] == others[j + size][1]
            ):
                size += 1
            covered.update((path, i + k, where, j + k) for k in range(size - block + 1))
            found.append((size, where, others[j][0], path, lines[i][0]))
    return found


def _logic(path):
    """(line number, line without spaces) of the lines of code in a file."""
    text = path.read_text(encoding="utf-8")
    silent = _silent(text) if path.suffix == ".py" else _silent_kernel(text)
    comment = r"//.*" if path.suffix == ".h" else r"#.*"
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(rf"(^|\s)({comment})$", "", line)
        bare = re.sub(r"\s+", "", bare)
        if number not in silent and re.search(r"\w", bare):
            lines.append((number, bare))
    return lines


def _silent(text):
    """Numbers of the lines of docstrings, imports and signatures."""
    lines = set()
    for node in ast.walk(ast.parse(text)):
        string = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if string or isinstance(node, ast.Import | ast.ImportFrom):
            lines.update(range(node.lineno, node.end_lineno + 1))
        elif isinstance(node, ast.FunctionDef):
            lines.update(range(node.lineno, node.body[0].lineno))
    return lines


def _silent_kernel(text):
    """The same for Cython and C, with multi-line comments; signatures of Cython only."""
    lines = set()
    pattern = (
        r'"""[\s\S]*?"""|/\*[\s\S]*?\*/|^(?:from|c?import|include|#).*$'
        r"|^(?:cdef|def) .*\([^)]*\).*:$"
    )
    for match in re.finditer(pattern, text, flags=re.M):
        start = text.count("\n", 0, match.start()) + 1
        lines.update(range(start, start + match.group().count("\n") + 1))
    return lines


# The report


def report(package):
    """Print the whole report."""
    package = Path(package).resolve()
    graph = imports(package)
    order = levels(graph)
    print(f"{len(graph)} modules, {sum(map(len, graph.values()))} imports of each other")
    print(f"folders and files at the top: {len(order)}")
    _chain("longest chain of imports", longest_chain(graph), package)
    face = longest_chain(graph, package.name)
    _chain(f"longest chain behind `import {package.name}`", face, package)
    _list("circles", [" <> ".join(c) for c in circles(graph)])
    _list("imports that go up", [f"{a} imports {b}" for a, b in upward(graph, order)])
    print("\nlargest files, in lines")
    for lines, path in largest(package)[:LARGEST]:
        print(f"{lines:6d}  {path.relative_to(package)}")
    twice = [
        f"{size} lines: {a.relative_to(package)}:{i} and {b.relative_to(package)}:{j}"
        for size, a, i, b, j in repeated(package)
    ]
    print()
    _list(f"blocks of {BLOCK} lines or more that stand twice", twice)
    print(f"\n{'':24s}  modules   X handed over at   calls")
    if not is_installed(package):
        print("not measured: another package is installed")
        return
    warnings.simplefilter("ignore")
    for name, X, call in fits():
        call()  # a first call imports and caches more
        seen = way("sgdreg", X, call)
        print(
            f"{name:24s}  {len(seen.modules):7d}   {len(seen.places):10d} places"
            f"   {seen.calls:5d}"
        )


def _list(title, found):
    print(f"{title}: {len(found) or 'none'}")
    for line in found:
        print(f"  {line}")


def _chain(title, names, package):
    print(f"{title}: {len(names)} files")
    print("  " + " > ".join(name.removeprefix(f"{package.name}.") for name in names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parent.parent / "sgdreg"
    parser.add_argument("package", nargs="?", default=beside, type=Path)
    package = parser.parse_args().package
    if not package.is_dir():
        parser.error(f"{package} is no folder")
    report(package)


if __name__ == "__main__":
    main()
