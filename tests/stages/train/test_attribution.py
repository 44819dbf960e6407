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
        (HEADING, "aten::mm", ("_HeadLoss",), None),
        (HEADING, "graph_2_cpp_fused_amax_exp_0", ("Torch-Compiled Region: 2/0", "_HeadLoss"), 2),
        (BACKWARDS, "aten::mm", (LAYER, LATER), 3),
        (ATTENDING, "aten::copy_", ("_ProductsBackward", LATER), None),
        (MUON, "aten::baddbmm", (OPTIMIZER,), None),
        (UPDATES, "aten::lerp_", (OPTIMIZER,), None),
        (REST, "TorchDynamo Cache Lookup", (), None),
    ]
    shapes = ((1, 4, 8), (1, 8, 2))
    return [
        (
            row,
            Operation(
                name=name,
                shapes=shapes if "bmm" in name else ((4, 8), (8, 2)) if name == "aten::mm" else (),
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
    assert table[FORWARD].flops == 2 * 4 * 8 * 2 and table[ATTENDING].flops == 2 * (2 * 4 * 8 * 2)
