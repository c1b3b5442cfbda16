"""A key and its hash, made offline."""

from collections.abc import Mapping
from typing import Any

from core.commands import Answer, ReadingCommand, fields
from paks.services import new_token


class Command(ReadingCommand):
    help = "Make a key and its hash without a database; nothing is stored. Configure the hash, keep the key."

    def perform(self, options: Mapping[str, Any]) -> Answer:
        token = new_token()
        text = fields({"PAK": token.text, "Hash": token.hash}) + (
            "\n\nKeep the PAK in a safe place: it is shown only now and works as soon as the broker knows its hash."
            "\nStart the broker with BROKKR__BROKER__PAK_HASH set to the hash, and the PAK is its admin key."
        )
        return Answer(text=text, data={"pak": token.text, "pak_hash": token.hash})
