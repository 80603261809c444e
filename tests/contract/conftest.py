"""What of this folder needs a SoftHSM, and is left out where there is none (``make test`` says so)."""

from tests.support.softhsm import FOUND

collect_ignore = [] if FOUND else ["test_token.py"]
