"""`[mllp]`: where HL7 messages are listened for, and from whom they are taken."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from pydantic import Field, model_validator

from monitor.config.field_types import Network, Seconds
from monitor.config.section import OptionalPath, Section


class Mllp(Section):
    """The listener for HL7 v2 messages; off while `port` is 0."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    host: str = "127.0.0.1"
    source: str = ""
    """The source whose mapping is used for senders that `senders` does not name."""
    senders: dict[str, str] = {}
    """Sending application or facility (MSH-3, MSH-4), or both as `APP|FACILITY`: the source."""
    allow: list[Network] = []
    """Addresses that may connect; empty means all that can reach the port."""
    tls_certificate: OptionalPath = None
    tls_key: OptionalPath = None
    tls_client_ca: OptionalPath = None
    """Clients must have a certificate of this authority."""
    acknowledge: Literal["asked", "original"] = "asked"
    connections: Annotated[int, Field(ge=1, le=10000)] = 50
    max_message_mb: Annotated[float, Field(gt=0, le=64)] = 16
    idle_seconds: Seconds = 3600
    stall_seconds: Seconds = 60

    @property
    def is_on(self) -> bool:
        return self.port != 0

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def may_connect(self, address: str) -> bool:
        """Whether a client of this address is taken."""
        try:
            own = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        own = getattr(own, "ipv4_mapped", None) or own
        return not self.allow or any(own in ip_network(net, strict=False) for net in self.allow)

    @model_validator(mode="after")
    def _not_open_to_all(self) -> Mllp:
        if self.tls_key and not self.tls_certificate:
            raise ValueError("tls_key goes with tls_certificate")
        if self.tls_client_ca and not self.tls_certificate:
            raise ValueError("tls_client_ca goes with tls_certificate")
        local = self.host in {"localhost", "127.0.0.1", "::1"}
        if self.is_on and not local and not self.allow and not self.tls_client_ca:
            raise ValueError(
                "anybody who reaches the port could send results: name the senders' addresses in "
                "allow, or an authority for their certificates in tls_client_ca"
            )
        return self
