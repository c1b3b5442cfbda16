"""Short ways to check schemas and parameters, for the tests of both."""

import json

import pytest

from parameter_schemas import InvalidSchema, check_schema, violations

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_6 = "http://json-schema.org/draft-06/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def violations_of(schema: object, parameters: object) -> list[str]:
    return violations(json.dumps(schema), parameters)


def refusal(schema: object) -> str:
    with pytest.raises(InvalidSchema) as caught:
        check_schema(schema if isinstance(schema, str) else json.dumps(schema))
    return caught.value.message
