"""What is to be learned: the contract of a problem, the registry, and the built-in problems."""
