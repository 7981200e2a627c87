"""Solvers: what moves the weights by an epoch."""
