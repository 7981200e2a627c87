"""Solvers, which run the epochs of a fit."""
