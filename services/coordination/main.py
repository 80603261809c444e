"""stub until the coordination service is written"""
from shared.domain.agency import Agency, Text
from shared.service.app import agency_member, create_app

MEMBER = agency_member(Agency("coordination", Text("Gugus Tugas", "Task force"), "cooperation", {}, (), (), None))
app = create_app(MEMBER)
