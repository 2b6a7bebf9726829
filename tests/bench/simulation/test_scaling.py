"""The autoscaler's rules, and that they are those of the file that is deployed."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.marked import ROOT
from tests.bench.simulation.scaling import Aims, Scaler

AIMS = Aims()
looks = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1)), min_size=1, max_size=80)


def follow(scaler: Scaler, seen: list[tuple[float, float]], workers: int = 2) -> list[int]:
    """The number after each look, each followed at once."""
    found = []
    for number, (lag, busy) in enumerate(seen):
        workers = scaler.decide(number * AIMS.period, workers, lag, busy)
        found.append(workers)
    return found


@settings(max_examples=25, deadline=None)
@given(looks)
def test_the_limits_are_never_left(seen: list[tuple[float, float]]) -> None:
    assert set(follow(Scaler(AIMS), seen)) <= set(range(AIMS.least, AIMS.most + 1))


@settings(max_examples=25, deadline=None)
@given(looks)
def test_workers_at_most_double_within_a_minute_and_one_goes_in_two(
    seen: list[tuple[float, float]],
) -> None:
    numbers = [2, *follow(Scaler(AIMS), seen)]
    for place in range(len(numbers)):
        minute = numbers[max(0, place - 3) : place + 1]
        assert numbers[place] <= max(2 * min(minute), min(minute) + 2)
        two = numbers[max(0, place - 7) : place + 1]
        assert numbers[place] >= max(two) - 1 or numbers[place] >= numbers[place - 1]


def test_a_long_lag_brings_the_most_and_quiet_keeps_them_for_ten_minutes() -> None:
    numbers = follow(Scaler(AIMS), [(600.0, 1.0)] * 20 + [(0.0, 0.0)] * 39)
    assert max(numbers[:20]) == AIMS.most
    assert set(numbers[20:]) == {AIMS.most}
    later = follow(Scaler(AIMS), [(600.0, 1.0)] * 20 + [(0.0, 0.0)] * 150)
    assert later[-1] == AIMS.least


def test_a_lag_of_one_rebalance_brings_nobody() -> None:
    assert follow(Scaler(AIMS), [(0.1, 0.5), (60.0, 0.5), (0.1, 0.5), (0.1, 0.5)]) == [2] * 4


def test_full_processors_bring_workers_before_anybody_waits() -> None:
    assert follow(Scaler(AIMS), [(0.0, 0.99)] * 4)[-1] > 2
    assert follow(Scaler(Aims(busy=0.0)), [(0.0, 0.99)] * 4)[-1] == 2


def test_near_the_aim_nothing_changes() -> None:
    assert set(follow(Scaler(AIMS), [(0.0, 0.74)] * 50, 4)) == {4}


def test_the_rules_are_those_of_the_file_that_is_deployed() -> None:
    spec = yaml.safe_load((ROOT / "deploy/kubernetes/autoscaling.yaml").read_bytes())["spec"]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = behavior["scaleUp"], behavior["scaleDown"]
    by_time, by_processor = spec["triggers"]
    percent, pods = up["policies"]
    (one,) = down["policies"]
    assert percent == {"type": "Percent", "value": 100, "periodSeconds": pods["periodSeconds"]}
    assert (
        Aims(
            least=spec["minReplicaCount"],
            most=spec["maxReplicaCount"],
            lag=float(by_time["metadata"]["threshold"]),
            busy=float(by_processor["metadata"]["value"]) / 100,
            period=float(spec["pollingInterval"]),
            up_window=float(up["stabilizationWindowSeconds"]),
            down_window=float(down["stabilizationWindowSeconds"]),
            up=pods["value"],
            up_period=float(pods["periodSeconds"]),
            down=one["value"],
            down_period=float(one["periodSeconds"]),
        )
        == Aims()
    )
