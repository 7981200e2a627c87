"""The curvature of rows, and the coordinates of steps made from it."""
