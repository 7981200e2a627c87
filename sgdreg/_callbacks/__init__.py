"""What looks at every epoch: progress, trajectories, checkpoints."""
