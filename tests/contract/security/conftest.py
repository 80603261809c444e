"""The test of an HSM behind PKCS#11 needs a SoftHSM, and is not collected without one (``make test`` says so)."""

from tests.support.softhsm import FOUND

collect_ignore = [] if FOUND else ["test_hsm.py"]
