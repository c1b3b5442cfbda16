"""What this machine has room for: files and disk."""

import resource
import shutil
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from core.installation_checks import register_process_check

# Idle agents keep a connection open for some seconds, and each connection is a file.
_ENOUGH_FILES = 4096
_MIB = 1024 * 1024
_LITTLE_DISK = 1024 * _MIB
_NO_DISK = 100 * _MIB


@register_process_check
def file_limit() -> Iterator[CheckMessage]:
    """The web processes raise their soft limit to the hard one, so the hard one counts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _ENOUGH_FILES:
        yield Caution(
            f"A process may open {most} files, so a web process can hold fewer connections than that.",
            hint=f"Raise the hard limit (ulimit -Hn, LimitNOFILE=) to {_ENOUGH_FILES} or more.",
            id="brokkr.file_limit",
        )


@register_process_check
def disk() -> Iterator[CheckMessage]:
    """Free space where the data folder is; SQLite's file is there too unless DATABASE_URL says otherwise."""
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < _LITTLE_DISK:
        level = Error if free < _NO_DISK else Caution
        yield level(
            f"{free // _MIB} MiB are free on the disk of {settings.DATA_DIR}.",
            hint="Make room: with a full disk the broker refuses changes.",
            id="brokkr.disk",
        )
