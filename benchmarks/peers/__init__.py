"""The same trainings as other tools do them, for the benchmarks."""
