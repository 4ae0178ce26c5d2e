"""The state of schedules and backfills: transitions, and no scheduled time lost or run twice whatever happens."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.operate import ledger as ledgers
from pipeline.operate.backfilling import OnlyState, SpanRow, due_spans, exit_code
from pipeline.operate.cron_times import CatchUp, CronTimes, due
from pipeline.operate.ledger import Ledger, SpanState, Work
from trainer.errors import JobError

T0 = datetime(2026, 5, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


FIRST = Ledger(handled=T0)


def after(code: int | None, ledger: Ledger = FIRST, time: datetime | None = T0 + DAY) -> Ledger:
    work = Work(time=time, span=7, stamp="old", begun=T0 + DAY)
    return ledger.begun(work).ended(code, T0 + 2 * DAY)


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, SpanState.DONE), (3, SpanState.REFUSED), (1, SpanState.FAILED), (2, SpanState.FAILED), (-9, SpanState.FAILED)],
)
def test_a_run_that_came_to_its_end_completes_its_span_and_time(code, state):
    ledger = after(code)
    assert (ledger.work, ledger.handled) == (None, T0 + DAY)
    record = ledger.spans[7]
    assert (record.state, record.code, record.stamp, record.finished) == (state, code, "old", T0 + 2 * DAY)
    assert ledger.state_of(7, "old") is state
    assert after(code, time=None).handled == T0


def test_a_stopped_run_leaves_its_span_and_time_due():
    assert after(None) == Ledger(handled=T0)
    done = after(0)
    assert after(None, done, time=None) == done


def test_states_of_spans():
    ledger = Ledger(handled=T0)
    assert ledger.state_of(7, None) is SpanState.NO_FILES
    assert ledger.state_of(7, "new") is SpanState.WAITING
    running = ledger.begun(Work(span=7, begun=T0))
    assert running.state_of(7, "new") is SpanState.RUNNING
    assert running.state_of(8, "new") is SpanState.WAITING
    assert after(0).state_of(7, "new") is SpanState.STALE
    assert after(3).state_of(7, "new") is SpanState.STALE
    assert after(1).state_of(7, "new") is SpanState.FAILED
    assert after(0).state_of(7, None) is SpanState.NO_FILES


def test_handled_times_never_go_back():
    assert Ledger().passed(T0).handled == T0
    assert Ledger(handled=T0 + DAY).passed(T0).handled == T0 + DAY


def test_a_changed_schedule_starts_from_now_and_an_unchanged_one_continues():
    first = Ledger().scheduled("a", T0, 5)
    assert (first.handled, first.first_span) == (T0, 5)
    assert first.scheduled("a", T0 + DAY, 6) == first
    assert first.scheduled("b", T0 + DAY, 6).handled == T0 + DAY


def test_the_file_is_read_as_written_and_an_invalid_one_is_reported(tmp_path):
    assert ledgers.read(tmp_path) == Ledger()
    ledger = after(3).begun(Work(time=T0, span=8, begun=T0, pid=12))
    ledgers.write(tmp_path, ledger)
    assert ledgers.read(tmp_path) == ledger
    assert [path.name for path in (tmp_path / "operate").iterdir()] == ["state.json"]
    (tmp_path / "operate" / "state.json").write_text("{")
    with pytest.raises(JobError, match="The state of schedules and backfills is invalid"):
        ledgers.read(tmp_path)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([SpanState.DONE, SpanState.NO_FILES], 0),
        ([SpanState.DONE, SpanState.REFUSED], 3),
        ([SpanState.REFUSED, SpanState.FAILED, SpanState.DONE], 1),
        ([], 0),
    ],
)
def test_exit_codes(states, code):
    assert exit_code(states) == code


def test_spans_that_are_due():
    rows = [SpanRow(number, state) for number, state in enumerate(SpanState)]
    names = {row.span: row.state.value for row in rows}
    assert [names[span] for span in due_spans(rows, None)] == ["waiting", "failed", "stale"]
    assert [names[span] for only in OnlyState for span in due_spans(rows, only)] == ["failed", "waiting", "stale"]


EVENTS = st.lists(
    st.tuples(st.sampled_from(["wait", "back", "run", "stop", "kill"]), st.integers(1, 100)), min_size=1, max_size=40
)


@given(EVENTS)
def test_no_time_is_lost_or_completed_twice(events):
    """Hours pass or go back, runs end, are stopped, or lose their scheduler; all of them catch up."""
    times, now, newest = CronTimes("0 2 * * *", "UTC"), T0, T0
    ledger, completed = Ledger().scheduled("a", T0, None), []
    for event, hours in events:
        if event in ("wait", "back"):
            now += timedelta(hours=hours if event == "wait" else -hours)
            newest = max(newest, now)
            continue
        passed = due(times, ledger.handled, now, CatchUp.ALL, None)
        if passed:
            begun = ledger.begun(Work(time=passed[0], begun=now))
            # After a kill, the ledger is read back; the run has left no record, so it was no run.
            code = 0 if event == "run" else None
            ledger = Ledger.model_validate_json(begun.model_dump_json()).ended(code, now)
            completed += passed[:1] if code == 0 else []
    while passed := due(times, ledger.handled, max(now, newest), CatchUp.ALL, None):
        ledger = ledger.begun(Work(time=passed[0], begun=now)).ended(0, now)
        completed.append(passed[0])
    assert completed == times.between(T0, newest + timedelta(microseconds=1))
