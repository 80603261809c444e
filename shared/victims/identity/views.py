"""HTTP answers about identities and the access log."""

from collections.abc import Collection

from pydantic import BaseModel, Field

from shared.contracts.codes import IdentityField
from shared.contracts.types import Code, Id, Moment
from shared.domain.identity import Identity
from shared.domain.words import Words, counting, differing
from shared.victims.identity.tables import AccessRow


class Stated(BaseModel):
    """The agency that states a value, and when the value came here."""

    agency: Code
    said_at: Moment


class StatedValue(Stated):
    """What one agency says of a field."""

    value: str
    counts: bool = Field(description="Nilai yang dipakai di sini. / The value that is used here.")


class IdentitySeen(Identity):
    """The identity of a victim, with the source of what this agency did not write itself.

    Our own text counts first, then that of the custody holder, then that of others.
    """

    from_others: dict[IdentityField, Stated] | None = Field(
        default=None, description="Isian yang dinyatakan instansi lain. / Fields that another agency states."
    )
    differing: dict[IdentityField, list[StatedValue]] | None = Field(
        default=None,
        description="Isian yang dinyatakan berbeda oleh dua instansi. / Fields of which two agencies say different "
        "things.",
    )


def identity_view(said: Words, fields: Collection[IdentityField], ours: str) -> IdentitySeen | None:
    """The view of these fields of an identity; None where nothing is known. ``ours``: the code of this agency."""
    said = {name: values for name, values in said.items() if name in fields}
    if not said:
        return None
    others = {IdentityField(name): values[0] for name, values in said.items() if values[0].agency != ours}
    return IdentitySeen(
        **counting(said),
        from_others={name: Stated(agency=one.agency, said_at=one.at) for name, one in others.items()} or None,
        differing={
            IdentityField(name): [
                StatedValue(agency=one.agency, said_at=one.at, value=one.value, counts=one is values[0])
                for one in values
            ]
            for name, values in differing(said).items()
        }
        or None,
    )


class AccessView(BaseModel):
    """A row of the access log: who read which fields of a victim, with which right, and for what purpose."""

    victim_id: Id
    agency: str | None = Field(
        description="Instansi lain yang mencari lewat pembandingan; null bila kita sendiri, atau bila tidak boleh kita "
        "ketahui. / Another agency that searched by matching; null for ourselves, or where we may not know it."
    )
    client: str | None
    person: str | None
    role: str | None
    unit: str | None
    purpose: str
    right: str | None
    through: Id | None
    fields: list[str] = Field(description="Isian identitas, `note`, atau kode formulir / or the code of a form.")
    at: Moment


def access_view(row: AccessRow) -> AccessView:
    """The view of a row of the access log."""
    return AccessView.model_validate(row, from_attributes=True)


class AccessPage(BaseModel):
    """One page of the access log, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[AccessView]
    next: str | None
