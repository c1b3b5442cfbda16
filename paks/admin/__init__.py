"""The admin's pages of keys, and what the pages of their owners show of them."""

from paks.admin import end, finders
from paks.admin.keys import PakAdmin

__all__ = ["PakAdmin", "end", "finders"]
