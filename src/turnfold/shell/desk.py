"""What every driver does with an input: step, journal, show, and hand out what is to be performed or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.agent.asked import Question, question_of, questions_of
from turnfold.core.agent.children import parent_config
from turnfold.core.agent.commands.table import asks_model
from turnfold.core.agent.effects import Cancel, Effect, Notice, Perform, Publish, Recall, Record
from turnfold.core.agent.events import Reason, Started, TurnEnded
from turnfold.core.agent.inputs import Answered, ChunkArrived, CommandGiven, Decided, Failed, Input, Resumed, UserSaid
from turnfold.core.agent.limits import next_deadline
from turnfold.core.agent.state import ChatState, Opened, Past, Status, effective, open_requests, questions
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider, has_catalogue, profile_of
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.structured import read_output_untrusted
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import EntryKind
from turnfold.core.world.permission import Allow, permit
from turnfold.core.world.requests import ListFiles, StartChild
from turnfold.shell.alarm import left_s
from turnfold.shell.hygiene import clean_briefing, clean_input, edits, held_secrets, known_mask
from turnfold.shell.recall import recalled
from turnfold.shell.world import World

LISTED = 1000  # names of the workspace that are looked at for what the person may mean

Watch: TypeAlias = Callable[[Effect], None]
Act: TypeAlias = Perform | Cancel | Recall


def unwatched(effect: Effect) -> None:
    """Watch nothing."""


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
        return ending.edited or (call.arguments if isinstance(call, ToolCall) else None)

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

    __slots__ = ("_asked", "_deadline_ms", "_past", "_refused", "cfg", "ended", "mask", "state", "tools", "watch", "world")

    def __init__(self, state: ChatState, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, watch: Watch) -> None:
        self.state = state
        self.tools = tools
        self.cfg = cfg
        self.world = world
        self.watch = watch
        self.mask = known_mask(effective(cfg, state.past), world.secrets)
        self.ended: TurnEnded | None = None
        self._refused: Problem | None = None  # why the last decision changed nothing
        self._asked: Past | None = None  # as it was when the person was asked last
        self._past: Past | None = None  # what the deadline was found for
        self._deadline_ms: int | None = None

    def take(self, input: Input) -> tuple[Act, ...]:
        """What is to be done after ``input``; raises ``JournalError`` (and nothing is to be done) if it can't be kept."""
        held = held_secrets(input, self.mask)
        if held:
            self.watch(Publish(_held(held, input)))
            if isinstance(input, CommandGiven) or edits(input):
                return ()  # what would be done is not what was written
        stepped = step(self.state, clean_input(input, self.mask), self.tools, self.cfg)
        records = tuple(effect for effect in stepped.effects if isinstance(effect, Record))
        if records:
            self._keep(records)
        self._refused = _refusal(stepped.effects) if isinstance(input, Decided) and not records else None
        if stepped.state.past.overrides is not self.state.past.overrides:
            self.mask = known_mask(effective(self.cfg, stepped.state.past), self.world.secrets)
        self.state = stepped.state
        for effect in stepped.effects:
            self.watch(effect)
        return tuple(effect for effect in stepped.effects if isinstance(effect, (Perform, Cancel, Recall)))

    def recalled(self, act: Recall) -> Effect:
        """``act`` done, from any thread; what comes of it is for the watcher."""
        return recalled(act, self.cfg, self.world)

    def opening(self, first: Input) -> tuple[Input, ...]:
        """What a run begins with: ``first``, after ``Resumed`` where an earlier run left something under way that nobody performs now."""
        if isinstance(first, (Resumed, ChunkArrived, Answered, Failed)):
            return (first,)
        left = any(opened.status is not Status.ASKED for opened in open_requests(self.state.past))
        return (Resumed(first.at_ms), first) if left else (first,)

    def _keep(self, records: tuple[Record, ...]) -> None:
        for record in records:
            if isinstance(record.event, Started):
                self.world.journal.keep(record.event.cfg_digest, self.cfg)
        self.world.journal.append(self.cfg.conversation, records)
        for record in records:
            if isinstance(record.event, TurnEnded):
                self.ended = record.event

    def performing(self, due: Perform) -> ChatConfig:
        """The config that ``due`` is performed under: as it is now, so that ports judge by the rules that ``permit`` judged by; for a child
        with what is left for it to spend.
        """
        return parent_config(self.cfg, self.state.past) if isinstance(due.request, StartChild) else effective(self.cfg, self.state.past)

    def now_ms(self) -> int:
        """The world's time."""
        return self.world.clock.now_ms()

    def question(self) -> Question | None:
        """The first request that waits for a person, ready to be shown; None where the last answer changed nothing, so that the same would come."""
        if self.state.past is self._asked:
            return None
        self._asked = self.state.past
        for opened in questions(self.state.past):
            return question_of(self.state, opened, effective(self.cfg, self.state.past), self.tools)
        return None

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


@final
@frozen
class Ready:
    """What a run starts with: the config with all that it needs, and the first input."""

    cfg: ChatConfig
    first: Input


def prepared(first: Input, state: ChatState, cfg: ChatConfig, world: World) -> Ready | Problem:
    """``cfg`` with an id for the conversation and, where ``first`` starts a turn that needs one, a model chosen, with what is known of it.

    What the person says gets the files that it names and that are there as context, where the model's profile wants them.
    """
    conversation = state.past.conversation or cfg.conversation or world.clock.new_id()
    briefing = clean_briefing(cfg.briefing, known_mask(cfg, world.secrets))
    same = cfg.conversation == conversation and cfg.briefing == briefing
    known = cfg if same else evolve(cfg, conversation=conversation, briefing=briefing)
    if not isinstance(first, UserSaid) and not (isinstance(first, CommandGiven) and asks_model(first.command)):
        return Ready(known, first)
    chosen = has_catalogue(known) and not isinstance(find_provider(effective(known, state.past)), Problem)
    ready = known if chosen else world.models.choose(known)
    if not isinstance(first, UserSaid):
        return Ready(known if isinstance(ready, Problem) else ready, first)  # the command itself says what it lacks
    if isinstance(ready, Problem):
        return ready
    return Ready(ready, _with_files_named(first, effective(ready, state.past), world))


def _with_files_named(said: UserSaid, cfg: ChatConfig, world: World) -> UserSaid:
    request = ListFiles(path=cfg.workspace, limit=LISTED)
    if not profile_of(cfg).names_files or not isinstance(permit(request, cfg), Allow):
        return said
    listed = world.files.list(request)
    if isinstance(listed, Problem):
        return said
    named = ", ".join(entry.name for entry in listed.entries if entry.kind is EntryKind.FILE and entry.name in said.text)
    return evolve(said, context="\n\n".join(part for part in (said.context, f"Files: {named}") if part)) if named else said


def _held(names: tuple[str, ...], said: Input) -> Problem | Notice:
    """What a person is told who wrote a secret's value: it is never kept, so a command that holds it can't be given."""
    what = f"the value of {' and '.join(names)}"
    if isinstance(said, CommandGiven) or edits(said):
        message = f"The command holds {what}, which is never kept, so nothing was done: write ${names[0]}, or take it from a file."
        return caller_problem("holds-secret", message)
    return Notice(f"What you said holds {what}: it goes on and is kept as [secret {names[0]}] only.")
