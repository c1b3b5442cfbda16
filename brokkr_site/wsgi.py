"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokkr_site.settings")

_django = get_wsgi_application()

from lane.application import Lane  # noqa: E402  models can be imported once Django is set up

application = Lane(_django)
