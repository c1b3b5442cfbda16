"""A simulated fleet while everything around it fails at random: `make chaos`, and a short run in tests/faults."""
