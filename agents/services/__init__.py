"""The only writers of agents, registrations, targets and events; one module per resource."""
