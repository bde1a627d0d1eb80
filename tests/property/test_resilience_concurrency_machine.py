"""The concurrency limiter beside a list and a number, through any sequence of calls, deadlines and cancellations."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from data_source_orchestrator.core.deadline import Deadline
from data_source_orchestrator.core.policies import ConcurrencyPolicy
from data_source_orchestrator.resilience.concurrency import ConcurrencyLimiter, Slot
from data_source_orchestrator.testing import VirtualClock, run_virtual


@dataclass(eq=False)
class Caller:
    deadline: float | None
    task: asyncio.Task[Slot | None]
    state: str = "waiting"  # as the model has it: waiting, inside, without, cancelled, left
    round: int = 0


@dataclass
class Model:
    policy: ConcurrencyPolicy
    limit: float
    line: list[Caller] = field(default_factory=list)
    inside: list[Caller] = field(default_factory=list)
    round: int = 0
    successes: int = 0
    full: bool = False

    def let_in(self) -> None:
        while self.line and len(self.inside) < int(self.limit):
            caller = self.line.pop(0)
            caller.state, caller.round = "inside", self.round
            self.inside.append(caller)
            self.full = self.full or len(self.inside) >= int(self.limit)

    def leave(self, caller: Caller, overloaded: bool | None) -> None:
        self.inside.remove(caller)
        caller.state = "left"
        if self.policy.adaptive and overloaded is not None and caller.round == self.round:
            self.learn(overloaded)
        self.let_in()

    def learn(self, overloaded: bool) -> None:
        if overloaded:
            self.limit = max(self.policy.least, self.limit * self.policy.decrease)
            self.round += 1
            self.successes, self.full = 0, False
            return
        self.successes += 1
        if self.successes >= int(self.limit):
            self.limit = min(self.policy.ceiling, self.limit + 1) if self.full else self.limit
            self.successes, self.full = 0, False


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["enter", "enter", "enter", "leave", "leave", "leave", "cancel", "wait", "cancel as it enters"]
        ),
        st.integers(0, 7),
        st.sampled_from([True, False, False, False, None]),
    ),
    max_size=40,
)
POLICIES = st.builds(
    ConcurrencyPolicy,
    limit=st.integers(1, 4),
    adaptive=st.booleans(),
    decrease=st.sampled_from([0.5, 0.9]),
    most=st.sampled_from([None, 5]),
)


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


class Play:
    """The limiter and its model, side by side."""

    def __init__(self, policy: ConcurrencyPolicy) -> None:
        self.clock = VirtualClock()
        self.policy = policy
        self.limiter = ConcurrencyLimiter(policy, clock=self.clock)
        self.model = Model(policy, policy.limit)
        self.callers: list[Caller] = []

    def enter(self, number: int) -> None:
        at = None if number < 4 else self.clock.monotonic() + number
        deadline = None if at is None else Deadline(self.clock, at)
        caller = Caller(at, asyncio.create_task(self.limiter.enter(deadline=deadline)))
        self.callers.append(caller)
        self.model.line.append(caller)
        self.model.let_in()

    async def wait(self, seconds: int) -> None:
        await asyncio.sleep(seconds)
        for caller in list(self.model.line):
            if caller.deadline is not None and caller.deadline <= self.clock.monotonic():
                self.model.line.remove(caller)
                caller.state = "without"

    def leave(self, number: int, overloaded: bool | None) -> None:
        if self.model.inside:
            caller = self.model.inside[number % len(self.model.inside)]
            self.bring_back(caller, overloaded)
            self.model.leave(caller, overloaded)

    def bring_back(self, caller: Caller, overloaded: bool | None = None) -> None:
        slot = caller.task.result()
        assert slot is not None
        self.limiter.leave(slot, overloaded=overloaded)

    def cancel(self, number: int) -> None:
        if self.model.line:
            caller = self.model.line.pop(number % len(self.model.line))
            caller.task.cancel()
            caller.state = "cancelled"

    def cancel_as_it_enters(self) -> None:
        if not self.model.inside or not self.model.line:
            return
        leaving, entering = self.model.inside[0], self.model.line[0]
        self.bring_back(leaving)
        entering.task.cancel()
        self.model.leave(leaving, None)
        if entering.state == "inside":
            self.model.leave(entering, None)
        else:
            self.model.line.remove(entering)
        entering.state = "cancelled"

    async def act(self, act: str, number: int, overloaded: bool | None) -> None:
        match act:
            case "enter":
                self.enter(number)
            case "wait":
                await self.wait(number)
            case "leave":
                self.leave(number, overloaded)
            case "cancel":
                self.cancel(number)
            case _:
                self.cancel_as_it_enters()
        await settle()
        self.compare()

    def compare(self) -> None:
        for caller in self.callers:
            assert caller.task.done() is (caller.state != "waiting")
            assert caller.task.done() is False or caller.task.cancelled() is (caller.state == "cancelled")
            if caller.state in {"inside", "without"}:
                assert (caller.task.result() is None) is (caller.state == "without")
        assert (self.limiter.in_flight, self.limiter.waiting) == (len(self.model.inside), len(self.model.line))
        assert self.limiter.limit == int(self.model.limit)
        assert self.policy.least <= self.limiter.limit <= self.policy.ceiling

    async def end(self) -> None:
        for caller in self.model.line:
            caller.task.cancel()
        await settle()
        for caller in self.model.inside:
            self.bring_back(caller)
        assert (self.limiter.in_flight, self.limiter.waiting) == (0, 0)
        free = 0
        while self.limiter.try_enter() is not None:
            free += 1
        assert free == self.limiter.limit, "no slot is lost or invented"


async def play(policy: ConcurrencyPolicy, steps: list[tuple[str, int, bool | None]]) -> None:
    playing = Play(policy)
    for act, number, overloaded in steps:
        await playing.act(act, number, overloaded)
    await playing.end()


@given(policy=POLICIES, steps=STEPS)
@settings(max_examples=300, deadline=None)
def test_every_call_enters_as_and_when_a_list_and_a_number_say(
    policy: ConcurrencyPolicy, steps: list[tuple[str, int, bool | None]]
):
    run_virtual(play(policy, steps))
