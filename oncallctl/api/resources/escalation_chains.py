"""Escalation chains."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class EscalationChain(ServerObject):
    """An escalation chain, without its steps."""

    name: str
    team_id: str | None = None


class EscalationChains(Resource[EscalationChain]):
    """Escalation chains; their steps are escalation policies."""

    noun = nouns.ESCALATION_CHAINS
    model = EscalationChain
