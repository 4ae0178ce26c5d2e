"""Signs of life, by a clock that the test sets."""

from pipeline.console.heartbeat import Heartbeat


def test_a_minute_of_silence_is_broken_once_and_again_a_minute_later() -> None:
    now, said = [0.0], list[float]()
    heartbeat = Heartbeat(lambda: said.append(now[0]), lambda: now[0])
    waits = []
    for now[0] in (0.0, 59.0, 60.0, 61.0, 119.0, 120.5):
        waits.append(heartbeat.beat())
    assert said == [60.0, 120.5]
    assert waits == [60.0, 1.0, 60.0, 59.0, 1.0, 60.0]


def test_output_postpones_it() -> None:
    now, said = [0.0], list[float]()
    heartbeat = Heartbeat(lambda: said.append(now[0]), lambda: now[0])
    now[0] = 59.0
    heartbeat.heard()
    now[0] = 60.0
    assert heartbeat.beat() == 59.0
    assert said == []
    heartbeat.stop()
