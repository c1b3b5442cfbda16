"""The costs of agents' calls, measured. Each module is one command, e.g. `make bench-agent-calls`, `make bench-memory`.

Every bench starts its own PostgreSQL and gunicorn. The machine is never quiet, so variants take turns in one run and
what counts are ratios, and CPU time per request rather than requests per second.
"""
