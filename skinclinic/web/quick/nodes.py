"""Nodes of templates as functions: (context) -> text. By the rules of ``django.template.defaulttags``,
``loader_tags`` and ``library``."""

from collections.abc import Callable
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.base import Node, NodeList, Template, TextNode, VariableDoesNotExist, VariableNode
from django.template.defaulttags import (
    CommentNode,
    CsrfTokenNode,
    ForNode,
    IfNode,
    LoadNode,
    URLNode,
    WithNode,
)
from django.template.library import InclusionNode, SimpleNode
from django.template.loader_tags import IncludeNode
from django.templatetags.i18n import BlockTranslateNode, LanguageNode, TranslateNode
from django.templatetags.static import StaticNode
from django.utils.safestring import SafeString, mark_safe

from .addresses import url
from .conditions import condition
from .values import Context, escaped, expression, written
from .words import blocktranslate, language, translate

Part = Callable[[Context], str]
# Kinds that keep nothing between two times they are rendered: a template of these alone needs no room for that.
_KEEPS_NOTHING = (
    TextNode, VariableNode, IfNode, ForNode, WithNode, IncludeNode, TranslateNode, BlockTranslateNode, URLNode,
    SimpleNode, InclusionNode, CommentNode, LoadNode, CsrfTokenNode, StaticNode,
)  # fmt: skip


class QuickList(NodeList):
    """Nodes that are rendered by functions made of them."""

    def __init__(self, nodes: NodeList):
        super().__init__(nodes)
        self.contains_nontext = nodes.contains_nontext
        self.part = together(nodes)
        self._of_type: dict[type, list[Node]] = {}

    def render(self, context: Context) -> SafeString:
        return mark_safe(self.part(context))

    def get_nodes_by_type(self, nodetype: type) -> list[Node]:
        """Asked for with every page by {% extends %}."""
        if nodetype not in self._of_type:
            self._of_type[nodetype] = super().get_nodes_by_type(nodetype)
        return self._of_type[nodetype]


def quicken(template: Template) -> None:
    """Have a template that was read rendered by functions."""
    if not isinstance(template.nodelist, QuickList):
        template.nodelist = QuickList(template.nodelist)


def together(nodes: NodeList) -> Part:
    """One function for all of them."""
    pairs: list[tuple[str, Part]] = []
    text = ""
    for node in nodes:
        if isinstance(node, TextNode):
            text += node.s
        elif not isinstance(node, CommentNode | LoadNode):
            pairs.append((text, part_of(node)))
            text = ""
    if not pairs:
        return lambda _context: text
    if len(pairs) == 1:
        before, only = pairs[0]
        return only if not before and not text else lambda context: f"{before}{only(context)}{text}"

    def part(context: Context) -> str:
        texts: list[str] = []
        for before, one in pairs:
            texts.append(before)
            texts.append(one(context))
        texts.append(text)
        return "".join(texts)

    return part


def part_of(node: Node) -> Part:
    """The function of a node; of a kind that is not known here, its own."""
    # Of the very class: another that is made from it may do otherwise.
    make = _MADE.get(type(node))
    if make is not None:
        return make(node)
    for name in node.child_nodelists:
        if type(inner := getattr(node, name, None)) is NodeList:
            setattr(node, name, QuickList(inner))
    return node.render


def _variable(node: VariableNode) -> Part:
    value = expression(node.filter_expression)

    def part(context: Context) -> str:
        try:
            found = value(context)
        except UnicodeDecodeError:
            return ""
        return written(found, context)

    return part


def _if(node: IfNode) -> Part:
    lists = [(asked, QuickList(inner)) for asked, inner in node.conditions_nodelists]
    node.conditions_nodelists = list(lists)
    ways = [(condition(asked) if asked is not None else None, inner.part) for asked, inner in lists]

    def part(context: Context) -> str:
        for asked, inner in ways:
            try:
                is_so = asked is None or asked(context)
            except VariableDoesNotExist:
                continue
            if is_so:
                return inner(context)
        return ""

    return part


def _for(node: Any) -> Part:
    loop_list, empty_list = QuickList(node.nodelist_loop), QuickList(node.nodelist_empty)
    node.nodelist_loop, node.nodelist_empty = loop_list, empty_list
    sequence = expression(node.sequence, if_missing=None)
    inner, otherwise = loop_list.part, empty_list.part
    names, is_reversed = tuple(node.loopvars), node.is_reversed

    def part(context: Context) -> str:
        parent = context.get("forloop", {})
        level: dict[str, Any] = {}
        context.dicts.append(level)
        try:
            values = sequence(context)
            if values is None:
                values = []
            if not hasattr(values, "__len__"):
                values = list(values)
            count = len(values)
            if count < 1:
                return otherwise(context)
            loop = level["forloop"] = {"parentloop": parent}
            texts = []
            for number, item in enumerate(reversed(values) if is_reversed else values):
                loop["counter0"], loop["counter"] = number, number + 1
                loop["revcounter"], loop["revcounter0"] = count - number, count - number - 1
                loop["first"], loop["last"] = number == 0, number == count - 1
                if len(names) == 1:
                    level[names[0]] = item
                    texts.append(inner(context))
                else:
                    context.dicts.append(_unpacked(names, item))
                    texts.append(inner(context))
                    context.dicts.pop()
            return "".join(texts)
        finally:
            # What an error has left above it goes, too.
            while context.dicts.pop() is not level:
                pass

    return part


