"""Models on frozen datasets: leaks, the run, its report."""
