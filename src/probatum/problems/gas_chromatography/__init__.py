"""Compound families from runs of gas chromatography with mass spectrometry."""
