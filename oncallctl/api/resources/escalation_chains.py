"""Escalation chains."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class EscalationChain(ServerObject):
    """Whom to notify, in which order."""

    name: str
    team_id: str | None = None


class EscalationChains(Resource[EscalationChain]):
    """Whom to notify, in which order: chains, whose steps are escalation policies."""

    noun = nouns.ESCALATION_CHAINS
    model = EscalationChain
