"""A fuzzer of the public surface: random parameters, data and orders of calls.

Every case is a script that its seed writes (`draw`), run in a worker process with a time
bound (`run`) under the eyes of `oracles`. From the folder tests/:

    python -m fuzz 1 10000      the cases of these seeds; what fails, with its seed
    python -m fuzz 1234         one case, its script, and the shortest that fails alike
"""
