"""What every driver does with an input: step, journal, show, and hand out what is to be performed or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.agent.asked import Question, question_of, questions_of
from turnfold.core.agent.children import parent_config
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Cancel, Effect, Notice, Perform, Publish, Recall, Record
from turnfold.core.agent.events import Reason, Started, TurnEnded
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import Answered, ChunkArrived, CommandGiven, Decided, Failed, Input, Resumed
from turnfold.core.agent.limits import next_deadline
from turnfold.core.agent.state import ChatState, Opened, Past, Status, effective, open_requests, questions
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.structured import read_output_untrusted
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import Answer, ChildEnded, StreamEnded
from turnfold.core.world.requests import StartChild
from turnfold.shell.alarm import left_s
from turnfold.shell.exporting.exporting import exporting_of
from turnfold.shell.hooks import Hooks
from turnfold.shell.hygiene import clean_input, edits, held_secrets, known_mask
from turnfold.shell.people import Nobody
from turnfold.shell.recall import recalled
from turnfold.shell.world import World

RULED = 1000  # inputs that rules give in one run until they count as endless
ENOUGH = "the run was ended, and what they gave is kept. Let a rule give nothing once what it wants is so."

Watch: TypeAlias = Callable[[Effect], None]
Seen: TypeAlias = Callable[[ChatState], None]
InputRule: TypeAlias = Callable[[ChatState, ChatConfig], tuple[Input, ...]]
Act: TypeAlias = Perform | Cancel | Recall


def unwatched(effect: Effect) -> None:
    """Watch nothing."""


def unseen(state: ChatState) -> None:
    """See nothing."""


@final
@frozen(kw_only=True)
class Observers:
    """Who hears of a run, and who speaks in it without being a person.

    ``watch`` gets every effect, in order, after it is journaled; ``seen`` the newest state, after each input. ``rules`` are asked when
    nothing is under way: what they give is taken like any other input, at the world's time.
    """

    watch: Watch = unwatched
    seen: Seen = unseen
    rules: tuple[InputRule, ...] = ()


@final
class EndlessRules(Exception):
    """The rules of a run always want something more; ``problem`` says so."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@final
@frozen(kw_only=True)
class RunResult:
    """How a run ended: the conversation after it, and what the last turn's end said.

    ``ended`` is None where no turn ended: the run is paused (then ``questions`` are what it waits for, and the state,
    stored or not, goes on with ``Decided``; ``problem`` says what was wrong with an answer), or it could not begin, and ``problem`` says why.
    """

    state: ChatState
    cfg: ChatConfig
    ended: TurnEnded | None = None
    problem: Problem | None = None

    @property
    def reply(self) -> str:
        """The last thing that the model said, or the text with which a call (of ``complete``) ended the turn; empty where there is neither."""
        if self._ending is not None:
            return self._ending.text
        log = self.state.past.log
        last = log[-1] if len(log) else None
        return last.text if isinstance(last, AssistantMessage) else ""

    @property
    def result(self) -> JsonObject | None:
        """The arguments of the call that ended the turn (``text`` and ``result`` of ``complete``); None where no call did."""
        log, ending = self.state.past.log, self._ending
        if ending is None:
            return None
        said = next(each for each in map(log.__getitem__, range(len(log) - 1, -1, -1)) if isinstance(each, AssistantMessage))
        call = said.calls[int(ending.call_id.rpartition(".")[2])]
        if ending.edited is not None:
            return ending.edited
        return call.arguments if isinstance(call, ToolCall) else None

    @property
    def _ending(self) -> ToolMessage | None:
        """What the model would read of the call that ended the turn."""
        log = self.state.past.log
        wanted = self.ended.call if self.ended is not None else ""
        ending = (message for message in map(log.__getitem__, range(len(log) - 1, -1, -1)) if isinstance(message, ToolMessage))
        return next((message for message in ending if message.call_id == wanted), None) if wanted else None

    @property
    def output(self) -> JsonValue:
        """The JSON value that the last reply is, where the config says what it has to be (``output``) and it is that; else None."""
        wanted = effective(self.cfg, self.state.past).output
        if not wanted or self.ended is None or self.ended.reason is not Reason.COMPLETED:
            return None
        return read_output_untrusted(self.reply, wanted).value_or(None)

    @property
    def questions(self) -> tuple[Opened, ...]:
        """The requests that wait for a person."""
        return questions(self.state.past)

    @property
    def asked(self) -> tuple[Question, ...]:
        """The same as plain data: what each would do, and what may be decided."""
        return questions_of(self.state, self.cfg)


