"""Baseline metrics: what they are, how they are collected, what they come to (B-01 to B-16, decision 23)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from pydantic import Field

from domain.errors import NotFound
from domain.model import Value

DAY = timedelta(days=1)


class BaselineMetric(StrEnum):
    NO_SHOW_RATE = "no_show_rate"
    SAME_DAY_CANCELLATION_RATE = "same_day_cancellation_rate"
    RECALL_CONVERSION_RATE = "recall_conversion_rate"
    RECALL_DELAY = "recall_delay"
    FRONT_DESK_HOURS = "front_desk_hours"
    REVIEW_VOLUME = "review_volume"
    STAR_RATING = "star_rating"
    RESPONSE_RATE = "response_rate"


class Unit(StrEnum):
    PERCENT = "percent"
    DAYS = "days"
    HOURS_PER_WEEK = "hours_per_week"
    PER_MONTH = "per_month"
    STARS = "stars"


class WindowKind(StrEnum):
    TRAILING_DAYS = "trailing_days"
    TRAILING_MONTHS = "trailing_months"
    WEEKS = "weeks"
    SNAPSHOT = "snapshot"


class Window(Value):
    """The measurement period of a metric, the same at every location (B-02)."""

    kind: WindowKind
    length: int = Field(ge=0)
    """Days, months or weeks; 0 for a snapshot, which is of one day."""

    def begins(self, last_day: date) -> date:
        """The first day of the period that ends with `last_day`."""
        match self.kind:
            case WindowKind.TRAILING_DAYS:
                return last_day - timedelta(days=self.length - 1)
            case WindowKind.WEEKS:
                return last_day - timedelta(weeks=self.length) + DAY
            case WindowKind.TRAILING_MONTHS:
                return _months_before(last_day + DAY, self.length)
            case WindowKind.SNAPSHOT:
                return last_day


class Formula(Value):
    """Sums of counts, the first divided by the second, times a factor."""

    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    """None: the numerator is the value."""
    factor: Decimal = Decimal(1)


class MetricSpec(Value):
    """One metric of the registry."""

    metric: BaselineMetric
    requirement: str
    definition: str
    method: str
    unit: Unit
    window: Window
    optional: bool = False
    """B-10: only where it is tracked already."""
    lower_is_better: bool
    bucketed: Formula
    """Over mutually exclusive buckets (decision 23): the value that counts."""
    playbook_literal: Formula
    """Computed exactly as the playbook words it."""

    @property
    def counts(self) -> frozenset[str]:
        """The names of the counts that a collection brings."""
        formulas = (self.bucketed, self.playbook_literal)
        return frozenset(name for one in formulas for name in (*one.numerator, *one.denominator))


class Effort(Value):
    """Hours over all locations (B-16)."""

    least_hours: int
    most_hours: int


class RoiPolicy(Value):
    """When the return is measured (Z-02)."""

    checkpoints: tuple[int, ...]
    """Days after a location's go-live, in their order."""
    first_validation_week: int
    last_validation_week: int
    """Of the programme, whose first is 1."""


class BaselinePolicy(Value):
    metrics: tuple[MetricSpec, ...]
    roi: RoiPolicy
    deadline_before_pilot: timedelta
    """B-13."""
    effort: Effort
    decimals: int = Field(ge=0)
    """Of the values that are shown."""

    def spec(self, metric: str) -> MetricSpec:
        """Raises `NotFound` (`metric.unknown`)."""
        found = next((spec for spec in self.metrics if spec.metric == metric), None)
        if found is None:
            raise NotFound("metric.unknown", "there is no such metric")
        return found


Counts = Mapping[str, Decimal]


class Fraction(Value):
    """A value with what it was computed from. `value` is None where there is nothing to divide by."""

    numerator: Decimal
    denominator: Decimal | None
    value: Decimal | None


class Measured(Value):
    """Both values of a metric (decision 23)."""

    bucketed: Fraction
    playbook_literal: Fraction


def measure(spec: MetricSpec, counts: Counts, decimals: int) -> Measured:
    """Of counts that `faults` finds nothing wrong with."""
    return Measured(
        bucketed=_compute(spec.bucketed, counts, decimals),
        playbook_literal=_compute(spec.playbook_literal, counts, decimals),
    )


def total(collected: Collection[Counts]) -> dict[str, Decimal]:
    """Counts of several periods or locations as one: rates are of the sums, never means of rates."""
    names = {name for counts in collected for name in counts}
    return {name: sum((counts.get(name, Decimal()) for counts in collected), Decimal()) for name in sorted(names)}


def faults(spec: MetricSpec, counts: Counts) -> tuple[str, ...]:
    """Stable codes of everything that is wrong with these counts."""
    found: list[str] = []
    if counts.keys() != spec.counts:
        return ("metric.counts_wrong",)
    if any(not count.is_finite() or count < 0 for count in counts.values()):
        return ("metric.count_negative",)
    if spec.bucketed.denominator and not _sum(spec.bucketed.denominator, counts):
        found.append("metric.nothing_counted")
    if spec.unit is Unit.PERCENT and any(
        _sum(formula.numerator, counts) > _sum(formula.denominator, counts)
        for formula in (spec.bucketed, spec.playbook_literal)
    ):
        found.append("metric.part_exceeds_total")
    return tuple(found)


def period_faults(spec: MetricSpec, first_day: date, last_day: date, today: date) -> tuple[str, ...]:
    """What is wrong with the period of a baseline: every location measures the same length (B-02)."""
    wrong = ("metric.period_wrong",) if first_day != spec.window.begins(last_day) else ()
    return (*wrong, *(("metric.period_in_future",) if last_day > today else ()))


def missing(policy: BaselinePolicy, collected: Collection[str], unreliable: Collection[str] = ()) -> tuple[str, ...]:
    """Codes `baseline:<metric>` of what a location has yet to collect, or has collected without being sure of it."""
    return tuple(
        f"baseline:{spec.metric}"
        for spec in policy.metrics
        if spec.metric in unreliable or (spec.metric not in collected and not spec.optional)
    )


def deadline(policy: BaselinePolicy, pilot_go_live: datetime) -> datetime:
    """By when every baseline is validated, aware UTC (B-13)."""
    return pilot_go_live - policy.deadline_before_pilot


def _compute(formula: Formula, counts: Counts, decimals: int) -> Fraction:
    numerator = _sum(formula.numerator, counts)
    if not formula.denominator:
        return Fraction(numerator=numerator, denominator=None, value=rounded(numerator * formula.factor, decimals))
    denominator = _sum(formula.denominator, counts)
    value = rounded(numerator * formula.factor / denominator, decimals) if denominator else None
    return Fraction(numerator=numerator, denominator=denominator, value=value)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, as people round."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _sum(names: tuple[str, ...], counts: Counts) -> Decimal:
    return sum((counts[name] for name in names), Decimal())


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or its last day."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    after = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (after - DAY).day))
