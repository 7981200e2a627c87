"""Fits as plain values, and the files that hold them."""
