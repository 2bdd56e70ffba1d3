"""Which names a part of a parsed Django template looks up."""

from __future__ import annotations

from django.template.base import FilterExpression, Node, NodeList, Variable
from django.template.defaulttags import ForNode
from django.template.smartif import TokenBase


def names_in(thing: object) -> set[str]:
    """Return the first names of every variable that `thing`, a part of a parsed template, looks up."""
    if isinstance(thing, Variable):
        return {str(thing.lookups[0])} if thing.lookups else set()
    if isinstance(thing, list | tuple | NodeList):
        return set().union(*map(names_in, thing))
    if isinstance(thing, dict):
        return names_in(list(thing.values()))
    if isinstance(thing, FilterExpression):
        return names_in([thing.var, thing.filters])
    if isinstance(thing, Node | TokenBase):
        # Some nodes have slots and nothing in them that could name a variable.
        return names_in(getattr(thing, "__dict__", {}))
    return set()


def names_given_in(nodes: NodeList) -> set[str]:
    """Return the names that tags among `nodes` themselves give to values."""
    names = {"forloop", "True", "False", "None"}
    for node in nodes.get_nodes_by_type(Node):
        if isinstance(node, ForNode):
            names.update(node.loopvars)
        names.update(getattr(node, "extra_context", None) or {})
        names.update(filter(None, [getattr(node, "asvar", None), getattr(node, "target_var", None)]))
    return names
