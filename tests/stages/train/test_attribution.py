from __future__ import annotations

from freehold.stages.train.attribution import (
    ATTENDING,
    BACKWARDS,
    DATA,
    ELEMENTWISE,
    FORWARD,
    HEADING,
    MUON,
    OPTIMIZER,
    ORTHOGONAL,
    READING,
    REST,
    UPDATES,
    Operation,
    attribute,
)

LAYER = "## Call CompiledFxGraph f3 ##"
LATER = "autograd::engine::evaluate_function: CompiledFunctionBackward"


def step() -> list[tuple[str, Operation]]:
    """A step such as the profiler sees it, each operation with the row it belongs to."""
    lines: list[tuple[str, str, tuple[str, ...], int | None]] = [
        (READING, DATA, (), None),
        (READING, "aten::stack", (DATA,), None),
        (FORWARD, "aten::mm", (LAYER,), 1),
        (ELEMENTWISE, "graph_0_cpp_fused_mean_rsqrt_0", (LAYER,), 1),
        (ATTENDING, "aten::bmm", (LAYER,), 1),
        (ATTENDING, "graph_0_cpp_fused_amax_exp_4", (LAYER,), 1),
        (ATTENDING, "aten::bmm", (LAYER,), 1),
        (ELEMENTWISE, "graph_0_cpp_fused_silu_9", (LAYER,), 1),
        (REST, LAYER, ("CompiledFunction",), None),
        (BACKWARDS, "freehold::crossed", (LAYER, LATER), None),
        (ATTENDING, "freehold::attend_back", (LAYER, LATER), 4),
        (ELEMENTWISE, "freehold::norm", (LAYER,), 1),
        (HEADING, "_HeadLoss", (), None),
        (MUON, f"{ORTHOGONAL} 2 4 8 5", (OPTIMIZER,), None),
        (HEADING, "aten::mm", ("_HeadLoss",), None),
        (HEADING, "graph_2_cpp_fused_amax_exp_0", ("Torch-Compiled Region: 2/0", "_HeadLoss"), 2),
        (BACKWARDS, "aten::mm", (LAYER, LATER), 3),
        (ATTENDING, "aten::copy_", ("_ProductsBackward", LATER), None),
        (MUON, "aten::baddbmm", (OPTIMIZER,), None),
        (UPDATES, "aten::lerp_", (OPTIMIZER,), None),
        (REST, "TorchDynamo Cache Lookup", (), None),
    ]
    pair = ((4, 8), (8, 2))
    shapes = {
        "aten::bmm": ((1, 4, 8), (1, 8, 2)),
        "aten::baddbmm": ((1, 4, 2), (1, 4, 8), (1, 8, 2)),
        "aten::mm": pair,
        "freehold::crossed": pair,
        "freehold::attend_back": ((1, 2, 4, 8),),
        "_HeadLoss": pair,
    }
    return [
        (
            row,
            Operation(
                name=name,
                shapes=shapes.get(name, ()),
                start_us=float(place),
                own_us=2.0**place,  # every sum tells its parts
                callers=callers,
                layer=layer,
            ),
        )
        for place, (row, name, callers, layer) in enumerate(lines)
    ]


def test_every_operation_goes_into_its_row_and_the_rest_is_what_is_missing() -> None:
    told = step()
    wall = sum(operation.own_us for _, operation in told) + 1000.0
    table = attribute([operation for _, operation in told], wall_us=wall)
    for name, row in table.items():
        expected = sum(operation.own_us for place, operation in told if place == name)
        assert row.own_us == expected + (1000.0 if name == REST else 0.0), name
    assert sum(row.own_us for row in table.values()) == wall
    one = 2 * 4 * 8 * 2
    assert table[FORWARD].flops == one and table[BACKWARDS].flops == one + 2 * 4 * 8 * 2
    assert table[ATTENDING].flops == 2 * one + 5 * 2 * 4 * 4 * 8
    assert table[HEADING].flops == 6 * 4 * 8 * 8  # the mm inside is one of the three
    assert table[MUON].flops == one + 5 * 2 * (4 * 4 * 4 * 8 + 2 * 4**3)
