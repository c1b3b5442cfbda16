"""Admin pages about the past of an agent and of a stack, shown as tabs of both."""
