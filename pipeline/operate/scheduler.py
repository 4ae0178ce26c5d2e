"""Runs a job at the times of a schedule."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from pipeline.operate.corpus_spans import CorpusSpans
from pipeline.operate.cron_times import CatchUp, CronTimes, due
from pipeline.operate.ledger import Ledger, Work
from pipeline.operate.span_run import SpanRunner
from trainer.errors import JobError

_LONGEST_WAIT = 30.0
"""Seconds after which the clock is read again, since someone may set it, or suspend the machine."""
_TICK = datetime.timedelta(microseconds=1)


@dataclasses.dataclass(frozen=True)
class SchedulePlan:
    """What to run and when.

    Attributes:
        times: The schedule.
        catch_up: Which of several passed times to run.
        deadline: How late a time may start; None: at any time.
        spans: The spans of the corpus; None if it has none.
        days_back: Days from the scheduled time back to its span.
        new_spans: Whether to run only spans that were not run before.
    """

    times: CronTimes
    catch_up: CatchUp
    deadline: datetime.timedelta | None = None
    spans: CorpusSpans | None = None
    days_back: int = 0
    new_spans: bool = False

    def span_of(self, time: datetime.datetime) -> int | None:
        """Returns the span of a scheduled time, None for a corpus without spans."""
        if self.spans is None:
            return None
        day = self.times.local(time).date() - datetime.timedelta(days=self.days_back)
        return self.spans.parse(day.isoformat(), "--days-back")

    def due(self, handled: datetime.datetime, now: datetime.datetime) -> list[datetime.datetime]:
        """Returns the scheduled times to run now, oldest first."""
        return due(self.times, handled, now, self.catch_up, self.deadline)


class Scheduler:
    """Runs a job at the times of a schedule, one run at a time.

    Args:
        plan: What to run and when.
        runner: Runs the job.
    """

    def __init__(self, plan: SchedulePlan, runner: SpanRunner) -> None:
        self._plan, self._runner, self._clock = plan, runner, runner.clock
        self._codes: list[int] = []

    def run(self, *, once: bool) -> list[int]:
        """Runs what is due until the user asks to stop; with `once`, until nothing is due.

        Returns:
            The exit codes of the runs.
        """
        handled = self._begin(once)
        while not self._clock.stops:
            now = self._clock.now()
            passed = self._plan.due(handled, now)
            if passed:
                handled = self._run(passed[0], handled)
                continue
            handled = self._miss(handled, now)
            if once:
                break
            upcoming = next(self._plan.times.after(max(handled, now)))
            self._runner.say(f"Next run: {self._show(upcoming)}")
            self._wait_until(upcoming)
        return self._codes

    def _wait_until(self, time: datetime.datetime) -> None:
        while not self._clock.stops and (left := (time - self._clock.now()).total_seconds()) > 0:
            self._clock.wait(min(_LONGEST_WAIT, left))

    def _begin(self, once: bool) -> datetime.datetime:
        """Returns the last time that is handled; at the first start, `once` runs the last time that has passed."""
        plan, now = self._plan, self._clock.now()
        start = plan.times.last_until(now) - _TICK if once else now
        first = max(self._stamps(), default=None) if plan.new_spans else None
        name = f"{plan.times.expression} {plan.times.timezone}"
        return self._runner.change(lambda ledger: ledger.scheduled(name, start, first)).handled or start

    def _run(self, time: datetime.datetime, handled: datetime.datetime) -> datetime.datetime:
        """Runs a scheduled time; returns the last time that is handled then."""
        stamps = self._stamps()
        chosen = self._runner.run(
            self._choose_new(time, stamps) if self._plan.new_spans else self._choose(time, stamps)
        )
        if chosen is None:
            if self._clock.stops:
                return handled
            self._runner.say(f"{self._show(time)}: no new span.")
            return self._runner.change(lambda ledger: ledger.passed(time)).handled or time
        work, code = chosen
        if code is None:
            return handled
        self._codes.append(code)
        self._runner.say(f"{self._show(time)}: {self._target(work)} ended with exit code {code}.")
        return time if work.time is not None else handled

    def _choose(self, time: datetime.datetime, stamps: dict[int, str]) -> Callable[[Ledger], Work | None]:
        def choose(ledger: Ledger) -> Work | None:
            if ledger.handled is not None and ledger.handled >= time:
                return None
            span = self._plan.span_of(time)
            stamp = "" if span is None else stamps.get(span, "")
            return self._announced(time, Work(time=time, span=span, stamp=stamp, begun=self._clock.now()))

        return choose

    def _choose_new(self, time: datetime.datetime, stamps: dict[int, str]) -> Callable[[Ledger], Work | None]:
        def choose(ledger: Ledger) -> Work | None:
            new = [span for span in stamps if span >= (ledger.first_span or 0) and span not in ledger.spans]
            if not new:
                return None
            last = time if len(new) == 1 else None
            return self._announced(time, Work(time=last, span=new[0], stamp=stamps[new[0]], begun=self._clock.now()))

        return choose

    def _announced(self, time: datetime.datetime, work: Work) -> Work:
        self._runner.say(f"{self._show(time)}: running {self._target(work)}.")
        return work

    def _miss(self, handled: datetime.datetime, now: datetime.datetime) -> datetime.datetime:
        """Records the times that have passed and are not due; returns the last time that is handled then."""
        missed = self._plan.times.between(handled + _TICK, now + _TICK)
        if not missed:
            return handled
        times = "1 time" if len(missed) == 1 else f"{len(missed)} times"
        self._runner.say(f"Missed {times} until {self._show(missed[-1])}.")
        return self._runner.change(lambda ledger: ledger.passed(missed[-1])).handled or missed[-1]

    def _stamps(self) -> dict[int, str]:
        """Returns what identifies the files of each span; none if the corpus cannot be listed now."""
        if self._plan.spans is None:
            return {}
        try:
            return self._plan.spans.stamps()
        except JobError as error:
            self._runner.say(str(error))
            return {}

    def _target(self, work: Work) -> str:
        spans = self._plan.spans
        return "the job" if spans is None or work.span is None else f"span {spans.name(work.span)}"

    def _show(self, time: datetime.datetime) -> str:
        return f"{self._plan.times.local(time):%Y-%m-%d %H:%M %Z}"
