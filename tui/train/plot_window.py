"""The stretch of an x axis in view: zooming and panning, as arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[float, float]

# Of the whole axis, at least so much stays in view.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Window:
    """``width`` of the axis up to ``right``; None: to its end, along with a run that goes on."""

    width: float
    right: float | None = None

    def span(self, whole: Span) -> Span:
        """Its two ends, inside ``whole``."""
        low, high = whole
        width = min(self.width, high - low)
        right = high if self.right is None else min(max(self.right, low + width), high)
        return right - width, right


def zoomed(window: Window | None, whole: Span, factor: float, at: float) -> Window | None:
    """``factor`` times as close, with ``at`` where it was in view; None when all is in view."""
    left, right = whole if window is None else window.span(whole)
    full = whole[1] - whole[0]
    width = max((right - left) / factor, LEAST_SHARE * full)
    if width >= full * (1 - 1e-9):
        return None
    share = min(max((at - left) / (right - left), 0.0), 1.0)
    return _inside(width, left + share * (right - left) + (1 - share) * width, whole)


def panned(window: Window | None, whole: Span, share: float) -> Window | None:
    """Moved by a share of its width; None stays None: all is in view."""
    if window is None:
        return None
    left, right = window.span(whole)
    return _inside(right - left, right + share * (right - left), whole)


def showing(window: Window | None, whole: Span, x: float) -> Window | None:
    """Moved so far that ``x`` is in view."""
    if window is None:
        return None
    left, right = window.span(whole)
    if left <= x <= right:
        return window
    return _inside(right - left, x if x > right else x + (right - left), whole)


def _inside(width: float, right: float, whole: Span) -> Window:
    low, high = whole
    at_end = right >= high - 1e-9 * (high - low)
    return Window(width, None if at_end else max(right, low + width))
