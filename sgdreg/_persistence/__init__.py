"""Fits as plain values, and files of them."""
