"""A fleet that is not there: agents and publishers that speak the broker's protocol over HTTP, and watch its answers.

It knows nothing of the broker but its public API, so it runs against any URL. `fleet` divides a `plan` among processes;
each is a `cell`, which ties together a `journal`, a `client`, a `publisher`, its `agent`s and a `verifier`.
"""
