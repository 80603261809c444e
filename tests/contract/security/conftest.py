"""The test of a PKCS#11 token needs a SoftHSM, and is not collected without one (``make test`` says so)."""

from tests.support.softhsm import FOUND

collect_ignore = [] if FOUND else ["test_pkcs11_token.py"]
