"""The queue of a sweep: pending tasks, running tasks, and outcomes."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import joblib

from dcbook.experiments import records
from dcbook.experiments.result import Failure, Result
from dcbook.experiments.runs import Run
from dcbook.experiments.starts import Starts
from dcbook.experiments.worker import Outcome, Setup, Task, carry_out, dataset_key, idle

CRASHES = 2  # a run whose process died this often counts as failed


def plan(todo: list[Run], starts: Starts, digests: dict) -> tuple[list[Task], dict[int, int]]:
    """The tasks, those with the longest chain of dependent tasks first, and each waiting task's prerequisite."""
    tasks: dict[str, Task] = {}
    owner: dict[str, str] = {}  # recipe of an end state -> task that makes it
    needs: dict[str, str] = {}

    def recipe(run: Run) -> str:
        return records.digest(run.recipe(digests[dataset_key(run)]))

    def ask_for(start: Run | None, waiting: str) -> None:
        if start is None or starts.has(start.recipe(digests[dataset_key(start)])):
            return
        wanted = recipe(start)
        maker = needs[waiting] = owner.setdefault(wanted, wanted)
        if maker not in tasks:
            tasks[maker] = Task(start, record=False, keep=True)
            ask_for(start.start, maker)
        elif not tasks[maker].keep:
            tasks[maker] = Task(tasks[maker].run, record=True, keep=True)

    for run in todo:
        name = records.key(run.identity)
        owner.setdefault(recipe(run), name)
        tasks[name] = Task(run, record=True, keep=False)
    for name in list(tasks):
        ask_for(tasks[name].run.start, name)

    height = dict.fromkeys(tasks, 0)
    for name in tasks:
        below = 0
        while name in needs:
            name, below = needs[name], below + 1
            height[name] = max(height[name], below)
    order = sorted(tasks, key=lambda name: -height[name])
    position = {name: i for i, name in enumerate(order)}
    return [tasks[name] for name in order], {position[a]: position[b] for a, b in needs.items()}


class TaskQueue:
    """Pending tasks, running tasks, and outcomes of a sweep."""

    def __init__(self, tasks: list[Task], needs: dict[int, int], deadline: float):
        self.tasks, self.needs, self.deadline = tasks, needs, deadline
        self.waiting = list(range(len(tasks)))
        self.running: list[int] = []
        self.ended: dict[int, Outcome] = {}
        self.crashes = dict.fromkeys(self.waiting, 0)
        self.times: dict[Any, list[float]] = {}
        self.lock = threading.Lock()  # joblib iterates over `stream` in its own threads

    @property
    def done(self) -> int:
        return sum(outcome.status in ("done", "skipped") for outcome in self.ended.values())

    def open(self) -> bool:
        """Whether tasks are pending and the deadline has not passed."""
        return bool(self.waiting) and time.time() < self.deadline

    def stream(self, setup: Setup) -> Iterator[Any]:
        """Calls for joblib, each as soon as its prerequisite is available."""
        while self.open():
            with self.lock:
                number = next(filter(self._may_begin, self.waiting), None)
                if number is None and not self.running:
                    return
                if number is not None:
                    self.waiting.remove(number)
                    self.running.append(number)
            if number is None:
                yield joblib.delayed(idle)(0.2)
            else:
                yield joblib.delayed(carry_out)(number, self.tasks[number], setup)

    def settle(self, outcome: Outcome) -> None:
        """Record the outcome of a task; if it failed, the tasks that depend on it have failed too."""
        if outcome.task is None:
            return
        with self.lock:
            self.running.remove(outcome.task)
            if outcome.status == "busy":
                self.waiting.append(outcome.task)
                return
            self.ended[outcome.task] = outcome
            run = self.tasks[outcome.task].run
            if outcome.status == "done":
                self.learn(run.method, run.dataset, outcome.seconds)
            if outcome.status == "failed":
                self._give_up_on(outcome.task, f"its start, {run}, failed: {outcome.error}")

    def crashed(self, error: Exception) -> None:
        """Handle the death of a worker process: running tasks are repeated one at a time, up to `CRASHES` crashes."""
        if not self.running:
            raise error
        for number in list(self.running):
            self.crashes[number] += 1
            if self.crashes[number] < CRASHES:
                self.settle(Outcome(number, "busy"))
            else:
                why = f"its process died {CRASHES} times (out of memory?): {type(error).__name__}"
                self.settle(Outcome(number, "failed", error=why))

    def learn(self, method: str, dataset: str, seconds: float) -> None:
        """Record the duration of a run, in seconds."""
        for name in ((method, dataset), method, None):
            self.times.setdefault(name, []).append(seconds)

    def now(self, workers: int) -> list[str]:
        """Names of the running tasks."""
        with self.lock:
            return [str(self.tasks[n].run) for n in self.running[:workers]]

    def seconds_left(self, workers: int) -> float | None:
        """Estimate of the remaining time, in seconds, from the durations of finished runs; None if there are none."""
        if not self.times:
            return None
        with self.lock:
            left = [self.tasks[n].run for n in (*self.waiting, *self.running)]
        known = (next(self.times[k] for k in ((r.method, r.dataset), r.method, None) if k in self.times) for r in left)
        return sum(sum(times) / len(times) for times in known) / workers

    def result(self, skipped: list[Run], interrupted: bool) -> Result:
        """Sort the runs by outcome."""
        result = Result(skipped=skipped, interrupted=interrupted)
        for number, task in enumerate(self.tasks):
            outcome = self.ended.get(number)
            if outcome and outcome.status == "failed":
                if task.record:
                    result.failed.append(Failure(task.run, outcome.error, outcome.trace))
            elif task.record:
                lists = {"done": result.done, "skipped": result.skipped}
                lists.get(outcome.status if outcome else "", result.unfinished).append(task.run)
        return result

    def _may_begin(self, number: int) -> bool:
        """Whether the prerequisite is available; a task whose worker died runs alone, to identify the cause."""
        if self.running and (self.crashes[number] or any(self.crashes[n] for n in self.running)):
            return False
        return number not in self.needs or self.needs[number] in self.ended

    def _give_up_on(self, start: int, why: str) -> None:
        for number in [n for n in self.waiting if self.needs.get(n) == start]:
            self.waiting.remove(number)
            self.ended[number] = Outcome(number, "failed", error=why)
            self._give_up_on(number, why)
