"""A believable fleet for trying the admin out: `manage.py seed_demo`."""
