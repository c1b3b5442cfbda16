"""Refusals about generators."""

from core.errors import Forbidden, Invalid, NotFound


class GeneratorNotFound(NotFound):
    code = "generator_not_found"
    message = "There is no such generator."


class GeneratorNotOwned(Forbidden):
    code = "generator_not_owned"
    message = "Only an admin or the generator itself may do that."


class GeneratorInactive(Forbidden):
    code = "generator_inactive"
    message = "This generator has been deactivated; an admin can activate it."


class GeneratorIdMismatch(Invalid):
    code = "generator_id_mismatch"
    message = "The id in the body is not the id in the path."


class InvalidGenerator(Invalid):
    code = "invalid_generator"
    message = "A generator needs a name of 1 to 255 characters."


class CannotDeleteSystemGenerator(Forbidden):
    code = "cannot_delete_system_generator"
    message = "The system generator cannot be deleted."


class SystemGeneratorNotATenant(Forbidden):
    code = "system_generator_not_a_tenant"
    message = "The system generator owns nothing, has no key and cannot be changed."
