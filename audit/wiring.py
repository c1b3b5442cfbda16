"""What the audit log tells the apps below: who made a row."""

from audit.authors import authors
from core.admin.authors import register_authors

register_authors(authors)
