"""Side-by-side measurements: ``python -m benchmarks.epochs``.

Each comparison is made in one run of one process, and its result is a ratio.
"""
