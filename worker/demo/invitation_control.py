"""The control endpoint's part about open invitations: made, withdrawn, booked on, as JSON.

Times are Swedish local time in ISO form; `until` is the end of the last day, or left out.
"""

from datetime import datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.demo.control_fields import Json, facility_of, found, id_of, json_fields, subject_of, text_of, time_of
from worker.demo.region_state import Invitation, Region, Taken

_KNOWN = frozenset({"id", "subject", "facility", "until", "time_type", "purpose"})


class InvitationControl:
    """The routes over one region."""

    def __init__(self, region: Region) -> None:
        self._region = region

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/control/invitations", self.list_invitations, methods=["GET"]),
            Route("/control/invitations", self.invite, methods=["POST"]),
            Route("/control/invitations/{id}", self.withdraw, methods=["DELETE"]),
            Route("/control/invitations/{id}/book", self.book, methods=["POST"]),
        ]

    async def list_invitations(self, request: Request) -> Response:
        listed = self._region.open_invitations(request.query_params.get("subject"))
        return JSONResponse([_shown(invitation) for invitation in listed])

    async def invite(self, request: Request) -> Response:
        invitation = _new(self._region, await json_fields(request, _KNOWN))
        try:
            self._region.invite(invitation)
        except Taken:
            raise HTTPException(409, "a booking or invitation with this id stands already") from None
        return JSONResponse(_shown(invitation), status_code=201)

    async def withdraw(self, request: Request) -> Response:
        found(self._region.withdraw, request)
        return Response(status_code=204)

    async def book(self, request: Request) -> Response:
        """The citizen chooses a time, by 1177 or by telephone."""
        start_at = time_of(await json_fields(request, frozenset({"start"})), "start")
        found(lambda invitation_id: self._booked(invitation_id, start_at), request)
        return Response(status_code=204)

    def _booked(self, invitation_id: str, start_at: datetime) -> None:
        self._region.book_invitation(invitation_id, start_at, timedelta(minutes=30))


def _new(region: Region, fields: Json) -> Invitation:
    facility = facility_of(region, fields.get("facility"))
    kind = facility.time_type(text_of(fields, "time_type") or facility.time_types[0].id)
    return Invitation(
        id=id_of(fields),
        subject=subject_of(fields),
        facility=facility.hsa_id,
        end_at=time_of(fields, "until") if "until" in fields else None,
        time_type=kind.id,
        time_type_name=kind.name,
        performer=facility.performer,
        resource=facility.resource,
        care_type=facility.care_type,
        purpose=text_of(fields, "purpose") or kind.preparations,
    )


def _shown(invitation: Invitation) -> Json:
    return {
        "id": invitation.id,
        "subject": invitation.subject,
        "facility": invitation.facility,
        "until": None if invitation.end_at is None else invitation.end_at.replace(tzinfo=None).isoformat(),
        "time_type": invitation.time_type,
        "purpose": invitation.purpose,
    }
