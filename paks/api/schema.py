"""How the OpenAPI document describes the key."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class PakScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "paks.api.authentication.PakAuthentication"
    name = "pak"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "PAK",
            "description": "A pre-authenticated key, `brokkr_BR…_…`. The bare key without `Bearer` works too.",
        }
