"""WSDL: the ASMX dialect of a service's own description, read into plain dataclasses."""

from __future__ import annotations

from dasp_async.wsdl.description import OperationDescription, ServiceDescription

__all__ = ["OperationDescription", "ServiceDescription"]
