"""The published Python SDK, brokkr-client: its generated operations found by looking, and what they parsed checked."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import brokkr_broker_client.api
import httpx
from brokkr_broker_client import AuthenticatedClient, models
from brokkr_broker_client.models import ErrorResponse
from brokkr_broker_client.types import Response, Unset

from tests.support.server import NO_TLS, LiveServer

_UNKNOWN_FIELDS = "additional_properties"
_STATUS = re.compile(r"response\.status_code == (\d{3})")


@dataclass(frozen=True)
class Operation:
    """One function of the generated client: `name` is its tag and its module."""

    name: str
    module: ModuleType

    @property
    def statuses(self) -> frozenset[int]:
        """Those that it parses; at any other it returns nothing."""
        # They stand nowhere but in the branches of this function.
        source = inspect.getsource(self.module._parse_response)
        return frozenset(int(status) for status in _STATUS.findall(source))

    @property
    def success(self) -> int:
        """The one status at which it takes the answer for a success."""
        (status,) = (status for status in self.statuses if status < 400)
        return status

    @property
    def answer(self) -> Any:
        """The type of what it parses out of a success; Any where the client does not look into the body."""
        (parsed,) = get_args(inspect.signature(self.module.sync_detailed).return_annotation)
        (success,) = (option for option in get_args(parsed) if option is not ErrorResponse)
        return success

    @property
    def body(self) -> Any:
        """The type of the request's body, None where there is none."""
        parameter = inspect.signature(self.module.sync_detailed).parameters.get("body")
        return parameter.annotation if parameter else None


def operations() -> dict[str, Operation]:
    """Every operation there is in the package, by name."""
    package = brokkr_broker_client.api
    found = [
        Operation(module.name.removeprefix(f"{package.__name__}."), importlib.import_module(module.name))
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.ispkg
    ]
    return {operation.name: operation for operation in found}


def generated_client(broker: LiveServer, key: str) -> AuthenticatedClient:
    """The generated client that holds one key; use it as a context manager."""
    return AuthenticatedClient(
        base_url=f"{broker.url}/api/v1", token=key, timeout=httpx.Timeout(30), verify_ssl=NO_TLS
    )


def send(client: AuthenticatedClient, operation: Operation, *arguments: Any, **options: Any) -> Response[Any]:
    """The answer, parsed as the client parses it: a body that it cannot parse raises."""
    response: Response[Any] = operation.module.sync_detailed(*arguments, client=client, **options)
    return response


def misfits(value: Any, hint: Any, where: str = "answer") -> Iterator[str]:
    """Where `value` is not of the type `hint`, at any depth.

    The client checks little: a number in a field for text stays a number, and a date that it cannot read stays text.
    """
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        tried = [list(misfits(value, option, where)) for option in get_args(hint)]
        if all(tried):
            yield min(tried, key=len)[0]
    elif get_origin(hint) is list:
        if type(value) is not list:
            yield f"{where} is no list but {value!r}"
            return
        for number, member in enumerate(value):
            yield from misfits(member, get_args(hint)[0], f"{where}[{number}]")
    elif hint is not Any and type(value) is not hint:
        yield f"{where} is no {hint} but {value!r}"
    elif attrs.has(hint):
        for name, field_hint in _fields(hint).items():
            yield from misfits(getattr(value, name), field_hint, f"{where}.{name}")


def absent(value: Any) -> Iterator[str]:
    """The fields, as Model.field, that an answer left out, at any depth. The client takes that for all but the most
    necessary ones, so that a field by a wrong name would not be noticed."""
    if isinstance(value, list):
        for member in value:
            yield from absent(member)
    elif attrs.has(type(value)):
        model: Any = type(value)
        for name in _fields(model):
            member = getattr(value, name)
            if isinstance(member, Unset):
                yield f"{model.__name__}.{name}"
            else:
                yield from absent(member)


@cache
def _fields(model: Any) -> dict[str, Any]:
    """The types of a model's fields, without the one for what the client does not know, which may be anything."""
    # Models import each other for type checkers only.
    hints = get_type_hints(model, localns=vars(models))
    return {field.name: hints[field.name] for field in attrs.fields(model) if field.name != _UNKNOWN_FIELDS}


def nullable_fields(model: Any) -> list[str]:
    """The fields of a request's model that the client takes None for."""
    if not attrs.has(model):
        return []
    return [name for name, hint in _fields(model).items() if type(None) in get_args(hint)]
