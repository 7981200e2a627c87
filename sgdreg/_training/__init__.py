"""The loop: epochs of a solver, their record, when and how they end."""
