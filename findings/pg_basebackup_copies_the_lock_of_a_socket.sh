#!/usr/bin/env bash
# pg_basebackup leaves out the socket in a data folder and copies the lock of it; the copy does not start beside the original.
#
# Version: PostgreSQL 16.2 (of pgserver 0.1.4).
# Behaviour: a server may have its socket in its data folder. The backup leaves out postmaster.pid and, as a special file, the
# socket, but not `.s.PGSQL.5432.lock`, which holds the pid of the original. A standby that has its socket in its own folder too
# finds that pid alive and refuses to start, while both run on one machine.
# Output seen:
#   postmaster.pid copied: False
#   .s.PGSQL.5432 copied: False
#   .s.PGSQL.5432.lock copied: True
#   copy: FATAL: lock file ".s.PGSQL.5432.lock" already exists
#   copy without that file: ready to accept connections
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet pgserver==0.1.4

env/bin/python > seen.txt 2> errors.txt <<'PY' || { cat errors.txt; exit 1; }
import re
from pathlib import Path
from subprocess import CalledProcessError

import pgserver

original, folder = Path("original").resolve(), Path("copies").resolve()
copy = folder / "copy"
server = pgserver.get_server(original)
user = server.system_user
folder.mkdir()
folder.chmod(0o777)


def start() -> str:
    """What the log of the copy says of its start."""
    log = copy / "start.log"
    try:
        pgserver.pg_ctl(["-w", "-o", f"-h '' -k {copy}", "-l", str(log), "start"], pgdata=copy, user=user)
        pgserver.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=copy, user=user)
    except CalledProcessError:
        pass
    text = log.read_text().replace(f"{copy}/", "")
    return re.sub(r" +", " ", re.search(r"FATAL: .*|ready to accept connections", text)[0])


try:
    pgserver.pg_basebackup(["-h", str(original), "-U", "postgres", "-D", str(copy), "-c", "fast"], user=user)
    for name in ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        assert (original / name).exists(), name
        print(f"{name} copied:", (copy / name).exists())
    print("copy:", start())
    (copy / "start.log").unlink()
    (copy / ".s.PGSQL.5432.lock").unlink()
    print("copy without that file:", start())
finally:
    server.cleanup()
PY

diff - seen.txt <<'OUT'
postmaster.pid copied: False
.s.PGSQL.5432 copied: False
.s.PGSQL.5432.lock copied: True
copy: FATAL: lock file ".s.PGSQL.5432.lock" already exists
copy without that file: ready to accept connections
OUT
