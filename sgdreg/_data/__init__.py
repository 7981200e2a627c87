"""The rows: matrix, targets and weights, their order, moments and threads."""
