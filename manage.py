#!/usr/bin/env python
"""Entry point of every command: `python manage.py help` lists them."""

import gc
import os
import sys

from django.core.management import execute_from_command_line
from django.db import Error as DatabaseError


def main() -> int:
    """The exit code."""
    # The default is 700: loading Django would start hundreds of garbage collections, and none would find anything.
    gc.set_threshold(10_000)
    # What commands write holds secrets.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokkr_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        # Commands of ours say it themselves; those of Django end here.
        from core.commands import DATABASE_UNUSABLE  # noqa: PLC0415  it needs the settings
        from core.database_errors import cannot_be_used, unusable_sentence  # noqa: PLC0415

        if not cannot_be_used(error):
            raise
        sys.stderr.write(f"{unusable_sentence(error)}\n")
        return DATABASE_UNUSABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
