"""What the agent does beside its rounds, one of each kind at a time: a work order and a request for diagnostics."""

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

from brokkr_agent.broker import Broker, BrokerAway, BrokerRefusal
from brokkr_agent.diagnostics import Finder
from brokkr_agent.work_orders import KINDS, ClaimLost, Workshop

logger = logging.getLogger(__name__)

Json = dict[str, Any]


class Errands:
    """Claims what is offered and does it in threads. A claim that cannot be renewed is lost, and its work is left."""

    def __init__(self, broker: Broker, agent_id: str, workshop: Workshop, finder: Finder) -> None:
        self._broker, self._agent_id = broker, agent_id
        self._workshop, self._finder = workshop, finder
        self._threads: dict[str, Thread] = {}
        self._claim: Json | None = None
        self._lost, self.stop = Event(), Event()

    def renewals(self) -> list[Json]:
        """The claim that the agent works on, as sync takes it."""
        claim = self._claim
        return [{"work_order_id": claim["id"], "claim_token": claim["claim_token"]}] if claim else []

    def hear(self, answer: Mapping[str, Any], *, may_work: bool) -> None:
        """Begin with what is offered, if nothing of its kind is being done."""
        claim = self._claim
        for renewal in answer["renewals"]:
            if claim is not None and renewal["work_order_id"] == claim["id"] and renewal["code"]:
                self._lost.set()
        orders = [order for order in answer["work_orders"] if order["work_type"] in KINDS]
        if orders and may_work:
            self._start("order", self._do_order, orders[0]["id"])
        if answer["diagnostics"]:
            self._start("diagnostic", self._do_diagnostic, answer["diagnostics"][0])

    def wait(self, seconds: float) -> None:
        """Let what is being done come to an end."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _start(self, kind: str, errand: Callable[[Any], None], about: object) -> None:
        running = self._threads.get(kind)
        if (running is not None and running.is_alive()) or self.stop.is_set():
            return
        self._threads[kind] = Thread(target=self._run, args=(errand, about), name=kind, daemon=True)
        self._threads[kind].start()

    def _run(self, errand: Callable[[Any], None], about: object) -> None:
        try:
            errand(about)
        except (BrokerAway, BrokerRefusal) as error:
            # Somebody else has it, or it was cancelled; an order whose claim ends is offered again.
            logger.info("an errand is left", extra={"problem": type(error).__name__})

    def _do_order(self, order_id: str) -> None:
        order = self._broker.claim_order(order_id, self._agent_id)
        self._lost.clear()
        self._claim = order
        try:
            outcome = self._workshop.do(order, is_lost=lambda: self._lost.is_set() or self.stop.is_set())
            self._broker.complete_order(order_id, {**outcome, "claim_token": order["claim_token"]})
        except ClaimLost:
            logger.info("the claim of an order was lost", extra={"order": order_id})
        finally:
            self._claim = None

    def _do_diagnostic(self, request: Json) -> None:
        self._broker.claim_diagnostic(request["id"])
        self._broker.answer_diagnostic(request["id"], self._finder.find(request["deployment_object_id"]))
