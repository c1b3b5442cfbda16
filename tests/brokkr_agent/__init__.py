"""Tests of brokkr_agent. The broker is the real one, in this process; the cluster is a fake one or a real one."""

# The manager of fields that are not the agent's.
FOREIGN = "somebody"
