"""Newton steps on a model of the objective in feature space."""