def _unpacked(names: tuple[str, ...], item: Any) -> dict[str, Any]:
    length = len(item) if hasattr(item, "__len__") else 1
    if len(names) != length:
        raise ValueError(f"Need {len(names)} values to unpack in for loop; got {length}. ")
    return dict(zip(names, item, strict=True))


def _with(node: WithNode) -> Part:
    node.nodelist = inner_list = QuickList(node.nodelist)
    values = [(name, expression(found)) for name, found in node.extra_context.items()]
    inner = inner_list.part

    def part(context: Context) -> str:
        context.dicts.append({name: find(context) for name, find in values})
        try:
            return inner(context)
        finally:
            context.dicts.pop()

    return part


def _include(node: IncludeNode) -> Part:
    file = node.template.var
    is_named = not node.template.is_var and not node.template.filters and isinstance(file, str)
    if not is_named or node.isolated_context or file.startswith("."):
        return node.render
    values = [(name, expression(found)) for name, found in node.extra_context.items()]
    render = _rendering(file)

    def part(context: Context) -> str:
        context.dicts.append({name: find(context) for name, find in values})
        try:
            return render(context)(context)
        finally:
            context.dicts.pop()

    return part


def _rendering(file: str) -> Callable[[Context], Part]:
    """A function that gives how the template of this name is rendered, which is read when it is first wanted: it may
    include itself."""
    known: list[Part] = []

    def render(context: Context) -> Part:
        if not known:
            template = context.template.engine.get_template(file)
            known.append(template.nodelist.part if _keeps_nothing(template) else template.render)
        return known[0]

    return render


def _keeps_nothing(template: Template) -> bool:
    """Whether nothing in a template but what is known here is rendered (what it includes has its own room)."""
    if not isinstance(template.nodelist, QuickList):
        return False
    return all(type(node) in _KEEPS_NOTHING for node in template.nodelist.get_nodes_by_type(Node))


def _arguments(node: SimpleNode | InclusionNode) -> Callable[[Context], tuple[list, dict[str, Any]]]:
    args = [expression(found) for found in node.args]
    kwargs = [(name, expression(found)) for name, found in node.kwargs.items()]

    def arguments(context: Context) -> tuple[list, dict[str, Any]]:
        found = [find(context) for find in args]
        return [context, *found] if node.takes_context else found, {
            name: find(context) for name, find in kwargs
        }

    return arguments


def _simple(node: SimpleNode) -> Part:
    function, arguments, name = node.func, _arguments(node), node.target_var

    def part(context: Context) -> str:
        args, kwargs = arguments(context)
        result = function(*args, **kwargs)
        if name is not None:
            context.dicts[-1][name] = result
            return ""
        if type(result) is SafeString:
            return result
        return escaped(result) if context.autoescape else result

    return part


def _language(node: LanguageNode) -> Part:
    node.nodelist = inner = QuickList(node.nodelist)
    return language(node, inner.part)


def _static(node: StaticNode) -> Part:
    if node.path.is_var or node.path.filters or node.varname:
        return node.render
    path = str(node.path.var)

    def part(context: Context) -> str:
        address = staticfiles_storage.url(path)
        return escaped(address) if context.autoescape else address

    return part


def _inclusion(node: InclusionNode) -> Part:
    if not isinstance(node.filename, str):
        return node.render
    function, arguments, file = node.func, _arguments(node), node.filename
    render = _rendering(file)

    def part(context: Context) -> str:
        args, kwargs = arguments(context)
        new = context.new(function(*args, **kwargs))
        token = context.get("csrf_token")
        if token is not None:
            new["csrf_token"] = token
        return render(context)(new)

    return part


_MADE: dict[type[Node], Callable[[Any], Part]] = {
    VariableNode: _variable,
    IfNode: _if,
    ForNode: _for,
    WithNode: _with,
    IncludeNode: _include,
    SimpleNode: _simple,
    InclusionNode: _inclusion,
    URLNode: url,
    StaticNode: _static,
    LanguageNode: _language,
    TranslateNode: translate,
    BlockTranslateNode: blocktranslate,
}
