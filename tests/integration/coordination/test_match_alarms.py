"""The alarms of matching tell a day, and no small number of people (decision 0039)."""

from datetime import UTC, datetime

from services.coordination.tables import MatchAlarmRow
from tests.support.network import Network


async def test_an_alarm_tells_the_day_and_no_group_under_ten(network: Network) -> None:
    """It is raised in the moment of a registration, and names that desk."""
    coordination = await network.start("coordination")
    evening = datetime(2026, 11, 28, 19, 14, 15, 926535, tzinfo=UTC)  # the 29th in Jakarta
    alarms = [
        MatchAlarmRow(reason="number-of-many", kind="nik", agency="police", unit="polres-74.01", region="74.01",
                      count=count, raised_at=evening)
        for count in (9, 10, 19, 20)
    ]  # fmt: skip
    network.apps["coordination"].state.database.write(lambda tx: tx.session.add_all(alarms))
    shown = (await coordination.get("/v1/match-alarms"))["items"]
    assert [alarm["count"] for alarm in reversed(shown)] == [
        {"at_least": 0, "suppressed": True},
        {"at_least": 10, "suppressed": False},
        {"at_least": 10, "suppressed": False},
        {"at_least": 20, "suppressed": False},
    ]
    assert {alarm["raised_at"] for alarm in shown} == {"2026-11-29"}
