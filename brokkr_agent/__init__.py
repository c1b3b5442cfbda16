"""The agent of Brokkr: one process in a cluster, which applies what the broker has for it and says what became of it.

It meets the broker over HTTP only and imports nothing of it.
"""

VERSION = "1.0.0"
