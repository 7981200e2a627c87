"""The estimator: its parameters, the checks of its inputs, its attributes."""
