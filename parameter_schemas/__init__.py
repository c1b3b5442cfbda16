"""JSON Schemas of template parameters: what a schema may say, and whether parameters satisfy it."""

from parameter_schemas.inspection import InvalidSchema
from parameter_schemas.validation import check_schema, parsed_schema, violations

__all__ = ["InvalidSchema", "check_schema", "parsed_schema", "violations"]
