"""`manage.py verify_audit`: walks the chain of seals."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.services import Outcome, verify_chain
from core.commands import Answer, ReadingCommand, as_json, digest_argument


class Command(ReadingCommand):
    help = (
        "Check every seal of the audit log and what it seals, and name the first seal that does not hold: changed, "
        "missing or added. Exit codes: 0 all hold, 1 one does not, 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--expect",
            type=digest_argument,
            metavar="HASH",
            help="the hash of a seal that you know from the log, a webhook or an export; without it nobody can see "
            "that the newest seals were cut off",
        )
        parser.add_argument(
            "--trust",
            action="append",
            type=digest_argument,
            default=[],
            metavar="KEY",
            help="a public key, as 64 hex digits; may be repeated (default: those of the configured keys)",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        outcome = verify_chain(trusted=options["trust"], expected_hash=options["expect"] or "")
        if outcome.finding is not None:
            if options["json"]:
                self.stdout.write(as_json(asdict(outcome)))
            finding = outcome.finding
            raise CommandError(f"Seal {finding.seal}: {finding.why}. {finding.explanation}")
        return Answer(text=_sentence(outcome), data=asdict(outcome))


def _sentence(outcome: Outcome) -> str:
    if not outcome.seals:
        return "There is no seal yet."
    return (
        f"All {outcome.seals} seals hold, with {outcome.entries} entries, {outcome.erased} of them erased. "
        f"The newest has the hash {outcome.head}."
    )
