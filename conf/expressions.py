"""The device expressions of the older program: read into closures over the event, never run as code.

The grammar: texts, numbers, True, False and None; the event as `data_to_dict`, its subscripts and dotted
keys; `== != < <= > >= in not in`, chained as in Python; `and or not`; parentheses; lists of literals.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conf.expression_text import EVENT, Source, refusal_of
from conf.faults import nearest

DEEPEST = 32

Key = str | int
Path = tuple[Key, ...]
Evaluate = Callable[[object], object]

Compare = Callable[[Any, Any], object]

COMPARISONS: dict[type[ast.cmpop], Compare] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: operator.contains(container, item),
    ast.NotIn: lambda item, container: not operator.contains(container, item),
}


@dataclass(frozen=True)
class Expression:
    """What `<attrValue> <attrExpression>` says of an event.

    `equality` is the path and the text when it is just one `==` between the two, `membership` when it is
    just a text `in` a path: an index can then look the event up instead of asking.
    """

    evaluate: Evaluate
    equality: tuple[Path, str] | None = None
    membership: tuple[Path, str] | None = None

    def __call__(self, event: object) -> bool:
        """Whether it holds; what is missing or of another type means that it does not. Never raises."""
        try:
            return bool(self.evaluate(event))
        except (LookupError, TypeError, ValueError, RecursionError):
            return False


def compile_rule(attr_value: str, attr_expression: str) -> Expression:
    """The expression of one device attribute; `attr_value` is a text, whatever stands in it.

    Raises ExpressionError with the position in `attr_expression` for all that is not of the grammar.
    """
    source = Source(attr_value, attr_expression)
    root = source.parse()
    evaluate = _Compiler(source).compile(root, 1)
    source.check_brackets(DEEPEST)
    if isinstance(root, ast.Constant):
        hint = "begin it with a comparison, such as == data_to_dict['deviceInfo']['deviceName']"
        raise source.error(1, "compares with nothing", hint)
    return Expression(evaluate, _equality(root), _membership(root))


def look_up(event: object, path: Path) -> object:
    """What stands at `path` in the event, None where there is nothing."""
    try:
        for key in path:
            event = event[key]  # type: ignore[index]
    except (LookupError, TypeError):
        return None
    return event


class _Compiler:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._rules: dict[type[ast.expr], Callable[[ast.expr, int], Evaluate]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Subscript: self._subscript,
            ast.Attribute: self._dotted,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._boolean,
            ast.Compare: self._compare,
            ast.List: self._literals,
            ast.Tuple: self._literals,
        }

    def compile(self, node: ast.expr, depth: int) -> Evaluate:
        """The closure for `node`; raises ExpressionError."""
        if depth > DEEPEST:
            raise self._source.fault(node, f"is nested more than {DEEPEST} deep")
        if type(node) not in self._rules:
            raise self._source.fault(node, *refusal_of(node))
        return self._rules[type(node)](node, depth)

    def _constant(self, node: ast.expr, depth: int) -> Evaluate:
        value = _literal(node)
        if value is NO_LITERAL:
            raise self._source.fault(node, *refusal_of(node))
        return lambda event: value

    def _name(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.Name)
        if node.id != EVENT:
            near = nearest(node.id, [EVENT, "True", "False", "None", "not", "and", "or", "in"])
            hint = f"did you mean {near}?" if near else f"keys of the event are written {EVENT}['{node.id}']"
            raise self._source.fault(node, f"names {node.id!r}, but the event is called {EVENT}", hint)
        return lambda event: event

    def _subscript(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.Subscript)
        target, key = self.compile(node.value, depth + 1), self.compile(node.slice, depth + 1)
        return lambda event: target(event)[key(event)]  # type: ignore[index]

    def _dotted(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.Attribute)
        if node.attr.startswith("__") or not _is_of_event(node):
            raise self._source.fault(node, *refusal_of(node))
        target, key = self.compile(node.value, depth + 1), node.attr
        return lambda event: _entry(target(event), key)

    def _unary(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.UnaryOp)
        if not isinstance(node.op, ast.Not):
            return self._constant(node, depth)
        operand = self.compile(node.operand, depth + 1)
        return lambda event: not operand(event)

    def _boolean(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.BoolOp)
        parts = [self.compile(part, depth + 1) for part in node.values]
        ends = operator.not_ if isinstance(node.op, ast.And) else operator.truth

        def evaluate(event: object) -> object:
            value: object = None
            for part in parts:
                value = part(event)
                if ends(value):
                    break
            return value

        return evaluate

    def _compare(self, node: ast.expr, depth: int) -> Evaluate:
        assert isinstance(node, ast.Compare)
        terms = [self.compile(term, depth + 1) for term in [node.left, *node.comparators]]
        for op, before in zip(node.ops, [node.left, *node.comparators], strict=False):
            if type(op) not in COMPARISONS:
                raise self._source.after(before, "compares with `is`", "write == or !=")
        return _comparison(terms, [COMPARISONS[type(op)] for op in node.ops])

    def _literals(self, node: ast.expr, depth: int) -> Evaluate:
        """A list or tuple; comparing never changes it, so one is enough for all events."""
        assert isinstance(node, ast.List | ast.Tuple)
        values = [self._element(element, depth + 1) for element in node.elts]
        value = values if isinstance(node, ast.List) else tuple(values)
        return lambda event: value

    def _element(self, node: ast.expr, depth: int) -> object:
        evaluate = self.compile(node, depth)
        if isinstance(node, ast.List | ast.Tuple) or _literal(node) is not NO_LITERAL:
            return evaluate(None)
        raise self._source.fault(node, "is not a literal", "lists hold texts and numbers only")


def _comparison(terms: list[Evaluate], tests: list[Compare]) -> Evaluate:
    if len(tests) == 1:
        (left, right), (test,) = terms, tests
        return lambda event: test(left(event), right(event))

    def evaluate(event: object) -> object:
        before, result = terms[0](event), True
        for test, term in zip(tests, terms[1:], strict=True):
            after = term(event)
            result = bool(test(before, after))
            if not result:
                break
            before = after
        return result

    return evaluate


def _entry(mapping: object, key: str) -> object:
    # Only what JSON calls an object has dotted keys; what Python calls one keeps its attributes.
    if not isinstance(mapping, dict):
        raise TypeError(f"{type(mapping).__name__} has no keys")
    return mapping[key]


NO_LITERAL = object()


def _literal(node: ast.expr) -> object:
    """The value of a text, number, True, False or None, with or without a sign; else NO_LITERAL."""
    if isinstance(node, ast.Constant) and type(node.value) in (str, int, float, bool, type(None)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        if type(number) in (int, float) and isinstance(node.op, ast.USub | ast.UAdd):
            return -number if isinstance(node.op, ast.USub) else number  # type: ignore[operator]
    return NO_LITERAL


def _is_of_event(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)


def _path(node: ast.expr) -> Path | None:
    """The keys from the event to `node`, None when it is no path of fixed keys."""
    keys: list[Key] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        key = node.attr if isinstance(node, ast.Attribute) else _literal(node.slice)
        if type(key) not in (str, int):
            return None
        keys.append(key)  # type: ignore[arg-type]
        node = node.value
    return tuple(reversed(keys)) if isinstance(node, ast.Name) else None


def _equality(root: ast.expr) -> tuple[Path, str] | None:
    sides = _sides(root, ast.Eq)
    return (sides and _pair(*sides)) or (sides and _pair(*reversed(sides))) or None


def _membership(root: ast.expr) -> tuple[Path, str] | None:
    sides = _sides(root, ast.In)
    return sides and _pair(*sides)


def _sides(root: ast.expr, op: type[ast.cmpop]) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(root, ast.Compare) and len(root.ops) == 1 and isinstance(root.ops[0], op):
        return root.left, root.comparators[0]
    return None


def _pair(text: ast.expr, place: ast.expr) -> tuple[Path, str] | None:
    value, path = _literal(text), _path(place)
    return (path, value) if isinstance(value, str) and path is not None else None
