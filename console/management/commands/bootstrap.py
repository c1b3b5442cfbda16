"""What a broker needs before its first request, after `migrate`."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser

from agents.services.registrations import register_all
from config.secret_files import WEBHOOK_KEY_FILE, load_or_create
from console.event_kinds import SiteEventKind
from core.advisory_locks import set_up_alone
from core.commands import VIA, Answer, BrokerCommand, fields
from core.events import Event, emit
from generators.services import ensure_admin_generator, lock_generator, system_generator
from paks.look_ups import any_admin_key, usable_admin_key
from paks.models import Role
from paks.services import ensure_configured_admin, issue_pak
from rollouts.services.strategies import ensure_default_strategies

FIRST_KEY_NAME = "first"
SITE_USER = "admin"


class Command(BrokerCommand):
    help = (
        "Set up after migrate, at every start: the first admin key (the configured one, or a new one that is printed "
        "once), the system generator, admin-generator, the first rollout strategies. Safe to repeat and to run several "
        "times at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--with-site-user",
            action="store_true",
            help="when the admin site has no user yet, create `admin` and print its random password, once",
        )

        parser.add_argument(
            "--with-webhook-key",
            action="store_true",
            help="when no key to encrypt webhooks with is configured, make one and keep it in the data folder",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with set_up_alone():
            super().handle(*args, **options)

    def perform(self, options: Mapping[str, Any]) -> Answer:
        # This takes a lock: processes that start at the same time wait, and then find everything done.
        system = lock_generator(system_generator().id)
        key = self._admin_key()
        ensure_admin_generator(actor=self.actor, via=VIA)
        registered = register_all(generator=system, actor=self.actor, via=VIA)
        password = self._site_user() if options["with_site_user"] else None
        if options["with_webhook_key"] and not settings.WEBHOOK_ENCRYPTION_KEYS:
            # For processes that start later; this one has read its settings.
            load_or_create(settings.DATA_DIR, WEBHOOK_KEY_FILE, lambda: secrets.token_hex(32))
            self.note(f"A key that encrypts webhooks is kept in {settings.DATA_DIR / WEBHOOK_KEY_FILE}.")
        strategies = ensure_default_strategies(actor=self.actor, via=VIA)
        if strategies:
            self.note(f"Made {strategies} rollout strategies.")
        if registered:
            self.note(f"Registered {registered} agents with the system generator.")
        self.note("The broker is set up.")
        shown = {"Admin PAK": key, "Site user": password and SITE_USER, "Site password": password}
        secrets_made = {label: value for label, value in shown.items() if value}
        return Answer(
            text=f"Shown only this once; keep it safe.\n{fields(secrets_made)}" if secrets_made else "",
            data={
                "admin_pak": key,
                "site_user": {"username": SITE_USER, "password": password} if password else None,
                "registered_agents": registered,
            },
        )

    def _admin_key(self) -> str | None:
        """The text of the first admin key when it was minted now."""
        configured = settings.ADMIN_PAK_HASH
        if configured:
            if ensure_configured_admin(key_hash=configured, actor=self.actor, via=VIA):
                self.note("The configured hash has been applied to the admin key.")
            if not usable_admin_key(key_hash=configured):
                self.note(
                    "Warning: the key whose hash BROKKR__BROKER__PAK_HASH names was revoked or is not an admin's, "
                    "and does not work. Configure the hash of another key."
                )
        elif not any_admin_key():
            _, key = issue_pak(
                role=Role.ADMIN, subject_id=None, name=FIRST_KEY_NAME, actor=self.actor, via=VIA
            )
            return key
        if not usable_admin_key():
            self.note("Warning: no admin key works. `manage.py create_pak admin --name NAME` makes one.")
        return None

    def _site_user(self) -> str | None:
        """The password of the first user of the admin site when it was created now."""
        users = get_user_model()._default_manager
        if users.exists():
            return None
        password = secrets.token_urlsafe(18)
        users.create_superuser(username=SITE_USER, password=password)
        emit(
            Event(
                kind=SiteEventKind.SITE_USER_CREATED,
                resource_type="system",
                resource_id=None,
                actor=self.actor,
                details={"username": SITE_USER, "via": VIA},
            )
        )
        return password
