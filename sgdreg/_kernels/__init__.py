"""The compiled passes: arrays and scalars in, arrays changed in place."""
