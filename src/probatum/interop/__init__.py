"""Runs from other programs, and what is found here for them: import and export."""
