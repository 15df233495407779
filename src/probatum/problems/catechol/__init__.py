"""Reaction yields from solvent, temperature and time."""
