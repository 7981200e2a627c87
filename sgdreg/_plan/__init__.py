"""The plan: one choice in every slot, and how it is chosen."""
