"""The calls that are made most often, answered before Django: without middleware, routes and request objects.

They are those of agents, and publishing. The lane answers a plain request with a usable key and leaves everything else
to the views. The views answer every request, also these, in the same way: without `Lane` in brokkr_site/wsgi.py, only
the cost changes. A test checks that both give the same answers.
"""
