"""The register of cases and victims: who is known here, and who has custody."""
