"""Scalable pictures: in a page, whose colours they take, and as files of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

COLOURS = """
:root { color-scheme: light dark; --back: #ffffff; --ink: #1b1f24; --quiet: #57606a;
  --rule: #d5dae0; --one: #0a5ca8; --two: #a8450b; --soft: #eef2f6; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --ink: #e8ebee; --quiet: #a3adb8;
  --rule: #3a424b; --one: #7ab8f5; --two: #f2a865; --soft: #1f252b; } }
"""

SHAPES = """
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .quiet { fill: var(--quiet); }
svg .small { font-size: 11px; }
svg .inverse { fill: var(--back); }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
svg .rule { stroke: var(--rule); }
svg .ideal { stroke: var(--quiet); stroke-dasharray: 5 4; fill: none; }
svg .one { stroke: var(--one); fill: none; stroke-width: 2; }
svg .two { stroke: var(--two); fill: none; stroke-width: 2; stroke-dasharray: 7 3; }
svg .bar { stroke: var(--one); stroke-width: 1.2; }
svg .dot { fill: var(--one); }
svg .dot-two { fill: var(--two); }
svg .right { fill: var(--one); }
svg .wrong { fill: var(--two); }
svg .frame { stroke: var(--rule); fill: none; }
"""


@dataclass
class Picture:
    """``name`` is that of its file; ``title`` and ``told`` say to those who do not see it what it
    shows."""

    name: str
    title: str
    told: str
    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self.parts.append(f'<line class="{kind}" {ends}/>')

    def path(self, points: list[tuple[float, float]], kind: str) -> None:
        if points:
            steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            self.parts.append(f'<path class="{kind}" d="M{steps}"/>')

    def dot(self, x: float, y: float, kind: str, says: str) -> None:
        tip = f"<title>{escape(says)}</title>"
        self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4">{tip}</circle>')

    def box(
        self, x: float, y: float, side: float, kind: str, *, strength: float, says: str
    ) -> None:
        tip = f"<title>{escape(says)}</title>"
        place = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
        self.parts.append(f'<rect class="{kind}" {place} opacity="{strength:.3f}">{tip}</rect>')

    def text(self, x: float, y: float, words: str, kind: str = "", *, turned: bool = False) -> None:
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        place = f'x="{x:.1f}" y="{y:.1f}"{turn}'
        self.parts.append(f'<text class="{kind}" {place}>{escape(words)}</text>')

    def inline(self) -> str:
        """For a page that has `COLOURS` and `SHAPES`."""
        return self._svg("", f'width="{self.width:.0f}" height="{self.height:.0f}"')

    def alone(self) -> str:
        """As a file."""
        style = f"<style>{COLOURS}{SHAPES}</style>"
        back = '<rect width="100%" height="100%" style="fill: var(--back)"/>'
        sizes = f'width="{self.width:.0f}" height="{self.height:.0f}"'
        return self._svg(style + back, f'xmlns="http://www.w3.org/2000/svg" {sizes}') + "\n"

    def _svg(self, before: str, attributes: str) -> str:
        ids = f"{self.name}-title {self.name}-told"
        head = f'<title id="{self.name}-title">{escape(self.title)}</title>'
        head += f'<desc id="{self.name}-told">{escape(self.told)}</desc>'
        view = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        opening = f'<svg {attributes} {view} role="img" aria-labelledby="{ids}">'
        return f"{opening}{head}{before}{''.join(self.parts)}</svg>"


@dataclass(frozen=True)
class Frame:
    """A rectangle of a picture with a scale on each side."""

    picture: Picture
    left: float
    top: float
    width: float
    height: float
    xs: tuple[float, float]
    ys: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.xs
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self.ys
        return self.top + self.height * (1 - (value - low) / (high - low))

    def axes(self, x_name: str, y_name: str, x_steps: list[float], y_steps: list[float]) -> None:
        """Rules at the steps, with their shares in per cent, and the axes' names."""
        bottom, right = self.top + self.height, self.left + self.width
        for step in x_steps:
            self.picture.line(self.x(step), self.top, self.x(step), bottom, "rule")
            self.picture.text(self.x(step), bottom + 18, percent(step), "middle quiet")
        for step in y_steps:
            self.picture.line(self.left, self.y(step), right, self.y(step), "rule")
            self.picture.text(self.left - 8, self.y(step) + 4, percent(step), "end quiet")
        self.picture.text(self.left + self.width / 2, bottom + 38, x_name, "middle")
        self.picture.text(self.left - 48, self.top + self.height / 2, y_name, "middle", turned=True)


def percent(share: float) -> str:
    """``share`` in per cent, with no more places than it needs."""
    return f"{round(share * 100, 2):g} %"
