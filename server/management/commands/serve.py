"""Runs web and worker on one machine by one command. In containers, run them separately."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from server.supervisor import run_together

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


class Command(BaseCommand):
    help = (
        "Run gunicorn and the worker until SIGINT or SIGTERM. When one of them dies, the other is stopped and the exit "
        "code is 1. Set up first: `migrate`, then `bootstrap`."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        host = "localhost" if settings.WEB_HOST in {"0.0.0.0", "[::]"} else settings.WEB_HOST  # noqa: S104  a comparison
        url = f"http://{host}:{settings.WEB_PORT}"
        closed = "Only this machine reaches it; BROKKR_BIND=0.0.0.0 opens it to others.\n"
        self.stdout.write(
            f"Brokkr starts at {url}\n"
            f"  API            {url}/api/v1\n"
            f"  API explorer   {url}/swagger-ui\n"
            f"  admin site     {url}/admin/\n"
            f"  health         {url}/readyz\n"
            f"{closed if settings.WEB_HOST in _LOOPBACK else ''}"
            "Ctrl-C stops it."
        )
        self.stdout.flush()
        ended = run_together(
            {
                "web": [sys.executable, "-m", "gunicorn"],
                "worker": [sys.executable, "manage.py", "run_worker"],
            },
            folder=settings.BASE_DIR,
        )
        if ended is not None:
            raise CommandError(f"The {ended} process ended by itself; everything has been stopped.")
        self.stdout.write("Brokkr has stopped.")
