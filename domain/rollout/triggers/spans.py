"""Stretches of time as sets: joined where they touch, taken from one another. All half open, aware UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.clock import Span


def joined(spans: Iterable[Span], gap: timedelta = timedelta()) -> tuple[Span, ...]:
    """In order and apart: what overlaps, touches or lies no further apart than `gap` becomes one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        if found and span.start - found[-1].end <= gap:
            found[-1] = Span(start=found[-1].start, end=max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of the spans where none of the others is."""
    left = joined(spans)
    for cut in taken:
        left = tuple(piece for span in left for piece in _cut(span, cut))
    return left


def _cut(span: Span, cut: Span) -> tuple[Span, ...]:
    if cut.end <= span.start or cut.start >= span.end:
        return (span,)
    before = (Span(start=span.start, end=cut.start),) if cut.start > span.start else ()
    after = (Span(start=cut.end, end=span.end),) if cut.end < span.end else ()
    return (*before, *after)


def within(spans: Iterable[Span], start: datetime, end: datetime) -> tuple[Span, ...]:
    """The parts of the spans between the two moments."""
    cut = ((max(span.start, start), min(span.end, end)) for span in spans)
    return tuple(Span(start=begins, end=ends) for begins, ends in cut if begins < ends)


def length(spans: Iterable[Span]) -> timedelta:
    """Of spans that are apart."""
    return sum((span.end - span.start for span in spans), timedelta())
