"""What users hold: the estimator, its parameters, inputs and attributes."""
