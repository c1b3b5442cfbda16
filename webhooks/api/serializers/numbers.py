"""The range of whole numbers."""

from typing import Any

# The column has 32 bits. The service refuses numbers that fit into it but are out of range.
INT_COLUMN: Any = {"min_value": -(2**31), "max_value": 2**31 - 1}
