"""Callbacks that are called at every epoch: progress, trajectories, checkpoints."""
