"""Commands that are killed with SIGKILL, and what must be true then: for tests and benchmarks."""
