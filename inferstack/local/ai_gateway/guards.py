"""Guardrails and data loss prevention of a gateway: prompts before a model is asked, answers before they are given.

Facts (Cloudflare's pages, 2026-11-27): a blocked prompt is 424/2016 and a blocked answer 424/2017; a guard that fails is
503/7013 where a rule blocks, 402/2021 where prepaid credits do not suffice, and nothing where all rules flag (changelog
2026-09-17). What data loss prevention blocks is 400 with 2029 or 2030; it inspects nothing that the cache answers, and holds
a stream to its end. Guardrails make one payload of a stream at the gateway's addresses. What they do to a stream of
`env.AI.run` is in no page: here it is held, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inferstack.local._store import Document
from inferstack.local.ai.hazards import GUARD
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai_gateway.asked import Blocked
from inferstack.local.ai_gateway.dlp import Check, policies_of, scan
from inferstack.local.ai_gateway.dynamic import Routed
from inferstack.local.ai_gateway.texts import asked_text, heard, raw_text, replayed, said_text

Part = Literal["prompt", "response"]
INJECTED = "P1"
PIECE, SHARED = (
    16_000,
    200,
)  # characters; Cloudflare judges long texts in pieces, of which length is in none of its pages
CODES: dict[Part, tuple[int, str]] = {
    "prompt": (2016, "Prompt blocked due to security configurations"),
    "response": (2017, "Response blocked due to security configurations"),
}
LOSSES: dict[Check, tuple[int, str]] = {
    "REQUEST": (2029, "Request content blocked due to DLP policy violations"),
    "RESPONSE": (2030, "Response content blocked due to DLP policy violations"),
}


@dataclass(slots=True)
class Found:
    """What guards found in one request and its answer: for its log entry and its headers."""

    hazards: dict[str, dict[str, str]] = field(default_factory=dict)  # prompt or response, code, FLAG or BLOCK
    unavailable: bool = False
    losses: list[Document] = field(default_factory=list)
    action: str = ""  # of data loss prevention
    refused: Routed | None = None  # whose answer it is, without the answer, when guards refuse that

    @property
    def headers(self) -> dict[str, str]:
        dlp = {"findings": self.losses, "action": self.action}
        return {"cf-aig-dlp": json.dumps(dlp)} if self.losses else {}

    def document(self) -> Document:
        """Of the log. Cloudflare's filter is `dlp_action`; the other names are in none of its pages."""
        shown: Document = {"guardrails": self.hazards} if self.hazards else {}
        shown |= {"guardrails_unavailable": True} if self.unavailable else {}
        return shown | ({"dlp_action": self.action, "dlp": self.losses} if self.losses else {})


class Guards:
    """Of all gateways; guard models are asked like all others, so planned faults meet them, too."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def check_request(self, gateway: Document, inputs: Any, found: Found) -> None:
        """Raises `Blocked`."""
        if isinstance(inputs, dict):
            self._inspect(gateway, "REQUEST", inputs, found)
            await self._judge(gateway, "prompt", asked_text(inputs), found)

    async def check_answer(self, gateway: Document, answer: Answer, found: Found) -> Answer:
        """The same answer; a stream that is judged comes when it was heard whole. Raises `Blocked`."""
        if not policies_of(gateway, "RESPONSE") and not rules_of(gateway, "response"):
            return answer
        body, text = answer.value, said_text(answer.value)
        if answer.stream is not None:
            pieces, text = await heard(answer.stream)
            answer, body = replace(answer, stream=replayed(pieces)), text
        self._inspect(gateway, "RESPONSE", body, found)
        await self._judge(gateway, "response", text, found)
        return answer

    def _inspect(self, gateway: Document, check: Check, body: Any, found: Found) -> None:
        policies = policies_of(gateway, check)
        action, losses = scan(policies, raw_text(body), check) if policies else ("", [])
        found.losses += losses
        found.action = "BLOCK" if action == "BLOCK" else found.action or action
        if action == "BLOCK":
            raise Blocked(400, *LOSSES[check], found.headers)

    async def _judge(self, gateway: Document, part: Part, text: str, found: Found) -> None:
        rules = rules_of(gateway, part)
        if not rules or not text.strip():
            return
        try:
            codes = await self._codes(rules, part, text)
        except InferenceError as error:
            if error.status == 402 and gateway.get("workers_ai_billing_mode") == "unified":
                raise Blocked(402, 2021, "Insufficient AI Gateway credits", found.headers) from None
            if "BLOCK" in rules.values():
                raise Blocked(503, 7013, "Guardrails are unavailable", found.headers) from None
            found.unavailable = True
            return
        hits = {code: rules[code] for code in rules if code in codes}
        found.hazards |= {part: hits} if hits else {}
        if "BLOCK" in hits.values():
            raise Blocked(424, *CODES[part], found.headers)

    async def _codes(self, rules: dict[str, str], part: Part, text: str) -> set[str]:
        codes: set[str] = set()
        for start in range(0, len(text), PIECE - SHARED):
            piece = text[start : start + PIECE]
            if set(rules) - {INJECTED}:
                role = "user" if part == "prompt" else "assistant"
                turns = [{"role": role, "content": piece}]
                answer = await self._models.run(GUARD, {"messages": turns})
                verdict, _, named = str(answer.value["response"]).strip().partition("\n")
                codes |= set(named.replace(" ", "").split(",")) if verdict == "unsafe" else set()
            if INJECTED in rules and await self._models.finds_injection(piece):
                codes.add(INJECTED)
        return codes


def rules_of(gateway: Document, part: Part) -> dict[str, str]:
    """Codes with FLAG or BLOCK."""
    return dict((gateway.get("guardrails") or {}).get(part) or {})
