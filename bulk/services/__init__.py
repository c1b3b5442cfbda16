"""Making, steering and performing bulk jobs."""
