"""Gaussian processes, exact, in float64: covariance, hyper-parameters, and the estimator that trains many at once."""
