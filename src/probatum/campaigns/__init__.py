"""Campaigns of experiments: what is trained, how it is split, run, recorded and resumed."""
