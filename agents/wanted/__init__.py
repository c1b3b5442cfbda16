"""Which version of which stack an agent should have: the one home of the rule.

An agent serves a stack when the stack is its explicit target, or shares a label with it, or shares an annotation (key
and value). Where registration is required, labels and annotations count only for stacks of generators with which the
agent is registered; an explicit target was checked when it was written. Of each stack that it serves, an agent should
have the newest live version.

Each question has its own shape: of one agent, of one stack, of given pairs, of many agents. One statement for all of
them, or a database view, would be many times slower in some of them. `ties` answers in querysets, `legs` and
`versions` give SQL to build statements from, and one test holds all of them to the same answers.
"""
