"""A web process that has answered a million requests is as large as after the first ones: `make bench-memory`."""

import argparse
import random
import tempfile
from pathlib import Path

from bench import agent_calls, data, environment
from bench.load import generate
from tests.support.postgres import private_postgres

_STEPS = 20
_ALLOWED_KIB = 4096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="brokkr-bench-") as name, private_postgres() as postgres:
        environment.start_django(postgres.url, Path(name))
        print("writing the data …", flush=True)
        data.fill(stacks=2_000, versions=1, object_bytes=5000)
        said = '{"k8s_reachable":true,"k8s_api_latency_ms":12}'
        requests = [
            *agent_calls.polls(etags=agent_calls.etags_of()),
            *agent_calls.polls(),
            *agent_calls.own("POST", "heartbeat", said),
            *agent_calls.own("GET", "work-orders/pending"),
        ]
        random.Random(1).shuffle(requests)
        # One worker, which is never replaced.
        server = environment.Server(
            Path(name), worker="gthread", workers=1, arguments=["--max-requests", "0"]
        )
        samples: list[tuple[int, int]] = []
        with environment.servers(server):
            (worker,) = environment.descendants(server.process.pid) - {server.process.pid}
            done = 0
            while done < options.requests:
                before = done
                while done - before < options.requests / _STEPS:
                    seen = generate(server.port, requests, connections=16, seconds=5.0, keep_alive=True)
                    if not set(seen.statuses) <= {"200", "204", "304"}:
                        raise RuntimeError(dict(seen.statuses))
                    done += seen.count
                samples.append((done, environment.memory_kib(worker)))
                print(f"{done:>9} requests  {samples[-1][1]:>8} KiB", flush=True)
            notes = environment.machine()
    # A tenth fills the caches.
    settled = samples[max(1, len(samples) // 10)][1]
    grown = samples[-1][1] - settled
    held = grown <= _ALLOWED_KIB
    print(
        f"\n{'holds' if held else 'MISSED'}: grown by {grown} KiB since the first tenth, {_ALLOWED_KIB} are allowed"
    )
    environment.save(
        "memory", {"machine": notes, "options": vars(options), "samples": samples, "grown_kib": grown}
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
