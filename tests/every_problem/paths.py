"""Constants for which small problems take the paths of large ones."""

import sys
from contextlib import contextmanager

# A module or name that does not exist is passed over.
PATHS = {
    "plain": {},
    "sampled": {
        "_curvature.costs.QR_WORK": 0.0,
        "_curvature.costs.SMALLEST_SAMPLE": 100,
        "_curvature.costs.PRODUCT_COST": 100.0,
        "_curvature.costs.COMPILED_COST": 100.0,
        "_curvature.costs.BLAS_COST": 100.0,
        "_solvers.newton.band.FEW": 100,
        "_solvers.newton.band.FEW_A_DIRECTION": 4,
        "_solvers.newton.band.NEAR": 100,
        "_solvers.newton.band.NEAR_A_DIRECTION": 10,
        "_solvers.newton.predictor_corrector.SINGLE_WORK": 0.0,
        "_solvers.newton.few_rows.FEW_NUMBERS": 2**8,
    },
    "products": {"_curvature.costs.QR_WORK": 0.0, "_curvature.costs.LARGEST_SAMPLE": 0.0},
    "single": {"_plan.choose.SINGLE_FEATURES": 2},
    "wide": {"_plan.choose.FULL_CURVATURE_RANK": 4},
    "strongest": {
        "_plan.choose.FULL_CURVATURE_RANK": 4,
        "_plan.choose.SINGLE_CURVATURE_BYTES": 0,
    },
    "columns": {
        "_plan.choose.ROWS_A_COLUMN": 10**6,
        "_plan.choose.ALL_COLUMNS_WORK": 0.0,
        "_solvers.newton.columns.SINGLE_WORTH": 1.0,
    },
}


@contextmanager
def forced(path):
    """Constants replaced in every module that has them by name."""
    undo = []
    try:
        for full, value in PATHS[path].items():
            module, name = f"sgdreg.{full}".rsplit(".", 1)
            was = getattr(sys.modules.get(module), name, None)
            if was is None:
                continue
            for key, one in list(sys.modules.items()):
                if key.startswith("sgdreg.") and getattr(one, name, None) is was:
                    undo.append((one, name, was))
                    setattr(one, name, value)
        yield
    finally:
        for one, name, was in undo:
            setattr(one, name, was)
