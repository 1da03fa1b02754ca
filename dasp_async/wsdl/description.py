"""What a service says of itself, as dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dasp_async.xsd import guess

if TYPE_CHECKING:
    from datetime import datetime

    from dasp_async.soap import SoapVersion
    from dasp_async.xsd import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDescription:
    """An operation as the service's WSDL describes it.

    name: that of the element that calls it. documentation: the service's words, empty for none.
    parameters: in the order of the WSDL, the key among them; each has a `name`, a `type` whose
    `name` is its own in XSD (`string[]` for an array), and is `required` or `nillable`.
    results: what the response holds, the result first; empty for nothing.
    soap_action: the value of the header that names it, without quotes. versions: the SOAP
    versions that it is bound to. problem: why it can't be called here; None if it can.
    """

    name: str
    documentation: str
    parameters: tuple[Element, ...]
    results: tuple[Element, ...]
    soap_action: str
    versions: frozenset[SoapVersion]
    problem: str | None = None

    @property
    def signature(self) -> str:
        """`Name(parameter: type, …) -> type`; of a result its type alone."""
        parameters = ", ".join(map(str, self.parameters))
        result, *others = (self.results[:1], *self.results[1:])
        kinds = [each.type.name for each in result] or ["nothing"]
        return f"{self.name}({parameters}) -> {', '.join([*kinds, *map(str, others)])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDescription:
    """A service as its WSDL describes it.

    namespace: its target namespace. operations: by their names, in the order of the WSDL.
    served_at: the answer's `Date`, by which the service's clock can be told; None if it had none.
    """

    namespace: str
    operations: Mapping[str, OperationDescription]
    served_at: datetime | None = None

    def operation(self, name: str) -> OperationDescription:
        """The operation of that name; raises `ValueError`, with the name that is meant perhaps."""
        if name in self.operations:
            return self.operations[name]
        meant = guess(name, self.operations)
        question = f"; did you mean {meant}?" if meant else ""
        raise ValueError(f"the service's description has no operation {name!r}{question}")
