"""The data: rows, targets and weights; their order, their moments, threads."""
