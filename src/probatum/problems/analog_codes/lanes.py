"""Vectors of `LANES` float64 numbers inside numba programs: the same formula for as many codes at once.

numba leaves it to the compiler to find such vectors in loops, and the compiler gives up where it cannot prove that two
rows of an array are different ones. Here they are values of their own: `load` and `store` move rows of a [row, LANES]
array, and +, -, *, / between them are single instructions of IEEE arithmetic, never fused or reordered.
Importing this module imports numba (about half a second).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import templates
from numba.extending import lower_builtin, models, register_model

intrinsic: Any = numba.extending.intrinsic
infer_global: Any = templates.infer_global
"""Decorators; what the first makes of a function takes other arguments than that, which type checkers cannot know."""
Result = TypeVar("Result")
Lowered = tuple[Any, Callable[..., Any]]
"""A signature, and what writes the instructions for it."""
LANES = 16
ALIGNMENT = 64
"""Bytes; a vector that straddles two cache lines takes twice as long to load."""
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.VectorType(ir.IntType(32), LANES)


class Lanes(types.Type):
    """numba's name for the vectors."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Vectors are kept as LLVM's own."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def compiled(function: Callable[..., Result]) -> Callable[..., Result]:
    """The function compiled on first call; kept on disk where numba finds a folder that it can write."""
    try:
        return _compiled(function, kept=True)
    except (RuntimeError, OSError):  # numba found nowhere to put its cache: compile anew in every process
        return _compiled(function, kept=False)


def _compiled(function: Callable[..., Result], *, kept: bool) -> Callable[..., Result]:
    decorate: Any = numba.njit(cache=kept, nogil=True, error_model="numpy")
    return decorate(function)


def rows(count: int) -> np.ndarray:
    """[count, LANES] float64 that begins at a cache line; its content is arbitrary."""
    spare = ALIGNMENT // 8
    memory = np.empty(count * LANES + spare)
    start = -(memory.ctypes.data // 8) % spare
    return memory[start : start + count * LANES].reshape(count, LANES)


def _arithmetic(symbol: Callable[..., Any], instruction: str) -> None:
    @infer_global(symbol)
    class Template(templates.ConcreteTemplate):
        key = symbol
        cases = (templates.signature(lanes, lanes, lanes),)

    @lower_builtin(symbol, lanes, lanes)
    def lower(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        return getattr(builder, instruction)(*arguments)


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _instruction)


def _data(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _row(builder: ir.IRBuilder, data: ir.Value, row: Any) -> Any:
    first = builder.gep(data, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(first, _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: types.Type, row: types.Type) -> Lowered:
    """Row `row` of a [row, LANES] float64 array."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        return builder.load(_row(builder, data, index), align=8)

    return lanes(array, row), codegen


@intrinsic
def store(typing: Any, array: types.Type, row: types.Type, value: types.Type) -> Lowered:
    """Writes a vector to row `row` of a [row, LANES] float64 array."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        builder.store(arguments[2], _row(builder, data, index), align=8)
        return context.get_dummy_value()

    return types.void(array, row, lanes), codegen


@intrinsic
def every(typing: Any, number: types.Type) -> Lowered:
    """The vector with the same number in every lane."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        anything = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(anything, arguments[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, anything, ir.Constant(_INDEX, [0] * LANES))

    return lanes(types.float64), codegen


@intrinsic
def size(typing: Any, a: types.Type) -> Lowered:
    """Absolute values."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        return builder.call(_unary(builder, "fabs"), arguments)

    return lanes(lanes), codegen


@intrinsic
def floor(typing: Any, a: types.Type) -> Lowered:
    """The largest integers not above."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        return builder.call(_unary(builder, "floor"), arguments)

    return lanes(lanes), codegen


def _unary(builder: ir.IRBuilder, name: str) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR])
    return cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64")


@intrinsic
def choose(typing: Any, a: types.Type, b: types.Type, x: types.Type, y: types.Type) -> Lowered:
    """x where a <= b, else y; y where a or b is NaN."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        a, b, x, y = arguments
        return builder.select(builder.fcmp_ordered("<=", a, b), x, y)

    return lanes(lanes, lanes, lanes, lanes), codegen


def _larger(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> Any:
    return builder.select(builder.fcmp_ordered(">", b, a), b, a)


def _smaller(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> Any:
    return builder.select(builder.fcmp_ordered("<", b, a), b, a)


@intrinsic
def larger(typing: Any, a: types.Type, b: types.Type) -> Lowered:
    """Maxima."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]) -> Any:
        return _larger(builder, *arguments)

    return lanes(lanes, lanes), codegen


def _over(fold: Callable[..., Any]) -> Any:
    """Folds the rows of an array that one row of a table names; the table's width is that of the tuple `width`."""

    @intrinsic
    def over(
        typing: Any, first: types.Type, array: types.Type, table: types.Type, row: types.Type, width: types.UniTuple
    ) -> Lowered:
        count = width.count

        def codegen(
            context: Any, builder: ir.IRBuilder, signature: templates.Signature, arguments: Sequence[Any]
        ) -> Any:
            value, array, table, row, _ = arguments
            row = context.cast(builder, row, signature.args[3], types.intp)
            data = _data(context, builder, signature.args[1], array)
            names = _data(context, builder, signature.args[2], table)
            names = builder.gep(names, [builder.mul(row, ir.Constant(row.type, count))])
            for i in range(count):
                index = builder.load(builder.gep(names, [ir.Constant(row.type, i)]))
                operand = builder.load(_row(builder, data, builder.sext(index, row.type)), align=8)
                value = fold(builder, value, operand)
            return value

        return lanes(lanes, array, table, row, width), codegen

    return over


sum_over = _over(lambda builder, a, b: builder.fadd(a, b))
"""sum_over(first, array, table, row, width): first + array[table[row, 0]] + array[table[row, 1]] + ..., in order."""
min_over = _over(_smaller)
"""min_over(first, array, table, row, width): the minimum of the same."""
