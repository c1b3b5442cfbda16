"""What keys tell the OpenAPI generator: the scheme by which a request carries one. The class registers itself."""

from paks.api import schema

__all__ = ["schema"]
