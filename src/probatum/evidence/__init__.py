"""What the results show: scores from stored predictions, verdicts that hold, noise floors. Pure functions on arrays."""
