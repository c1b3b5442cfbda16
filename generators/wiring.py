"""What generators tell the apps below: how a generator's id becomes a name."""

from generators.services import names_of
from paks.models import Role
from paks.subjects import register_names

register_names(Role.GENERATOR, names_of)
