"""The text of a device expression: parsed within bounds, and its faults told by position."""

import ast
import io
import tokenize
import warnings

LONGEST = 2_000
EVENT = "data_to_dict"

ALLOWED = "an expression compares texts and numbers with keys of the event, by == != < <= > >= in, and or not"
KINDS: dict[type[ast.expr], str] = {
    ast.Call: "calls a function",
    ast.Lambda: "is a lambda",
    ast.ListComp: "is a comprehension",
    ast.SetComp: "is a comprehension",
    ast.DictComp: "is a comprehension",
    ast.GeneratorExp: "is a comprehension",
    ast.JoinedStr: "is an f-string",
    ast.NamedExpr: "assigns with :=",
    ast.BinOp: "calculates or formats",
    ast.UnaryOp: "calculates",
    ast.IfExp: "chooses with if",
    ast.Starred: "unpacks with *",
    ast.Slice: "is a slice",
    ast.Dict: "is a mapping",
    ast.Set: "is a set",
    ast.Constant: "is neither text nor number",
}


class ExpressionError(ValueError):
    """An expression that is not taken; `column` counts the characters of attrExpression from 1."""

    def __init__(self, message: str, column: int, hint: str | None) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column
        self.hint = hint


def refusal_of(node: ast.expr) -> tuple[str, str]:
    """Why a kind of expression is refused, and what is taken instead."""
    if isinstance(node, ast.Attribute):
        name = f"asks for the attribute {node.attr!r}"
        return name, f"dotted keys are those of the event, such as {EVENT}.deviceInfo"
    return KINDS.get(type(node), "is not part of the language"), ALLOWED


class Source:
    """`<attrValue> <attrExpression>` with the value quoted, and the way from its positions to the user's."""

    def __init__(self, attr_value: str, attr_expression: str) -> None:
        self._own = attr_expression
        self._prefix = len(repr(attr_value)) + 1
        self._text = f"{attr_value!r} {attr_expression}"
        self._lines = self._text.split("\n")

    def parse(self) -> ast.expr:
        """The tree; raises ExpressionError for what is too long or no expression at all."""
        if len(self._own) > LONGEST:
            raise self.error(LONGEST + 1, f"is longer than {LONGEST:,} characters")
        if "\0" in self._own:
            raise self.error(self._own.index("\0") + 1, "holds the NUL character")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of '\d' and the like, which the older program took
                return ast.parse(self._text, mode="eval").body
        except SyntaxError as error:
            column = self._column(error.lineno or 1, (error.offset or len(self._text) + 1) - 1)
            raise self.error(column, f"is no expression: {error.msg}", ALLOWED) from None
        except (ValueError, RecursionError, MemoryError):
            raise self.error(1, "is too complicated to be read", ALLOWED) from None

    def check_brackets(self, deepest: int) -> None:
        """Raises ExpressionError for brackets in brackets that leave no trace in the tree."""
        depth = 0
        for token in tokenize.generate_tokens(io.StringIO(self._text).readline):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
            if depth > deepest:
                raise self.error(self._column(*token.start), f"is nested more than {deepest} deep")

    def fault(self, node: ast.expr, message: str, hint: str | None = None) -> ExpressionError:
        """A fault at the node; at what follows its first part where the node begins with attrValue."""
        column = self._column(node.lineno, self._characters(node.lineno, node.col_offset))
        first = next(
            (getattr(node, part) for part in ("left", "func", "value", "body") if hasattr(node, part)), None
        )
        if column < 1 and isinstance(first, ast.expr):
            return self.after(first, message, hint)
        return self.error(column, message, hint)

    def after(self, node: ast.expr, message: str, hint: str | None = None) -> ExpressionError:
        """A fault at what follows the node."""
        line, offset = node.end_lineno or 1, self._characters(node.end_lineno or 1, node.end_col_offset or 0)
        rest = self._lines[line - 1][offset:]
        return self.error(self._column(line, offset + len(rest) - len(rest.lstrip(" \t)"))), message, hint)

    def error(self, column: int, message: str, hint: str | None = None) -> ExpressionError:
        """A fault at a column, held within what the user wrote."""
        return ExpressionError(message, min(max(column, 1), len(self._own) + 1), hint)

    def _characters(self, line: int, offset: int) -> int:
        """Python counts the bytes of UTF-8, people count characters."""
        return len(self._lines[line - 1].encode()[:offset].decode(errors="ignore"))

    def _column(self, line: int, offset: int) -> int:
        before = sum(len(text) + 1 for text in self._lines[: line - 1])
        return before + offset - self._prefix + 1
