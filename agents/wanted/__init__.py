"""The rule that says which version of which stack an agent should have. It is written only in this package.

An agent serves a stack if the stack is its explicit target, or shares a label with it, or shares an annotation (key
and value). If registration is required, labels and annotations count only for stacks of generators with which the
agent is registered; for an explicit target this was checked when it was written. An agent should have the newest live
version of each stack that it serves.

The question is asked in different forms: for one agent, for one stack, for given pairs, for many agents. One statement
for all forms, or a database view, would be many times slower for some of them. `ties` answers with querysets; `legs`
and `versions` give SQL for larger statements. A test checks that all of them give the same answers.
"""
