"""Plots as SVG that keep their letters legible at any width: positions across are percentages, letters are pixels.

The same chart stands in the page, where it takes the page's colours, and in a file of its own for a README.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freehold.page.look import CHART_RULES, COLOURS, DARK
from freehold.page.markup import Markup, join, tag

BAR, GAP, HEAD = 14, 5, 20  # pixels: a bar, the space below it, the line of a group's name
WIDEST = 80.0  # per cent of the width that the longest bar takes; its figure stands in the rest
PLOT = (6.5, 98.0)  # per cent: left and right edge of a curve's field


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One drawing: `body` fills `height` pixels at any width; `summary` is what a screen reader says."""

    body: Markup
    height: float
    title: str
    summary: str
    legend: tuple[tuple[str, str], ...] = ()  # role and what it stands for

    def inline(self) -> Markup:
        """As it stands in the page, below a heading that says what it is."""
        said = f"{self.title}. {self.summary}"
        drawing = tag("svg", self.body, class_="chart", width="100%", height=self.height, role="img", aria_label=said)
        entries = [tag("li", tag("i", style=f"--c:var(--{role})"), name) for role, name in self.legend]
        return join(tag("ul", *entries, class_="legend") if entries else None, drawing)

    def alone(self, *, width: int = 760) -> bytes:
        """As a file of its own, light or dark as the reader's system is."""
        light = f".chart{{{COLOURS};background:var(--paper)}}"
        dark = f"@media(prefers-color-scheme:dark){{.chart{{{DARK}}}}}"
        squares = [join(tag("tspan", "■ ", class_=role), f"{name}\u2003") for role, name in self.legend]
        top = 72 if squares else 50
        whole = tag(
            "svg",
            tag("title", self.title),
            tag("desc", self.summary),
            tag("style", Markup(light + dark + CHART_RULES)),
            tag("text", self.title, x=20, y=30, class_="title"),
            tag("text", *squares, x=20, y=54) if squares else None,
            tag("svg", self.body, x=20, y=top, width=width - 40, height=self.height),
            xmlns="http://www.w3.org/2000/svg",
            width=width,
            height=self.height + top + 14,
            font_family="system-ui,sans-serif",
            class_="chart",
        )
        return whole.encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its length, what stands behind it, and its role (the name of a colour)."""

    value: float
    text: str
    role: str = "model"


def bars(
    groups: Sequence[tuple[str, Sequence[Bar]]],
    *,
    title: str,
    summary: str,
    legend: tuple[tuple[str, str], ...] = (),
) -> Chart:
    """Lying bars in groups, the name of a group above its bars."""
    longest = max((bar.value for _, row in groups for bar in row), default=1.0) or 1.0
    y = 0.0
    drawn: list[Markup] = []
    for name, row in groups:
        drawn.append(tag("text", name, x=0, y=y + 14, class_="name"))
        y += HEAD
        for bar in row:
            long = WIDEST * bar.value / longest
            drawn.append(tag("rect", x=0, y=y, width=f"{max(long, 0.3):.2f}%", height=BAR, rx=3, class_=bar.role))
            drawn.append(tag("text", bar.text, x=f"{long:.2f}%", dx=7, y=y + BAR - 3, class_="figure"))
            y += BAR + GAP
        y += 9
    return Chart(body=join(*drawn), height=y, title=title, summary=summary, legend=legend)


def curve(
    points: Sequence[tuple[float, float]],
    *,
    smooth: Sequence[tuple[float, float]],
    height: float,
    across: str,
    figure: Callable[[float], str],
    mark: tuple[float, str] | None = None,
    named: Callable[[float], str] = "{:.2f}".format,
    left: float = PLOT[0],
    floor: float | None = None,
    title: str,
    summary: str,
) -> Chart:
    """A line over a faint one: `smooth` over `points` (x, y), x from 0; `mark` is a height to draw dashed.

    `figure` writes what stands below the axis, `named` the height where the line ends, which is also how heights
    are written if they are not short; `left` is where the field begins, in per cent; `floor` is a height to show.
    """
    right = max((x for x, _ in points), default=1.0) or 1.0
    values = [y for _, y in points] + ([mark[0]] if mark else []) or [1.0]
    values += [] if floor is None else [floor]
    steps = ticks(min(values), max(values), about=5 if height >= 200 else 3)
    low, high = min(steps[0], *values), max(steps[-1], *values)

    def down(value: float) -> float:
        return height * (high - value) / ((high - low) or 1.0)

    def path(line: Sequence[tuple[float, float]], role: str) -> Markup:
        d = "M" + "L".join(f"{1000 * x / right:.1f} {down(y):.1f}" for x, y in line)
        return tag("path", d=d, class_=role, vector_effect="non-scaling-stroke")

    wide, edge = PLOT[1] - left, f"{PLOT[1]}%"
    drawn = [tag("line", x1=f"{left}%", x2=edge, y1=down(y), y2=down(y), class_="grid") for y in steps]
    for y in steps:
        written = f"{y:g}" if abs(y) < 1000 else named(y)
        drawn.append(tag("text", written, x=f"{left - 1.5}%", y=down(y) + 4, class_="tick", text_anchor="end"))
    if mark:
        dashed = down(mark[0])
        drawn.append(tag("line", x1=f"{left}%", x2=edge, y1=dashed, y2=dashed, class_="mark"))
        drawn.append(tag("text", mark[1], x=edge, y=dashed - 5, class_="tick", text_anchor="end"))
    if points:
        field = tag(
            "svg",
            path(points, "faint"),
            path(smooth, "line"),
            x=f"{left}%",
            y=0,
            width=f"{wide}%",
            height=height,
            viewBox=f"0 0 1000 {height:g}",
            preserveAspectRatio="none",
        )
        last = smooth[-1][1]
        clear = max(down(last) - 8, -4.0)  # above the line, but not out of the drawing
        end = tag("text", named(last), x=edge, y=clear, class_="figure strong", text_anchor="end")
        drawn += [field, end]
    for x, anchor in [(0.0, "start"), (right / 2, "middle"), (right, "end")]:
        x_at = f"{left + wide * x / right:.2f}%"
        drawn.append(tag("text", figure(x), x=x_at, y=height + 18, class_="tick", text_anchor=anchor))
    drawn.append(tag("text", across, x=f"{left + wide / 2}%", y=height + 36, class_="tick", text_anchor="middle"))
    body = tag("svg", join(*drawn), y=14, overflow="visible")
    return Chart(body=body, height=height + 58, title=title, summary=summary)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round values that cover a range, about so many of them.

    >>> ticks(2.1, 9.0)
    [2.0, 4.0, 6.0, 8.0, 10.0]
    """
    span = max(high - low, 1e-9) / about
    unit = 10.0 ** math.floor(math.log10(span))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= span)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * number, 10) for number in range(first, last + 1)]


def smoothed(points: Sequence[tuple[float, float]], *, share: float = 0.04) -> list[tuple[float, float]]:
    """Each value as the mean of its neighbours within a share of the points.

    The window is even-sided, so smaller at the steep beginning; at the end it reaches back only, to stay calm.
    """
    reach, total = max(1, int(len(points) * share / 2)), [0.0]
    for _, y in points:
        total.append(total[-1] + y)
    found = []
    for position, (x, _) in enumerate(points):
        begin, end = position - min(reach, position), min(position + min(reach, position) + 1, len(points))
        found.append((x, (total[end] - total[begin]) / (end - begin)))
    return found


def thinned(points: Sequence[tuple[float, float]], *, most: int = 400) -> list[tuple[float, float]]:
    """At most about `most` points, evenly taken, the last one kept: more would not show."""
    stride = max(1, math.ceil(len(points) / most))
    kept = list(points[::stride])
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]
