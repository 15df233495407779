"""Who carries jobs out: workers of this machine, or of a cluster."""
