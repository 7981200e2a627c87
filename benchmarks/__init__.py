"""Side-by-side measurements: ``python -m benchmarks.epochs``.

Every comparison is made in one run of one process; what counts are the ratios.
"""
