"""The calls that agents make all day, answered before Django: no middleware, no routes, no request object.

The lane answers an agent's own good key and a plain request, each in one statement. Everything else it leaves to the
views behind it, which answer every case, these included, in the same way: take `Lane` out of brokkr_site/wsgi.py, and
only the cost changes. A test holds both ways to each other.
"""
