"""The fleet of the benches of plans: 10,000 agents that serve 20 stacks each, on a PostgreSQL of its own."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import data, environment
from tests.support.postgres import private_postgres

_LABEL = """
INSERT INTO agent_labels (id, label, agent_id) SELECT gen_random_uuid(), '{}', id FROM agents;
"""


@contextmanager
def fleet_with_labels(labels: Sequence[str]) -> Iterator[None]:
    """Django works on the fleet until the block ends. Every agent has these labels."""
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        logging.disable(logging.WARNING)
        print("writing the data …", flush=True)
        data.fill(stacks=2_000, versions=5, object_bytes=2_000)
        for label in labels:
            data.run(_LABEL.format(label))
        data.settle()
        yield
