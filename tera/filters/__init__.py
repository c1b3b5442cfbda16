"""The filters of a template, by name.

`default` and `safe` are not here: `default` is for variables that may not exist, and `safe` does nothing.
"""

from collections.abc import Mapping
from typing import Final

from tera.filters.arrays import ARRAY_FILTERS
from tera.filters.common import COMMON_FILTERS
from tera.filters.dates import DATE_FILTERS
from tera.filters.numbers import NUMBER_FILTERS
from tera.filters.signature import FilterFunction
from tera.filters.strings import STRING_FILTERS

FILTERS: Final[Mapping[str, FilterFunction]] = {
    **STRING_FILTERS,
    **NUMBER_FILTERS,
    **ARRAY_FILTERS,
    **COMMON_FILTERS,
    **DATE_FILTERS,
}

__all__ = ["FILTERS", "FilterFunction"]
