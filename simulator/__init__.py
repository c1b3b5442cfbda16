"""A simulated fleet: agents and publishers that speak the broker's protocol over HTTP and check its answers.

It uses only the broker's public API, so it runs against any URL. `fleet` divides a `plan` among processes. Each process
is a `cell`, which has a `journal`, a `client`, a `publisher`, its `agent`s and a `verifier`.
"""