@final
class Desk:
    """One run's conversation: the state as far as it has come, and what the run needs to go on.

    Used by one thread at a time. The journal is written before anything else of a step is done.
    """

    __slots__ = (
        "_asked",
        "_deadline_ms",
        "_exporting",
        "_hooks",
        "_past",
        "_refused",
        "_ruled",
        "_rules",
        "_rulings",
        "_seen",
        "cfg",
        "ended",
        "mask",
        "state",
        "tools",
        "watch",
        "world",
    )

    def __init__(self, state: ChatState, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, observers: Observers) -> None:
        self.state = state
        self.tools = tools
        self.cfg = cfg
        self.world = world
        self.watch = observers.watch
        now = effective(cfg, state.past)
        self.mask = known_mask(now, world.secrets)
        self._hooks = Hooks(world, now)
        self.ended: TurnEnded | None = None
        self._refused: Problem | None = None  # why the last decision changed nothing
        self._rules = observers.rules
        self._seen = observers.seen
        self._asked: Past | None = None  # as it was when the person was asked last
        self._ruled: Past | None = None  # as it was when the rules were asked last
        self._rulings = 0  # what they gave so far
        self._past: Past | None = None  # what the deadline was found for
        self._deadline_ms: int | None = None
        self._exporting = exporting_of(state.past, cfg, world)

    def take(self, input: Input) -> tuple[Act, ...]:
        """What is to be done after ``input``; raises ``JournalError`` (and nothing is to be done) if it can't be kept."""
        if not isinstance(input, ChunkArrived):  # of which there are many: they hold no person's words, and record nothing
            held = held_secrets(input, self.mask)
            if held:
                told = _held(held, input)
                self.watch(Publish(told))
                if isinstance(told, Problem):
                    self._refused = told if edits(input) else None
                    return ()  # what would be done is not what was written
            input = clean_input(input, self.mask)
        stepped = step(self.state, input, self.tools, self.cfg)
        effects = stepped.effects
        recorded = bool(effects) and isinstance(effects[0], Record)  # records come first
        if recorded:
            self._record(stepped)
        self._refused = _refusal(effects) if isinstance(input, Decided) and not recorded else None
        self.state = stepped.state
        acts: tuple[Act, ...] = ()
        for effect in effects:
            self.watch(effect)
            if isinstance(effect, (Perform, Cancel, Recall)):
                acts += (effect if self._exporting is None or not isinstance(effect, Perform) else self._exporting.told(effect),)
        if recorded:
            self.tell(self._hooks.problems())
        self._seen(stepped.state)
        return acts

    def _record(self, stepped: Step) -> None:
        """What ``stepped`` records kept; then its settings hold."""
        records = tuple(effect for effect in stepped.effects if isinstance(effect, Record))
        for record in records:
            if isinstance(record.event, Started):
                self.world.journal.keep(record.event.cfg_digest, self.cfg)
        self.world.journal.append(self.cfg.conversation, records)
        if self._exporting is not None:
            self._exporting.saw(records)
        for record in records:
            if isinstance(record.event, TurnEnded):
                self.ended = record.event
        if stepped.state.past.overrides is not self.state.past.overrides:
            now = effective(self.cfg, stepped.state.past)
            self.mask = known_mask(now, self.world.secrets)
            self._hooks.use(now)
        if self._hooks.any:
            self._hooks.happened(records, effective(self.cfg, stepped.state.past))

    @property
    def lingering(self) -> bool:
        """Whether hooks were run, or spans are to be delivered: then the run's end has to wait for :meth:`parted`."""
        return self._hooks.begun or self._exporting is not None

    def parted(self, *, stopped: bool) -> tuple[Problem, ...]:
        """At the run's end, from any thread: what went wrong with hooks and exporters at last, once nothing of them is left.

        It comes no later than the settings say: of the exporters always, of the hooks where the run was ``stopped``.
        """
        hooked = self._hooks.close(effective(self.cfg, self.state.past).limits.grace_s if stopped else None)
        exporting, self._exporting = self._exporting, None
        return hooked if exporting is None else (*hooked, *exporting.close())

    def tell(self, problems: tuple[Problem, ...]) -> None:
        """Show ``problems``, which may quote anybody's code, to whoever watches."""
        for problem in problems:
            self.watch(Publish(evolve(problem, message=self.mask.text(problem.message))))

    def recalled(self, act: Recall) -> Effect:
        """``act`` done, from any thread; what comes of it is for the watcher."""
        return recalled(act, self.cfg, self.world)

    def opening(self, first: Input) -> tuple[Input, ...]:
        """What a run begins with: ``first``, after ``Resumed`` where an earlier run left something under way that nobody performs now."""
        if isinstance(first, (ChunkArrived, Answered, Failed)):
            return (first,)
        left = any(opened.status is not Status.ASKED for opened in open_requests(self.state.past))
        if not left:
            return (first,)
        if isinstance(first, Resumed):
            return (evolve(first, children=self._lost_children()),)
        return Resumed(first.at_ms, self._lost_children()), first

    def _lost_children(self) -> tuple[ChildEnded, ...]:
        from turnfold.shell.lost_children import lost_children  # which knows results by this module

        return lost_children(self.state.past, self.cfg, self.world.journal)

    def performing(self, due: Perform) -> ChatConfig:
        """The config that ``due`` is performed under: as it is now, so that ports judge by the rules that ``permit`` judged by; for a child
        with what is left for it to spend.
        """
        return parent_config(self.cfg, self.state.past) if isinstance(due.request, StartChild) else effective(self.cfg, self.state.past)

    def outcome_of(self, request_id: RequestId, outcome: Answer | Problem) -> Answered | Failed:
        """``outcome`` as the one input that answers a request, from any thread."""
        clock = self.world.clock
        if isinstance(outcome, Problem):
            return Failed(request_id, outcome, clock.now_ms(), clock.chance())
        return Answered(request_id, outcome, clock.now_ms(), clock.chance() if isinstance(outcome, StreamEnded) else 0.5)

    def now_ms(self) -> int:
        """The world's time."""
        return self.world.clock.now_ms()

    def question(self) -> Question | None:
        """The first request that waits for a person, ready to be shown; None where nobody is there to see it, and where the last answer
        changed nothing, so that the same would come.
        """
        if self.state.past is self._asked or isinstance(self.world.human, Nobody):
            return None
        self._asked = self.state.past
        for opened in questions(self.state.past):
            return question_of(self.state, opened, effective(self.cfg, self.state.past), self.tools)
        return None

    def ruled(self) -> tuple[Input, ...]:
        """What the rules give now that nothing is under way; nothing where they were asked at this very past, so that the same would come.

        Raises ``EndlessRules`` where there is no end of it.
        """
        if not self._rules or self.state.past is self._ruled:
            return ()
        self._ruled = self.state.past
        cfg = effective(self.cfg, self.state.past)
        given = tuple(evolve(input, at_ms=self.now_ms()) for rule in self._rules for input in rule(self.state, cfg))
        self._rulings += len(given)
        if self._rulings > RULED:
            raise EndlessRules(caller_problem("endless-rules", f"The rules of this run gave more than {RULED:,} inputs: {ENOUGH}"))
        return given

    def interrupting(self) -> bool:
        """Whether there is a turn that has not been told to end."""
        turn = self.state.past.turn
        return turn is not None and not turn.interrupted

    def deadline_ms(self) -> int | None:
        """When ``TimePassed`` is news: a limit is reached, or a grace time over. None where it never is."""
        if self.state.past is not self._past:
            self._past, self._deadline_ms = self.state.past, next_deadline(self.state.past, self.cfg)
        return self._deadline_ms

    def left_s(self) -> float | None:
        """The seconds until then."""
        deadline_ms = self.deadline_ms()
        return None if deadline_ms is None else left_s(deadline_ms, self.now_ms())

    def result(self, problem: Problem | None = None) -> RunResult:
        """How the run ended."""
        told = problem or self._refused if problem is not None or self.ended is None else self.ended.problem
        return RunResult(state=self.state, cfg=self.cfg, ended=self.ended, problem=told)


def _refusal(effects: tuple[Effect, ...]) -> Problem | None:
    return next((effect.what for effect in effects if isinstance(effect, Publish) and isinstance(effect.what, Problem)), None)


def _held(names: tuple[str, ...], said: Input) -> Problem | Notice:
    """What a person is told who wrote a secret's value: it is never kept, so a command and arguments that hold it can't be given."""
    what = f"the value of {' and '.join(names)}"
    if isinstance(said, CommandGiven) or edits(said):
        whose = "arguments hold" if edits(said) else "command holds"
        message = f"The {whose} {what}, which is never kept, so nothing was done: write ${names[0]}, or take it from a file."
        return caller_problem("holds-secret", message)
    return Notice(f"What you said holds {what}: it goes on and is kept as [secret {names[0]}] only.")
