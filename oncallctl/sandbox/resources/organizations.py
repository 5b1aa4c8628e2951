"""The organization and the stack that the sandbox belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import GRAFANA_URL
from oncallctl.sandbox.pagination import page_of
from oncallctl.sandbox.responses import SandboxResponse, ServerCrash

if TYPE_CHECKING:
    from oncallctl.sandbox.requests import ApiRequest

ORGANIZATION: Final = {"id": "OHZ4Z39JVACNX"}


def get_info(_request: ApiRequest) -> SandboxResponse:
    """Return the URL of the stack."""
    return SandboxResponse({"url": GRAFANA_URL})


def list_organizations(request: ApiRequest) -> SandboxResponse:
    """Return the organization; the engine crashes on this request."""
    if not request.variant.is_cloud:
        raise ServerCrash
    return page_of(request, [ORGANIZATION], lambda organization: organization, size=25)


def get_organization(_request: ApiRequest) -> SandboxResponse:
    """Return the caller's own organization for any ID (organizations/get_any_id)."""
    return SandboxResponse(ORGANIZATION)
