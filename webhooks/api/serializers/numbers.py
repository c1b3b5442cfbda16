"""The range of whole numbers."""

from typing import Any

# A 32-bit column; what is within it and out of range is for the service to refuse.
INT_COLUMN: Any = {"min_value": -(2**31), "max_value": 2**31 - 1}
