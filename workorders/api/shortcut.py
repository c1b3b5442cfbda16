"""The shortcut for an agent that looks for work and finds none: one statement. When there is any, the view answers."""

import re

from agents.api.shortcuts import nothing_waits
from workorders.claimable_work import look_for_work

# Where nothing waits, nothing of any type does.
pending_shortcut = nothing_waits(look_for_work, query=re.compile(r"(work_type=[A-Za-z0-9_-]+)?"))
