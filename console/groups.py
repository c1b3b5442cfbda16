"""What the three groups of admin-site users may do. Every `migrate` writes these rules into the tables.

* viewer: see everything but keys and users, change nothing.
* operator: also create, change and delete what the broker distributes and to whom.
* admin: also make and revoke keys, see the values of Kubernetes secrets, publish past the strategies of stacks, see
  what is wrong with the installation, and manage users.

Whoever is shown a new key can read with it what the key's owner may read, secrets included. That is why agents and
generators, whose creation answers with a key, are created by admins (`ServiceAdmin.key_permission`).
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

VIEWER = "viewer"
OPERATOR = "operator"
ADMIN = "admin"
GROUPS = (VIEWER, OPERATOR, ADMIN)

# Tables of the frameworks and of our own plumbing, which have no pages.
_UNSEEN = Q(content_type__app_label__in=["admin", "axes", "contenttypes", "core", "sessions"]) | Q(
    content_type__app_label="auth", content_type__model="permission"
)
_PEOPLE = Q(content_type__app_label="auth")
_KEYS = Q(content_type__app_label="paks")
_SECRETS = Q(codename__startswith="reveal_")
_INSTALLATION = Q(content_type__app_label="config", codename="check_installation")
_SAFEGUARDS = Q(content_type__app_label="rollouts", codename="bypass")


@transaction.atomic
def sync_groups() -> None:
    """Make the three groups, and give each exactly its rights on the models that exist now."""
    admin = Permission.objects.exclude(_UNSEEN)
    operator = admin.exclude(_PEOPLE | _KEYS | _SECRETS | _SAFEGUARDS | _INSTALLATION)
    viewer = operator.filter(codename__startswith="view_")
    for name, permissions in ((VIEWER, viewer), (OPERATOR, operator), (ADMIN, admin)):
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(permissions)
