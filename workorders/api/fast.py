"""The short way for an agent that looks for work and finds none: one statement. When there is any, the view answers."""

import re

from agents.api.fast import nothing_waits
from workorders.polling import look_for_work

# Where nothing waits, nothing of any type does.
fast_pending = nothing_waits(look_for_work, query=re.compile(r"(work_type=[A-Za-z0-9_-]+)?"))
