"""The service's operations as methods: a short one for each that is known, two for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from dasp_async.operations import (
    BANDWIDTH_GET_USAGE,
    SM_ADD_ALIAS,
    SM_ADD_USER,
    SM_GET_ALL_ALIASES,
    SM_UPDATE_ALIAS_ADDRESSES,
    Anything,
    Guid,
)
from dasp_async.secret import Secret

if TYPE_CHECKING:
    from uuid import UUID

    from lxml.etree import _Element

    from dasp_async.calls import Calls
    from dasp_async.models import BandwidthUsage, SmAlias
    from dasp_async.wsdl import ServiceDescription


class Operations:
    """The operations beside jobs, each with the parameters and the result of its help page.

    All raise `ValueError` for an argument that can't be sent, before anything is sent or
    counted, and the errors of a call: `TransportError`, `HttpError`, `InvalidResponse`,
    `SoapFault`, `CallRefused`. Those that write are sent once, whatever comes of it: after a
    `TransportError` with `maybe_sent`, look whether they took effect before you try again.
    """

    _calls: Calls

    async def bandwidth_get_usage(self, start_date: date, end_date: date) -> list[BandwidthUsage]:
        """The bandwidth used in a range of dates: `BandwidthGetUsage`, a row a day.

        A `date` is sent as its midnight, a `datetime` as it is, with its offset if it has one.
        Raises as `call`.
        """
        return await self._calls.call(BANDWIDTH_GET_USAGE, start_date, end_date)

    async def sm_add_user(
        self,
        domain_name: str,
        user_name: str,
        password: str,
        *,
        first_name: str,
        last_name: str,
        max_mailbox_size_in_mb: int,
    ) -> None:
        """Add a SmarterMail user: `SMAddUser`. The password is shown nowhere.

        It writes: it is sent once, and raises as `call`.
        """
        secret = Secret(password)
        # No error below may have it among the local variables of its traceback.
        del password
        await self._calls.call(
            SM_ADD_USER,
            domain_name,
            user_name,
            secret,
            first_name,
            last_name,
            max_mailbox_size_in_mb,
        )

    async def sm_add_alias(
        self, domain_name: str, alias_name: str, addresses: Iterable[str]
    ) -> None:
        """Add a SmarterMail alias that stands for these addresses: `SMAddAlias`.

        It writes: it is sent once, and raises as `call`.
        """
        await self._calls.call(SM_ADD_ALIAS, domain_name, alias_name, addresses)

    async def sm_update_alias_addresses(
        self, domain_name: str, alias_name: str, new_addresses: Iterable[str]
    ) -> None:
        """Replace all addresses of an alias by these: `SMUpdateAliasAddresses`.

        It writes: it is sent once, and raises as `call`.
        """
        await self._calls.call(SM_UPDATE_ALIAS_ADDRESSES, domain_name, alias_name, new_addresses)

    async def sm_get_all_aliases(self, domain_name: str) -> list[SmAlias]:
        """The SmarterMail aliases of a mail domain: `SMGetAllAliases`. Raises as `call`."""
        return await self._calls.call(SM_GET_ALL_ALIASES, domain_name)

    async def call(
        self,
        operation: str,
        parameters: Mapping[str, object],
        *,
        writes: bool = True,
        description: ServiceDescription | None = None,
    ) -> _Element:
        """Call any operation of the service, known here or not; its response element.

        ```python
        names = {"domainName": "example.com"}
        response = await api.call("SMGetAllAliases", names, writes=False)
        print(to_python(response))
        ```

        operation: its name on the wire. parameters: those after the key, by their names on the
        wire and in the order of the service's help page. ASMX reads a name that is misspelt, or
        in the wrong case, as null without a word. Values are str, int, bool, float, `Decimal`,
        datetime, date, UUID, bytes, lists of these, and mappings of names to values; `None`
        leaves the parameter out, which ASMX reads as null, and `NIL` sends it as `xsi:nil`.
        writes: whether it may change anything; it is then sent once. False lets it be retried
        like other reads.
        description: what `describe` answered, to check by it before anything is sent: all
        parameters must then be there (None for one that is to be left out), in order, by their
        exact names, and of their types. None for no check.

        A text whose name says that it is a password is as hidden as the key. `to_python` turns
        the element into plain Python. An answer without a result is no error.

        Raises `ValueError` or `TypeError` for what can't be sent, and the errors of a call:
        `TransportError`, `HttpError`, `InvalidResponse`, `SoapFault`, `CallRefused`. After a
        `TransportError` with `maybe_sent` what writes may have taken effect: look before you try
        again.
        """
        try:
            from dasp_async.adhoc import operation_of  # noqa: PLC0415 - slow to import, seldom needed

            ad_hoc, arguments = operation_of(
                operation, parameters, Anything(), writes=writes, description=description
            )
        finally:
            # No error may have a password among the local variables of its traceback.
            del parameters
        element: _Element = await self._calls.call(ad_hoc, *arguments)
        return element

    async def start_job(
        self,
        operation: str,
        parameters: Mapping[str, object],
        *,
        description: ServiceDescription | None = None,
    ) -> UUID:
        """Call an operation that starts a job and answers its id, to wait for.

        ```python
        job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "my-database"})
        status = await api.poll_until_done(job_id)
        ```

        operation, parameters, description: as in `call`; it is sent once. Raises
        `InvalidResponse` if the answer holds no guid, and otherwise as `call`.
        """
        try:
            from dasp_async.adhoc import operation_of  # noqa: PLC0415 - slow to import, seldom needed

            ad_hoc, arguments = operation_of(
                operation, parameters, Guid(), writes=True, description=description
            )
        finally:
            # As in `call`
            del parameters
        job_id: UUID = await self._calls.call(ad_hoc, *arguments)
        return job_id

    async def describe(self) -> ServiceDescription:
        """The service's own description, its WSDL: operations, parameters, types.

        Fetched anew each time, from the endpoint with `?WSDL`. The key is not sent, and the
        budget not used. It is trusted as far as it goes: nothing that it refers to is fetched.

        Raises `TransportError`, `HttpError`, or `InvalidResponse` for what is no WSDL.
        """
        return await self._calls.describe()
