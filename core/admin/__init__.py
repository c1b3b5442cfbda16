"""The bases of every admin page: reading costs a fixed number of queries, writing goes through services.

The admin is a second door to the services beside the API. What a service refuses becomes an error of the form
or a message; nothing is written then.
"""

from core.admin.actions import (
    Choice,
    OtherWay,
    Question,
    asked_about,
    detail_action,
    given_choice,
    given_reason,
    takes_other_way,
)
from core.admin.base import BaseAdmin, admin_actor
from core.admin.bulk import Instruction, Word, bulk_action
from core.admin.columns import register_column
from core.admin.counts import Count, capped_count, table_count
from core.admin.deletion_impact import DeletionImpact, register_deletion_impact
from core.admin.inlines import ServiceFormSet, ServiceInline
from core.admin.lists import CappedPaginator, DeletedFilter, MarkFilter, TimeRangeFilter, page_of
from core.admin.pages import Created, ServiceAdmin, ServiceForm
from core.admin.reading import OverviewAdmin, ReadOnlyAdmin
from core.admin.tabs import register_page
from core.admin.values import (
    age,
    ago,
    badge,
    badges,
    counted,
    first_badges,
    link,
    moment,
    object_link,
    one_line,
    preformatted,
    shortened,
    whole_number,
)

__all__ = [
    "BaseAdmin",
    "CappedPaginator",
    "Choice",
    "Count",
    "Created",
    "DeletedFilter",
    "DeletionImpact",
    "Instruction",
    "MarkFilter",
    "OtherWay",
    "OverviewAdmin",
    "Question",
    "ReadOnlyAdmin",
    "ServiceAdmin",
    "ServiceForm",
    "ServiceFormSet",
    "ServiceInline",
    "TimeRangeFilter",
    "Word",
    "admin_actor",
    "age",
    "ago",
    "asked_about",
    "badge",
    "badges",
    "bulk_action",
    "capped_count",
    "counted",
    "detail_action",
    "first_badges",
    "given_choice",
    "given_reason",
    "link",
    "moment",
    "object_link",
    "one_line",
    "page_of",
    "preformatted",
    "register_column",
    "register_deletion_impact",
    "register_page",
    "shortened",
    "table_count",
    "takes_other_way",
    "whole_number",
]
